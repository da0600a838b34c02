"""Three calendar months, by an oracle that counts days: lived through, and in zones where midnight is odd."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.contract.world import Answer, Clock
from tests.promises.shop import at, destroyed, wait
from tests.visits.place import Place, ask, health

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = Answer(b"x", content_type="text/plain")


def over(day: date, months: int = 3) -> date:
    """The first date that a period of so many months leaves free (Civil Act 157, 159, 160), found by walking.

    The day itself does not count. The period ends with the day before the one that has the starting day's number,
    so many months on; where that month has no such day, with the month's last day.
    """
    start = day + timedelta(days=1)
    wanted = (start.year * 12 + start.month - 1 + months) % 12 + 1
    walking, seen = start, 0
    while seen < months:
        walking += timedelta(days=1)
        seen += walking.day == 1
    assert walking.month == wanted
    while walking.day != start.day:
        walking += timedelta(days=1)
        if walking.month != wanted:
            return walking
    return walking


def begins(day: date, zone: str) -> float:
    """The first second at which clocks in *zone* show *day* or later, whatever became of its midnight."""
    low = at(f"{day}T00:00") - 36 * 3600
    high = low + 72 * 3600
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if datetime.fromtimestamp(middle, ZoneInfo(zone)).date() >= day else (middle, high)
    return round(high)


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Place]:
    """A place in memory, where the system has one: a year of days costs no syncs."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as root:
        place = Place(Path(root))
        yield place
        place.end()


def test_the_oracle_knows_what_the_law_says() -> None:
    known = {"2026-11-30": "2027-03-01", "2027-02-28": "2027-06-01", "2028-02-29": "2028-06-01"}
    known |= {"2027-01-31": "2027-05-01", "2026-11-29": "2027-03-01", "2027-11-29": "2028-03-01"}
    assert {day: str(over(date.fromisoformat(day))) for day in known} == known


def test_every_day_of_a_winter_that_leaps_is_destroyed_on_its_date_and_never_before(quick: Place) -> None:
    first, end = date(2027, 11, 27), date(2028, 6, 2)
    clock = Clock(at(f"{first}T12:00"))
    app = quick.app(PLAIN, clock)
    today, days = first, []
    while today <= end:
        ask(app, f"/{today}")
        days.append(today)
        due = sorted(str(day) for day in days if over(day) <= today)
        if today.day in (1, 2, 29):
            wait(lambda due=due: bool(health(app)) and len(destroyed(quick)) >= len(due))  # type: ignore[misc]
        assert set(destroyed(quick)) <= set(due), today
        if today.day in (1, 2, 29):
            assert sorted(destroyed(quick)) == due, today
        today += timedelta(days=1)
        clock.forward(days=1)
    assert len(due) > 90


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("Pacific/Kiritimati", "2026-11-30", id="first to begin a day"),
        pytest.param("Pacific/Pago_Pago", "2026-11-30", id="last to begin a day"),
        pytest.param("Asia/Seoul", "2028-02-29", id="leap day"),
        pytest.param("Asia/Kathmandu", "2027-11-30", id="a quarter of an hour"),
        pytest.param("America/New_York", "2026-12-07", id="months with a lost hour"),
        pytest.param("Africa/Cairo", "2026-01-23", id="no midnight on the last date"),
        pytest.param("America/Havana", "2026-07-31", id="midnight twice on the last date"),
        pytest.param("Pacific/Apia", "2011-09-29", id="no such date at all"),
    ],
)
def test_the_moment_of_destruction_is_the_first_of_that_date_where_the_site_is(
    quick: Place, zone: str, day: str
) -> None:
    quick.declare(site=f'time_zone = "{zone}"')
    first = date.fromisoformat(day)
    moment = begins(over(first), zone)
    for clock in (Clock(begins(first, zone)), Clock(begins(first + timedelta(days=1), zone) - 1)):
        app = quick.app(PLAIN, clock)
        ask(app, "/that-day")
        assert health(app)[1]["next_destruction"] == moment, datetime.fromtimestamp(moment, UTC)
        assert [path.parent.name for path in quick.segments()] == [day] * len(quick.segments())
        quick.end(app)
