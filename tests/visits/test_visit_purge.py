"""``cookiegate purge`` for cron, by today's clock."""

from __future__ import annotations

import sys
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from subprocess import run
from typing import NamedTuple

import pytest

from tests.contract.world import Answer, Clock
from tests.visits.place import SCRIPT, Place, ask, health, soon

PLAIN = Answer(b"x", content_type="text/plain")
WITHOUT_EXTRAS = (
    "import sys; sys.modules['typer'] = sys.modules['rich'] = None; "
    "from cookiegate.__main__ import main; sys.exit(main())"
)


class Expired(NamedTuple):
    """A day whose time was over at midnight, with the period that makes it so."""

    day: date
    months: int


def end_of(day: date, months: int) -> date:
    """The first date on which a visit of *day* is destroyed: the rule of section 6, written again."""
    start = day + timedelta(days=1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    if start.day > last:
        return date(year, month + 1, last) + timedelta(days=1)
    return date(year, month + 1, start.day)


def expired_today() -> Expired:
    today = datetime.now(UTC).date()
    return next(
        Expired(day, months)
        for months in range(1, 6)
        for day in (today - timedelta(days=ago) for ago in range(27, 200))
        if end_of(day, months) == today
    )


def test_the_oracle_knows_the_days_of_the_issue() -> None:
    assert end_of(date(2026, 11, 30), 3) == date(2027, 3, 1)
    assert end_of(date(2027, 2, 28), 3) == date(2027, 6, 1)
    assert end_of(date(2028, 2, 29), 3) == date(2028, 6, 1)
    assert end_of(date(2027, 1, 31), 3) == date(2027, 5, 1)


def exists(place: Place, day: date) -> bool:
    """Whether anything of that day is left on the disk; a reader is told nothing of a day that is over."""
    return any(str(day) in str(path) for path in place.files())


@pytest.fixture
def old(place: Place) -> Expired:
    """A shop that kept visits until yesterday evening; its oldest day ended at midnight."""
    expired = expired_today()
    place.declare(visits=f'basis = "security"\nretention = "P{expired.months}M"')
    clock = Clock(datetime(expired.day.year, expired.day.month, expired.day.day, 22, tzinfo=UTC).timestamp())
    app = place.app(PLAIN, clock)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    ask(app, f"/{expired.day}")
    while datetime.fromtimestamp(clock.now, UTC).date() < yesterday:
        clock.forward(days=1)
        ask(app, f"/{datetime.fromtimestamp(clock.now, UTC):%Y-%m-%d}")
    place.end(app)
    assert exists(place, expired.day)
    return expired


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([SCRIPT, "purge", "--config", "cookiegate.toml"], id="cookiegate purge --config FILE"),
        pytest.param([sys.executable, "-m", "cookiegate", "purge", "cookiegate.toml"], id="python -m, FILE"),
        pytest.param([sys.executable, "-c", WITHOUT_EXTRAS, "purge", "cookiegate.toml"], id="no extras, FILE"),
        pytest.param(
            [sys.executable, "-c", WITHOUT_EXTRAS, "purge", "--config", "cookiegate.toml"], id="no extras, --config"
        ),
    ],
)
def test_purge_destroys_what_is_over_and_nothing_else(place: Place, old: Expired, command: list[str]) -> None:
    before = place.paths()
    assert len(before) > 20
    done = run(command, cwd=place.root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not exists(place, old.day)
    assert place.paths() == before
    [entry] = place.ledger("destruction")
    assert (entry["kind"], entry["day"], entry["frames"]) == ("visits", str(old.day), 1)
    assert run(command, cwd=place.root, capture_output=True, timeout=60, check=False).returncode == 0
    assert len(place.ledger("destruction")) == 1


def test_check_fails_while_an_expired_day_exists(place: Place, old: Expired) -> None:
    failed = place.run("check", "cookiegate.toml")
    assert failed.returncode != 0
    assert str(old.day) in failed.stdout + failed.stderr
    assert "cookiegate purge" in failed.stdout + failed.stderr
    assert place.run("purge", "--config", "cookiegate.toml").returncode == 0
    passed = place.run("check", "cookiegate.toml")
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_an_app_that_starts_today_destroys_it_by_itself(place: Place, old: Expired) -> None:
    app = place.app(PLAIN)
    ask(app, "/today")
    assert soon(lambda: not exists(place, old.day))
    assert health(app)[0] == 200
