"""Three months, lived through day by day."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cookiegate.records import disk
from tests.contract.world import Answer, Clock
from tests.visits.place import Place, ask, health, soon, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message

    from cookiegate import CookieGateMiddleware

SEOUL = ZoneInfo("Asia/Seoul")
PLAIN = Answer(b"x", content_type="text/plain")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock(at("2026-11-30T09:00"))


@pytest.fixture
def place(place: Place) -> Place:
    place.declare(site='time_zone = "Asia/Seoul"')
    return place


def live_until(app: CookieGateMiddleware, clock: Clock, end: str) -> None:
    """One request at nine in the morning of every day, as a small shop has it."""
    while clock.now + 86_400 <= at(end):
        clock.forward(days=1)
        assert status_of(ask(app, f"/{datetime.fromtimestamp(clock.now, SEOUL):%Y-%m-%d}")) == 200
    clock.now = at(end)


def gone(place: Place, path: str) -> bool:
    return path not in place.paths()


def test_a_visit_of_november_30_is_read_on_february_28_and_gone_on_march_1(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    ask(app, "/that-day")
    live_until(app, clock, "2027-02-28T23:59:59")
    assert status_of(ask(app, "/the-last-minute")) == 200
    assert not soon(lambda: gone(place, "/that-day"), 2)
    assert "/that-day" in place.paths("--from", "2026-11-30", "--to", "2026-11-30")
    assert health(app)[0] == 200

    clock.now = at("2027-03-01T00:00:01")
    assert soon(lambda: status_of(ask(app, "/the-next-day")) == 200 and gone(place, "/that-day"))
    assert place.rows("--from", "2026-11-30", "--to", "2026-11-30") == []
    assert not [path for path in place.files() if "2026-11-30" in path.name or "2026-11-30" in path.parts]
    assert "/2026-12-01" in place.paths()
    assert health(app)[0] == 200


def test_the_ledger_has_one_destruction_entry_for_each_day(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    ask(app, "/that-day")
    live_until(app, clock, "2027-03-10T09:00:00")
    days = ["2026-11-30", *(f"2026-12-{day:02}" for day in range(1, 10))]
    again = place.app(PLAIN, clock)  # a second process destroys nothing twice

    def destroyed() -> Counter[str]:
        for worker in (app, again):
            ask(worker, "/now")
        return Counter(row["day"] for row in place.ledger("destruction") if row["kind"] == "visits")

    assert soon(lambda: len(destroyed()) >= len(days))
    assert destroyed() == Counter(days)
    assert all(row["retention"] == "P3M" and row["rule"] for row in place.ledger("destruction"))


@pytest.mark.parametrize("by", ["lifespan", "first request"])
def test_an_app_that_starts_after_the_day_destroys_by_itself(place: Place, clock: Clock, by: str) -> None:
    app = place.app(PLAIN, clock)
    ask(app, "/that-day")
    live_until(app, clock, "2027-02-28T12:00:00")
    ask(app, "/the-last-day")
    place.end(app)
    assert not gone(place, "/that-day")
    app = place.app(PLAIN, Clock(at("2027-03-01T08:00")))
    if by == "first request":
        ask(app, "/first")
        assert soon(lambda: gone(place, "/that-day"))
    else:
        asyncio.run(started(app, lambda: gone(place, "/that-day")))
        assert gone(place, "/that-day")


async def started(app: CookieGateMiddleware, until: Callable[[], bool]) -> None:
    """A server that has started the app and gets no request."""
    arriving: list[Message] = [{"type": "lifespan.startup"}]

    async def receive() -> Message:
        if not arriving:
            await asyncio.to_thread(soon, until)
        return arriving.pop() if arriving else {"type": "lifespan.shutdown"}

    async def send(message: Message) -> None:
        pass

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)


def test_health_fails_while_an_expired_day_exists_and_is_well_after_the_purge(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    ask(app, "/that-day")
    live_until(app, clock, "2027-02-28T12:00:00")
    ask(app, "/the-last-day")
    place.end(app)
    with disk.lock(place.records / "purge.lock"):  # somebody else is at it, and slow
        tomorrow = Clock(at("2027-03-01T08:00"))
        app = place.app(PLAIN, tomorrow)
        code, said = health(app)
        assert code == 503
        assert "2026-11-30" in str(said)
        assert "/that-day" in place.paths()

    def well() -> bool:
        tomorrow.forward(seconds=10)
        return health(app)[0] == 200

    assert soon(well)
    assert gone(place, "/that-day")


@pytest.mark.parametrize("jump", [timedelta(days=92), timedelta(days=3650)], ids=["three months", "ten years"])
@pytest.mark.parametrize("restart", [True, False], ids=["after a restart", "while it runs"])
def test_a_clock_that_jumps_destroys_nothing_for_24_steady_hours(
    place: Place, clock: Clock, jump: timedelta, restart: bool
) -> None:
    app = place.app(PLAIN, clock)
    ask(app, "/that-day")
    clock.now += jump.total_seconds()
    if restart:
        place.end(app)
        app = place.app(PLAIN, clock)
    assert not soon(lambda: bool(ask(app, "/now")) and gone(place, "/that-day"), 1.5)
    code, said = health(app)
    assert code == 503
    assert said["waits_until"] is not None
    assert place.ledger("destruction") == []
