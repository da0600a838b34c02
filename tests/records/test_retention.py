"""When a day ends: the civil calendar, time zones, and a clock that cannot be trusted."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cookiegate.period import Period
from cookiegate.records import VISITS, destroyed_from
from cookiegate.records.day import begin_of, date_at
from cookiegate.records.retention import Trust
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path

ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def oracle(day: date, months: int) -> date:
    """Count day by day: the period begins after *day* and is over when its first date comes round again."""
    begin = today = day + timedelta(days=1)
    seen = 0
    while True:
        yesterday, today = today, today + timedelta(days=1)
        seen += today.month != yesterday.month
        if (seen == months and today.day == begin.day) or seen > months:
            return today


@pytest.mark.parametrize("months", [1, 3, 6, 12])
def test_every_day_of_2024_to_2036_ends_when_the_oracle_says(months: int) -> None:
    day, last = date(2024, 1, 1), date(2036, 12, 31)
    while day <= last:
        assert destroyed_from(day, Period(months=months)) == oracle(day, months), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("visit", "gone"),
    [
        ("2026-11-30", "2027-03-01"),
        ("2027-02-28", "2027-06-01"),
        ("2028-02-29", "2028-06-01"),
        ("2027-01-31", "2027-05-01"),
        ("2026-11-29", "2027-03-01"),
        ("2027-11-29", "2028-03-01"),
        ("2027-03-31", "2027-07-01"),
    ],
)
def test_a_visit_is_gone_from_this_date_on(visit: str, gone: str) -> None:
    assert destroyed_from(date.fromisoformat(visit), Period(months=3)) == date.fromisoformat(gone)


@given(
    st.floats(min_value=0, max_value=4e9),
    st.sampled_from(
        ["UTC", "Asia/Seoul", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Africa/Cairo", "Pacific/Apia"]
    ),
)
def test_every_instant_lies_between_the_midnights_of_its_own_day(instant: float, zone: str) -> None:
    day = date_at(instant, zone)
    assert begin_of(day, zone) <= instant < begin_of(day + timedelta(days=1), zone)


def test_a_visit_of_november_30_is_read_on_february_28_and_gone_on_march_1(open_log: OpenLog) -> None:
    site = a_site(time_zone="Asia/Seoul")
    log = open_log(site=site)
    log.record_visit(a_visit(site, at("2026-11-30T14:59:59")))  # 23:59:59 in Seoul
    midnight = at("2027-02-28T15:00:00")
    now = at("2026-11-30T15:00:00")
    while now < midnight:  # the purge runs every day and finds nothing to do
        assert log.purge(now, steady=now) == []
        now += A_DAY
    before, after = midnight - 1, midnight
    assert log.purge(before, steady=before) == []
    assert len(list(log.read(site.name, *ALWAYS, now=before, who="a", why="b"))) == 1
    assert log.health(before).next_destruction == midnight
    assert list(log.read(site.name, *ALWAYS, now=after, who="a", why="b")) == []
    assert log.health(after).overdue
    assert [day.date for day in log.purge(after, steady=after)] == [date(2026, 11, 30)]
    assert log.health(after).ok
    assert log.purge(after, steady=after) == []


def test_the_ledger_has_one_entry_for_each_destroyed_day(open_log: OpenLog) -> None:
    site = a_site(basis="legal-duty", statute="Protection of Communications Secrets Act 15-2")
    log = open_log(site=site)
    for second in range(3):
        log.record_visit(a_visit(site, NOON + second))
    log.record_visit(a_visit(site, NOON + A_DAY))
    later = at("2027-02-23T00:00:00")
    log.purge(later, steady=0)
    purged = log.purge(later + A_DAY, steady=A_DAY)
    assert [day.date for day in purged] == [date(2026, 11, 21), date(2026, 11, 22)]
    first, second_day = log.ledger.destructions()
    assert (first.day, first.frames, second_day.frames) == ("2026-11-21", 3, 1)
    assert (first.rule, first.retention) == ("Protection of Communications Secrets Act 15-2", "P3M")
    assert first.at == "2027-02-24T00:00:00+00:00"


def test_a_site_that_is_declared_no_more_still_loses_its_records_on_time(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    open_log(site=site).record_visit(a_visit(site))
    log = open_log(site=a_site("Another Shop"))
    log.purge(at("2027-02-22T00:00:00"), steady=0)
    assert len(log.purge(at("2027-02-23T00:00:00"), steady=A_DAY)) == 1


def test_after_a_change_of_time_zone_no_day_ends_before_midnight_in_both(open_log: OpenLog) -> None:
    seoul = a_site(time_zone="Asia/Seoul")
    open_log(site=seoul).record_visit(a_visit(seoul))
    log = open_log(site=a_site(time_zone="America/New_York"))
    assert log.health(NOON).next_destruction == at("2027-02-22T05:00:00")


def test_a_longer_period_holds_for_days_that_began_under_a_shorter_one(open_log: OpenLog) -> None:
    site = a_site()
    open_log(site=site).record_visit(a_visit(site))
    log = open_log(site=a_site(retention="P6M"))
    assert log.health(NOON).next_destruction == at("2027-05-22T00:00:00")


def test_while_another_process_purges_this_one_does_nothing(open_log: OpenLog, tmp_path: Path) -> None:
    from cookiegate.records import disk

    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    later = at("2027-02-23T00:00:00")
    log.purge(later - A_DAY, steady=0)
    with disk.lock(tmp_path / "records" / "purge.lock"):
        assert log.purge(later, steady=A_DAY) == []
    assert len(log.purge(later, steady=A_DAY)) == 1


def test_a_clock_that_jumps_ten_years_destroys_nothing_for_24_steady_hours(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    assert log.purge(NOON, steady=0) == []
    jumped = NOON + 3653 * A_DAY
    log.record_visit(a_visit(site, jumped))  # a record made by the wrong clock is no evidence for it
    for hour in range(24):
        assert log.purge(jumped + hour * 3600, steady=hour * 3600) == []
    assert log.health(jumped + 3600, steady=3600).waits_until == jumped + A_DAY
    assert len(log.purge(jumped + A_DAY, steady=A_DAY)) == 1


def test_a_clock_that_is_set_right_again_has_destroyed_nothing(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    log.purge(NOON, steady=0)
    log.purge(NOON + 3653 * A_DAY, steady=60)
    assert log.purge(NOON + 120, steady=120) == []
    assert log.health(NOON + 120, steady=120).waits_until is None
    assert len(list(log.read(site.name, *ALWAYS, now=NOON + 120, who="a", why="b"))) == 1


def test_a_clock_that_jumps_again_waits_anew() -> None:
    waiting = Trust(NOON).at(NOON + 10 * A_DAY, 0)
    assert waiting.waits_until == NOON + 11 * A_DAY
    again = waiting.at(NOON + 400 * A_DAY, A_DAY)
    assert again.waits_until == NOON + 401 * A_DAY
    assert again.at(NOON + 401 * A_DAY, 2 * A_DAY).waits_until is None


def test_a_restarted_machine_waits_anew() -> None:
    waiting = Trust(NOON).at(NOON + 10 * A_DAY, 5 * A_DAY)
    assert waiting.at(NOON + 11 * A_DAY, 60).waits_until == NOON + 12 * A_DAY


def test_days_without_a_gap_carry_the_trust_where_nobody_purged(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    for number in range(100):
        log.record_visit(a_visit(site, NOON + number * A_DAY))
    assert log.purge(NOON + 99 * A_DAY, steady=0)


def test_records_without_key_and_site_are_removed(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    shutil.rmtree(tmp_path / "records" / "keys" / VISITS)
    log = open_log(site=a_site("Another Shop"))
    assert len(log.purge(NOON, steady=0)) == 1
    assert not [path for path in (tmp_path / "records" / VISITS).rglob("*") if path.is_file()]


def test_a_key_that_cannot_be_read_takes_no_other_day_along(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    for number in range(3):
        log.record_visit(a_visit(a_site(), NOON + number * A_DAY))
    *_, newest = sorted((tmp_path / "records" / "keys" / "visits").glob("*/2026-*"))
    newest.write_bytes(b"{")
    later = open_log(site=a_site("Other Shop"))  # of the first site only its records remain
    assert later.purge(NOON + 3 * A_DAY) == []
