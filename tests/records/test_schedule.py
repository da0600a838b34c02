"""The schedule: each kind of record goes in its own time, by itself or when an officer approves."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from cookiegate.cli.audit import certificates
from cookiegate.config import Config, Records
from cookiegate.errors import ConfigError, RecordsError
from cookiegate.period import Period
from cookiegate.records import Misuse, Narrowed
from cookiegate.records.retention import destroyed_from, expired_before
from cookiegate.records.schedule import schedule
from tests.records.visits import A_DAY, NOON, a_site, a_visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cookiegate.records import VisitLog
    from tests.records.visits import OpenLog

DUE = datetime(2027, 2, 22, tzinfo=UTC).timestamp()  # visits of NOON's day, kept for three months
WEEK = 7 * A_DAY


def _until(log: VisitLog, end: float) -> Iterator[float]:
    """The days from NOON on, as a log sees them that purges daily: no jump of the clock."""
    now = NOON
    while now < end:
        log.purge(now, steady=now)
        yield now
        now += A_DAY


def test_what_is_due_waits_for_the_officer_who_is_named_in_the_certificate(
    open_log: OpenLog, memory_path: Path
) -> None:
    site = a_site()
    log = open_log(memory_path, site=site, destruction="approval")
    log.record_visit(a_visit(site))
    assert all(log.health(now, steady=now).ok for now in _until(log, DUE))
    assert log.purge(DUE + 60, steady=DUE + 60) == []
    health = log.health(DUE + 60, steady=DUE + 60)
    assert health.ok
    assert [day.rpartition("/")[2] for day in health.awaiting] == ["2026-11-21"]
    assert health.next_destruction is None  # nothing that the app may do by itself
    assert log.ledger.destructions() == []
    [day] = log.purge(DUE + A_DAY, steady=DUE + A_DAY, approved_by="Lee Ji-woo")
    [approval] = log.ledger.approvals()
    assert (approval.who, approval.days) == ("Lee Ji-woo", (str(day),))
    assert log.health(DUE + A_DAY, steady=DUE + A_DAY).awaiting == ()
    assert len(log.ledger.destructions()) == 1
    assert log.seals
    assert list(log.seals.verify()) == []


def test_what_waited_a_week_is_overdue(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site, destruction="approval")
    log.record_visit(a_visit(site))
    assert log.health(DUE + WEEK - 1).ok
    late = log.health(DUE + WEEK)
    assert not late.ok
    assert late.awaiting == ()
    assert len(late.overdue) == 1


def test_misuse_has_a_period_and_a_reason_of_its_own(open_log: OpenLog, memory_path: Path) -> None:
    site = a_site(basis="consent", misuse_retention="P1M")
    log = open_log(memory_path, site=site)
    log.record_visit(a_visit(site))
    log.record_misuse(Misuse.of(site, time=NOON, what="forged receipt", address="203.0.113.9"))
    gone = [(now, day.kind) for now in _until(log, DUE + A_DAY) for day in log.purge(now, steady=now)]
    assert gone == []  # `_until` purged them, each in its time
    told = {entry.kind: (entry.at[:10], entry.rule) for entry in log.ledger.destructions()}
    assert told == {"misuse": ("2026-12-22", "security"), "visits": ("2027-02-22", "consent")}


def test_access_records_go_after_two_years_and_verification_stays_clean(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    for time, who in ((NOON, "first reader"), (NOON + 30 * A_DAY, "second reader")):
        list(log.read(site.name, date.min, date.max, now=time, who=who, why="x", address="203.0.113.9"))
    assert log.seals
    after = datetime(2028, 11, 22, 1, tzinfo=UTC).timestamp()
    log.ledger.expire_accesses("2026-11-22")
    assert [entry.who for entry in log.ledger.accesses()] == ["second reader"]
    assert b"first reader" not in (tmp_path / "records" / "ledger.db").read_bytes()
    assert list(log.seals.verify()) == []
    assert expired_before(after, Period(years=2)) == datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    assert expired_before(after - 2 * 3600, Period(years=2)) == datetime(2026, 11, 21, tzinfo=UTC).timestamp()


def test_the_purge_enters_that_access_records_are_destroyed(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site, access_retention="P1Y")
    list(log.read(site.name, date.min, date.max, now=NOON, who="Kim", why="x"))
    log.purge(NOON + 364 * A_DAY, steady=0)
    assert log.ledger.destructions() == []
    log.purge(NOON + 365 * A_DAY + 60, steady=0)
    log.purge(NOON + 366 * A_DAY, steady=0)
    [entry] = log.ledger.destructions()
    assert (entry.kind, entry.day, entry.frames, entry.retention) == ("access records", "before 2026-11-22", 1, "P1Y")
    assert log.ledger.accesses() == []


def test_an_access_record_is_never_early_and_at_most_a_day_late() -> None:
    for months in (12, 24, 30):
        period = Period(months=months)
        for today in range(0, 366 * 3, 5):
            now = NOON + today * A_DAY
            first_alive = datetime.fromtimestamp(expired_before(now, period), UTC).date()
            day_of_now = datetime.fromtimestamp(now, UTC).date()
            before = date.fromordinal(first_alive.toordinal() - 1)
            assert destroyed_from(before, period) <= day_of_now < destroyed_from(first_alive, period)


def test_less_than_a_year_of_access_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises((ConfigError, ValueError), match="for a year at least"):
        Records(directory=tmp_path / "a", key_directory=tmp_path / "b", access_retention=Period(months=11))


def test_an_access_record_says_whose_without_saying_who_it_is(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    narrowed = Narrowed(sought={"network": "198.51.100.0/24", "path": ""}, fits=lambda row: row.time > 0)
    list(log.read(site.name, date.min, date.max, now=NOON, who="a", why="x", address="2001:DB8::1", place="here"))
    list(log.read(site.name, date.min, date.max, now=NOON, who="b", why="x", narrowed=narrowed))
    list(log.read(site.name, date.min, date.max, now=NOON, who="c", why="x"))
    one, other, everybody = log.ledger.accesses()
    assert (one.whose, one.place) == (log.desk.fingerprint("2001:db8:0::1"), "here")
    assert (other.whose, other.sought) == (log.desk.fingerprint("198.51.100.0/24"), "network and path")
    assert (everybody.whose, everybody.sought) == ("", "everything")
    assert b"2001" not in one.whose.encode()
    assert b"198.51.100" not in (tmp_path / "records" / "ledger.db").read_bytes()


def test_the_schedule_names_each_kind_with_its_period_and_reason(tmp_path: Path) -> None:
    records = Records(directory=tmp_path / "a", key_directory=tmp_path / "b")
    site = a_site(basis="legal-duty", statute="PCSA 15-2", misuse_retention="P6M")
    told = list(map(str, schedule(Config(sites=(site,), secret_keys=("k" * 32,), records=records))))
    assert told[:3] == [
        "visits of 'Example Shop': P3M, PCSA 15-2",
        "misuse of 'Example Shop': P6M, PCSA 15-2",
        "access records: P2Y, proof of who read personal data (safety measures for personal data, Art. 8)",
    ]
    assert list(schedule(Config(sites=(site.model_copy(update={"visits": None}),), secret_keys=("k" * 32,)))) == []


def test_a_certificate_says_what_how_many_when_by_whom_and_how() -> None:
    row = {"at": "2027-02-22T00:00:01+00:00", "by": "Lee", "site": "Shop", "kind": "visits", "day": "2026-11-21"}
    row |= {"records": "1234", "retention": "P3M", "rule": "PCSA 15-2", "method": "key destroyed"}
    text = "\n".join(certificates([{**row, "records": 1234}, {**row, "day": "2026-11-20", "records": 1}]))
    for word in (
        "2027-02-22T00:00:01",
        "Lee",
        "Shop",
        "2026-11-20",
        "2026-11-21",
        "1,234",
        "PCSA 15-2",
        "key destroyed",
    ):
        assert word in text
    assert text.count("Certificate") == 1


def test_a_lost_ledger_lets_nobody_read(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    (tmp_path / "keys" / "seal").unlink()
    with pytest.raises(RecordsError):
        log.read("Example Shop", date.min, date.max, now=NOON, who="Kim", why="x", address="203.0.113.9")
