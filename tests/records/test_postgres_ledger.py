"""Many machines: approvals and access records lie in the store, and access records leave it in their time."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.statistics import statistics
from tests.records.visits import A_DAY, NOON, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.records.visits import OpenLog

DUE = NOON + 94 * A_DAY


def test_the_shared_ledger_keeps_approvals_and_lets_access_records_go(
    open_log: OpenLog, url: str, tmp_path: Path
) -> None:
    site = a_site()
    log = open_log(store=url, site=site, destruction="approval", access_retention="P1Y")
    log.record_visit(a_visit(site))
    found = statistics(log, site, date(2026, 11, 1), date(2026, 11, 21), now=NOON, who="Kim", place="here")
    assert found.visits == 1  # no day is closed here: counted from the row
    list(log.read(site.name, date.min, date.max, now=NOON + A_DAY, who="Lee", why="x", address="203.0.113.9"))
    statistical, sought = log.ledger.accesses()
    assert (statistical.place, statistical.whose, sought.whose) == ("here", "", log.desk.fingerprint("203.0.113.9"))
    log._writer().close()
    log.ship(NOON)
    disk.replace(tmp_path / "records" / "clock", json.dumps([DUE - A_DAY, None, 0]).encode())  # of a daily purge
    assert log.purge(DUE, steady=DUE) == []
    assert log.ledger.destructions() == []
    health = log.health(DUE, steady=DUE)
    assert (health.ok, health.overdue, len(health.awaiting)) == (True, (), 1)
    assert len(log.purge(DUE, steady=DUE, approved_by="Park")) == 1
    [approval] = log.ledger.approvals()
    assert (approval.who, len(approval.days)) == ("Park", 1)
    assert log.ledger.expire_accesses("2026-11-22") == 1
    assert [entry.who for entry in log.ledger.accesses()] == ["Lee"]
    assert log.ledger.expire_accesses("2026-11-22") == 0
    with pytest.raises(RecordsError, match="cannot be held yet"):
        _ = log.archive
