"""Destroyed once, for all hosts: no row, no key, no copy of the store opens it; wherever a purge was cut short."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import Day, Misuse, VisitLog, disk
from cookiegate.records.vault import InnerKey, WrappedDayKey
from tests.records.test_postgres import SITE, paths_read, segments, shipped
from tests.records.visits import A_DAY, NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.records.database import Server

LATER = datetime(2027, 2, 23, tzinfo=UTC).timestamp()  # 2026-11-21 and -22 are due, -23 to -25 are not
KEYS = "SELECT kind, folder, date, content FROM cookiegate.day JOIN cookiegate.day_key ON day = id ORDER BY date"


def five_days(log: VisitLog, host: str) -> None:
    for number in range(5):
        log.record_visit(a_visit(SITE, NOON + number * A_DAY + (host == "two"), path=f"/{host}/{number}"))
    log.record_misuse(Misuse.of(SITE, time=NOON, what="forged receipt", address="203.0.113.9"))
    log._writer().close()


def two_hosts(open_log: OpenLog, url: str, root: Path) -> tuple[VisitLog, VisitLog]:
    """Two hosts with five shipped days each; the purge has run every day until the day before the first is due."""
    one, two = open_log(root / "one", store=url), open_log(root / "two", store=url)
    one.purge(NOON, steady=0)
    with pytest.raises(RecordsError):
        two.purge(NOON, steady=0)
    one.purge(NOON, steady=0)
    for log, name in ((one, "one"), (two, "two")):
        five_days(log, name)
        log.purge(LATER - A_DAY, steady=0)
        log.ship(NOON)
    return one, two


def opened(rows: Sequence[Any], key_directory: Path) -> list[Any]:
    """Every day of which any inner key in *key_directory* opens any of these keys, by force."""
    found = []
    for path in key_directory.glob("*inner*"):
        inner = InnerKey.unwrap(path.read_bytes(), ["o" * 32])
        for row in rows:
            wrapped = WrappedDayKey.decode(row["content"])
            day = day_of(row)
            found += [day.date] if inner and wrapped and wrapped.open(day, inner) else []
    return found


def day_of(row: Any) -> Day:
    return Day(row["date"], row["folder"], row["kind"])


def behind(log: VisitLog) -> tuple[str, ...]:
    store = log.health(LATER).store
    assert store
    return store.behind


def test_a_day_is_destroyed_on_every_host_and_in_every_copy_of_the_store(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    two.record_visit(a_visit(SITE, NOON, path="/not shipped"))
    backup = server.sql(url, KEYS)
    assert len(opened(backup, tmp_path / "one" / "keys")) == len(opened(backup, tmp_path / "two" / "keys")) == 12
    destroyed = one.purge(LATER, steady=A_DAY)
    assert [str(day.date) for day in destroyed] == ["2026-11-21", "2026-11-21", "2026-11-22"]
    assert opened(backup, tmp_path / "one" / "keys") == []
    assert len(opened(backup, tmp_path / "two" / "keys")) == 12  # it was not there; everybody is told so
    assert behind(one)
    assert len(two.purge(LATER, steady=A_DAY)) == 3
    assert opened(backup, tmp_path / "two" / "keys") == []
    assert segments(tmp_path / "two") == []
    one.purge(LATER, steady=A_DAY)
    assert behind(one) == ()
    for log in (one, two):
        assert paths_read(log, LATER) == [f"/{host}/{day}" for day in (2, 3, 4) for host in ("one", "two")]
        assert not log.health(LATER).overdue
    entries = [(entry.day, entry.kind, entry.frames) for entry in one.ledger.destructions()]
    assert entries == [("2026-11-21", "misuse", 2), ("2026-11-21", "visits", 2), ("2026-11-22", "visits", 2)]
    days = {row["date"] for row in server.sql(url, "SELECT date FROM cookiegate.day WHERE date < '2027-01-01'")}
    assert days == {date(2026, 11, day) for day in (23, 24, 25)}
    partitions = server.sql(url, "SELECT count(*) FROM pg_class WHERE relname ~ '^frame_[0-9]+$'")[0][0]
    assert partitions == server.sql(url, "SELECT count(*) FROM cookiegate.day")[0][0]


def test_a_store_put_back_from_an_old_copy_opens_again_but_for_what_was_destroyed(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    one.purge(LATER - A_DAY, steady=0)
    for log in (one, two):
        log.close()
    backup = server.database(like=url)
    one.purge(LATER, steady=A_DAY)
    two.purge(LATER, steady=A_DAY)
    restored = [open_log(tmp_path / name, store=backup) for name in ("two", "one")]
    for log in restored:
        assert paths_read(log, NOON) == [f"/{host}/{day}" for day in (2, 3, 4) for host in ("one", "two")]
        assert not log.purge(LATER, steady=A_DAY)
    assert not server.sql(backup, "SELECT FROM cookiegate.day WHERE destroyed")


def test_a_late_row_of_a_destroyed_day_goes_to_a_living_one(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    one.purge(LATER, steady=A_DAY)
    two.record_visit(a_visit(SITE, NOON, path="/late"))  # this host does not know yet
    two.purge(LATER, steady=A_DAY)
    two.record_visit(a_visit(SITE, NOON, path="/later"))
    assert shipped(two, LATER) == 1
    assert "/later" in paths_read(one, LATER)
    assert "/late" not in paths_read(one, LATER)


def test_a_mark_in_the_future_is_said_and_not_believed(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = open_log(store=url)
    log.record_visit(a_visit(SITE, path="/before"))
    shipped(log)
    folder = server.sql(url, "SELECT folder FROM cookiegate.day LIMIT 1")[0]["folder"]
    server.sql(url, f"INSERT INTO cookiegate.destroyed_until VALUES ('visits', '{folder}', '20000-01-01')")
    for number in range(2):
        log.purge(NOON + number, steady=number)
    assert not list((tmp_path / "records").rglob("destroyed"))
    log.record_visit(a_visit(SITE, NOON + 1, path="/after"))
    assert shipped(log) == 1
    assert paths_read(log) == ["/before", "/after"]
    assert [line.levelname for line in caplog.records if "not believed" in line.getMessage()] == ["ERROR"]


def test_the_ledger_of_many_machines_is_only_added_to(open_log: OpenLog, url: str, server: Server) -> None:
    log = open_log(store=url)
    paths_read(log)
    for query in ("UPDATE cookiegate.access SET who = 'x'", "DELETE FROM cookiegate.access_end",
                  "TRUNCATE cookiegate.destruction"):  # fmt: skip
        with pytest.raises(asyncpg.RaiseError, match="added to, never changed"):
            server.sql(url, query)


class Killed(BaseException):
    """Nothing that a program could catch."""


class Dying:
    """Counts every call that changes a disk or speaks to the store; from *steps* on, nothing gets through."""

    CHANGES = frozenset({"write", "fsync", "unlink", "replace", "link"})

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        if self.left <= 0:
            raise Killed
        self.left -= 1

    def __getattr__(self, name: str) -> Any:
        if name in self.CHANGES:
            self.step()
        return getattr(os, name)


def test_a_purge_cut_short_anywhere_is_finished_by_any_host(
    open_log: OpenLog, url: str, server: Server, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for log in two_hosts(open_log, url, memory_path / "start"):
        log.close()
    survived, steps = False, 0
    while not survived:
        root, copy = memory_path / f"{steps}", server.database(like=url)
        shutil.copytree(memory_path / "start", root)
        one, two = open_log(root / "one", store=copy), open_log(root / "two", store=copy)
        with monkeypatch.context() as patch:
            dying = Dying(steps)
            patch.setattr(disk, "os", dying)
            for name in ("execute", "fetch", "fetchval", "fetchrow", "executemany"):
                patch.setattr(asyncpg.Connection, name, _counted(getattr(asyncpg.Connection, name), dying))
            with suppress(Killed):
                one.purge(LATER, steady=A_DAY)
                survived = True
        finisher, other = (one, two) if steps % 2 else (two, one)
        finisher.purge(LATER, steady=A_DAY)
        other.purge(LATER, steady=A_DAY)
        for log in (one, two):
            assert paths_read(log, LATER) == [f"/{host}/{day}" for day in (2, 3, 4) for host in ("one", "two")]
            assert not log.health(LATER).overdue
            log.close()
        assert [entry.frames for entry in one.ledger.destructions()] == [2, 2, 2]
        one.close()
        assert server.sql(copy, "SELECT turn FROM cookiegate.fleet")[0][0] == 1
        assert server.sql(copy, "SELECT count(*) FROM cookiegate.day WHERE destroyed")[0][0] == 0
        server.drop(copy)
        steps += 13
    assert steps > 50


def _counted(method: Any, dying: Dying) -> Any:
    async def counted(*arguments: Any, **options: Any) -> Any:
        dying.step()
        return await method(*arguments, **options)

    return counted
