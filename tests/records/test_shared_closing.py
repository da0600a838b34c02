"""Days of many machines: closed once for all hosts, provable from each, also beside what was destroyed."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import Misuse, VisitLog
from tests.records.shared_store import LATER, closed, cut_tail, faults, record, seals_of, two_hosts
from tests.records.test_postgres import SITE, shipped
from tests.records.visits import A_DAY, NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.records.database import Server


def test_a_tail_cut_with_its_seals_is_found_on_its_host_by_a_checkpoint_and_once_closed_on_every_host(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    record(one, host="/one")
    record(two, host="/two")
    of_all = seals_of(two).checkpoint(NOON)
    assert len(json.loads(of_all)["writers"]) == 2
    assert faults(one, of_all) == faults(two, of_all) == []
    for log in (one, two):
        log.close()
    copy = server.database(like=url)
    (mine,) = json.loads((tmp_path / "one" / "keys" / "store-heads").read_text())["writers"]
    cut_tail(server, url, bytes.fromhex(mine.rpartition("/")[2]))
    (fault,) = faults(one)
    assert "there were 2, now 1" in fault
    assert faults(two) == []  # it cannot know
    assert len(faults(two, of_all)) == 1
    with pytest.raises(RecordsError, match="not those that were made"):
        closed(one)
    assert one.health(NOON).ok
    one, two = (open_log(tmp_path / name, store=copy) for name in ("one", "two"))
    assert len(closed(two)) == 1
    one.ship(NOON + 2 * A_DAY)
    assert json.loads((tmp_path / "one" / "keys" / "store-heads").read_text())["writers"] == {}
    cut_tail(server, copy, bytes.fromhex(mine.rpartition("/")[2]))
    for log in (one, two):
        assert len(faults(log)) == 1


def test_a_day_is_closed_once_for_all_hosts_and_again_for_what_comes_late(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    for log, host in ((one, "/one"), (two, "/two")):
        record(log, host=host)
    two.record_misuse(Misuse.of(SITE, time=NOON, what="forged receipt", address="203.0.113.9"))
    shipped(two)
    assert closed(one, NOON) == []
    assert closed(one) == ["2026-11-21", "2026-11-21"]
    assert closed(one) == closed(two) == []
    two.record_visit(a_visit(SITE, path="/late"))
    shipped(two)
    assert closed(two) == ["2026-11-21"]
    (summary,) = seals_of(one).summaries(SITE.name, date(2026, 11, 21), date(2026, 11, 21))
    assert (summary.rows, summary.counts["visits"], summary.counts["hours"][12]) == (25, 25, 25)
    for log in (one, two):
        verification = seals_of(log).verify()
        assert (list(verification), verification.rows, verification.closed) == ([], 26, 2)
        assert log.health(NOON + 3 * A_DAY).unsealed == ()


def test_a_day_that_is_not_closed_is_named(open_log: OpenLog, url: str, server: Server) -> None:
    log = open_log(store=url)
    record(log, rows=3)
    log.ship(NOON + 3 * A_DAY)
    server.sql(url, "DELETE FROM cookiegate.seal WHERE number = 2")
    with pytest.raises(RecordsError, match="not those that were made"):
        closed(log, NOON + 3 * A_DAY)
    assert log.health(NOON + 3 * A_DAY).unsealed[0].endswith("2026-11-21")


def test_destroyed_days_leave_the_rest_provable_and_a_removed_one_does_not(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    for number in range(3):
        for log in (one, two):
            record(log, rows=2, time=NOON + number * A_DAY)
    assert closed(one, NOON + 4 * A_DAY) == ["2026-11-21", "2026-11-22", "2026-11-23"]
    checkpoint = seals_of(one).checkpoint(NOON + 4 * A_DAY)
    one.purge(LATER - A_DAY, steady=0)
    assert [str(day.date) for day in one.purge(LATER, steady=A_DAY)] == ["2026-11-21"]
    for log in (one, two):
        verification = seals_of(log).verify(checkpoints=[checkpoint])
        assert (list(verification), verification.rows, verification.destroyed) == ([], 8, 1)
    assert [summary.day[-2:] for summary in seals_of(two).summaries()] == ["21", "22", "23"]
    assert not server.sql(url, "SELECT FROM cookiegate.seal JOIN cookiegate.day ON day = id WHERE date < '2026-11-22'")
    server.sql(url, "UPDATE cookiegate.day SET destroyed = true WHERE date = '2026-11-22'")
    found = faults(two)
    assert len(found) == 2
    assert all("2026-11-22" in fault and "knows of no destruction" in fault for fault in found)
    assert faults_from(two, date(2026, 11, 23)) == []


def faults_from(log: VisitLog, first: date) -> list[str]:
    return [str(fault) for fault in seals_of(log).verify(site=SITE.name, first=first)]
