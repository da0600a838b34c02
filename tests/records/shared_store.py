"""Hosts that share a store, and what somebody who owns its tables can do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import VisitLog
from cookiegate.records.shared_seals import SharedSeals
from tests.records.test_postgres import SITE, shipped
from tests.records.visits import A_DAY, NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.records.database import Server

ROWS = 12
LATER = datetime(2027, 2, 22, 12, tzinfo=UTC).timestamp()  # 2026-11-21 is due, -22 is not


NO_TRIGGERS = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tgname, tgrelid::regclass AS place FROM pg_trigger WHERE NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.tgname, one.place);
    END LOOP;
END $$
"""  # whoever owns the tables can do this too


def seals_of(log: VisitLog) -> SharedSeals:
    assert isinstance(log.seals, SharedSeals)
    return log.seals


def faults(log: VisitLog, *checkpoints: bytes) -> list[str]:
    return [str(fault) for fault in seals_of(log).verify(checkpoints=checkpoints)]


def record(log: VisitLog, rows: int = ROWS, *, time: float = NOON, host: str = "") -> None:
    """Record so many rows, shipped in two passes: under two seals."""
    for number in range(rows):
        log.record_visit(a_visit(SITE, time + number, path=f"{host}/{number}", address=f"203.0.113.{number}"))
        if number == rows // 2:
            log.ship(time)
    shipped(log, time)


def two_hosts(open_log: OpenLog, url: str, root: Path) -> tuple[VisitLog, VisitLog]:
    one, two = open_log(root / "one", store=url), open_log(root / "two", store=url)
    one.ship(NOON)
    with pytest.raises(RecordsError, match="none has answered"):
        two.ship(NOON)
    one.ship(NOON)
    two.ship(NOON)
    return one, two


def closed(log: VisitLog, now: float = NOON + 2 * A_DAY) -> list[str]:
    log.ship(now)
    return [str(day)[-10:] for day in seals_of(log).close(now)]


def cut_tail(server: Server, url: str, writer: bytes) -> None:
    """Take the second seal of a writer and its rows out of the store, with all that tells of them."""
    its = f"writer = '\\x{writer.hex()}'"
    size = f"(SELECT sum(length(frame)) FROM cookiegate.frame WHERE {its})"
    server.script(
        url,
        f"DELETE FROM cookiegate.frame WHERE seq > 6 AND {its}",
        f"DELETE FROM cookiegate.seal WHERE number = 2 AND {its}",
        f"UPDATE cookiegate.writer SET frames = 7, shipped = {size} WHERE {its}",
    )
