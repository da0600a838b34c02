"""When does which day end, and how is it destroyed?

Statutory periods do not count the first day, run by calendar months and end with their last day (Korean Civil Act
157, 159, 160). A day is destroyed as soon as that allows, never before.
"""

from __future__ import annotations

import json
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from cookiegate.records import disk
from cookiegate.records.day import ONE_DAY, begin_of, date_at, days_in
from cookiegate.records.ledger import Destruction, moment
from cookiegate.records.segment import frames_of, segments_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cookiegate.period import Period
    from cookiegate.records.day import Day, Terms
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger

METHOD = "key destroyed (inner key replaced), files overwritten and removed"
JUMP = 36 * 3600.0  # seconds; a daily purge may come late by half a day
STEADY = 24 * 3600.0  # seconds
SLACK = 60.0  # seconds by which a steady clock may be corrected meanwhile


def destroyed_from(day: date, period: Period) -> date:
    """Return the date from whose 00:00 on the visits of *day* may be, and are to be, destroyed.

    The period begins with the day after, *s* (Civil Act 157), and ends where the calendar months end (160 II): at
    the beginning of the same day of the month; where the month has none, with its last day, so one day after it
    (160 III).
    """
    start = day + ONE_DAY
    year, month = divmod(start.year * 12 + start.month - 1 + period.in_months, 12)
    last = monthrange(year, month + 1)[1]
    end = date(year, month + 1, min(start.day, last))
    return end + ONE_DAY if start.day > last else end


def end_of(day: Day, terms: Iterable[Terms]) -> float:
    """Return the instant at which the day must be gone, in seconds since 1970 (UTC).

    Where it began in another time zone than the site has now, the later of both.
    """
    return max(begin_of(destroyed_from(day.date, term.period), term.zone) for term in terms)


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the clock is believed: to *until*; beyond it since *noticed*, when the steady clock said *steady*.

    Times are seconds since 1970 (UTC), *steady* seconds of a clock that nobody sets (``time.monotonic``).
    """

    until: float
    noticed: float | None = None
    steady: float = 0.0

    def at(self, now: float, steady: float) -> Trust:
        """Return the trust after a look at both clocks.

        A step of up to 36 hours is believed. After a longer one the clock must run on for 24 steady hours.
        """
        if now <= self.until + JUMP:
            return Trust(now)
        if self.noticed is None or abs((now - self.noticed) - (steady - self.steady)) > SLACK:
            return Trust(self.until, now, steady)
        return Trust(now) if steady - self.steady >= STEADY else self

    @property
    def waits_until(self) -> float | None:
        """The moment from which a clock that runs steadily is believed; ``None`` if it is believed now."""
        return None if self.noticed is None else self.noticed + STEADY


class Retention:
    """The rule applied to what lies in *directory*: which days are due, and their destruction.

    *living* are the terms of the sites as they are configured now, by folder; they go before those with which a
    day began, except that a day is never destroyed before midnight in both time zones.
    """

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger, living: Mapping[str, Terms]) -> None:
        self._directory, self._keys, self._ledger, self._living = directory, keys, ledger, living

    def days(self) -> list[Day]:
        """Return every day of which anything exists, oldest first; also one whose destruction was cut short."""
        return sorted({*self._keys.days(), *days_in(self._directory)})

    def end(self, day: Day) -> float:
        """Return when the day must be gone (seconds since 1970, UTC): at once if its destruction has begun.

        Files that lost their key and whose site is gone have no terms and no reader: they must be gone too.
        """
        if self._keys.is_destroyed(day):
            return 0.0
        began, now = self._keys.terms(day), self._living.get(day.folder)
        if began and now:
            return end_of(day, [now, replace(now, zone=began.zone)])
        only = began or now
        return end_of(day, [only]) if only else 0.0

    def overdue(self, now: float) -> list[Day]:
        """Return the days that must be gone at *now* and are not, oldest first. Raises OSError, RecordsError."""
        return [day for day in self.days() if self.end(day) <= now]

    def next_destruction(self) -> float | None:
        """Return when the next day must be gone (seconds since 1970, UTC). Raises OSError, RecordsError."""
        return min(map(self.end, self.days()), default=None)

    def trust(self, now: float, steady: float) -> Trust:
        """Return how far the clock is believed, without writing it down."""
        return self._remembered(now).at(now, steady)

    def purge(self, now: float, steady: float) -> list[Day]:
        """Destroy what is due; return those days. While another process does it, or the clock jumped: nothing.

        First the keys, all at once; from then on nothing can be read, and the ledger says so. Then the files, day
        by day, overwritten and removed, the key's file last. A call after a crash goes on where that one ended.

        Raises:
            OSError: a file cannot be written or removed.
            RecordsError: a key does not open, or the ledger cannot be written.
        """
        try:
            with disk.lock(self._directory / "purge.lock", wait=False):
                return self._purge(now, steady)
        except BlockingIOError:
            return []

    def _purge(self, now: float, steady: float) -> list[Day]:
        trust = self.trust(now, steady)
        disk.sweep(self._directory)
        disk.replace(self._clock, json.dumps([trust.until, trust.noticed, trust.steady]).encode())
        due = self.overdue(now) if trust.waits_until is None else self._begun()
        if due:
            self._keys.destroy(due)
        for day in due:
            self._bury(day, now)
        return due

    def _begun(self) -> list[Day]:
        return [day for day in self.days() if self._keys.is_destroyed(day)]

    def _bury(self, day: Day, now: float) -> None:
        """Enter the destroyed day in the ledger and remove its files."""
        terms, grave = self._keys.terms(day) or self._living.get(day.folder), day.within(self._directory)
        self._ledger.add_destruction(
            Destruction(
                site=terms.site if terms else day.folder,
                kind=day.kind,
                day=day.date.isoformat(),
                at=moment(now),
                retention=terms.retention if terms else "",
                rule=terms.rule if terms else "",
                frames=sum(map(_frames_in, segments_in(grave))),
                method=METHOD,
            )
        )
        if grave.exists():
            for path in grave.iterdir():
                disk.remove(path)
            grave.rmdir()
            disk.sync_directory(grave.parent)
        self._keys.forget(day)

    @property
    def _clock(self) -> Path:
        return self._directory / "clock"

    def _remembered(self, now: float) -> Trust:
        """The trust of the last purge, carried on by the records: from each day to the next, never over a gap.

        Records made after a jump are no evidence for it. Where no purge was before, the oldest record begins.
        """
        dates = sorted({day.date for day in self.days() if not self._keys.is_destroyed(day)})
        try:
            trust = Trust(*json.loads(self._clock.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            trust = Trust(begin_of(dates[0], "UTC") if dates else now)
        reached = date_at(trust.until, "UTC")
        for day in dates:
            if reached < day <= reached + timedelta(days=1):
                reached = day
        until = max(trust.until, min(begin_of(reached, "UTC"), now))
        return Trust(until, trust.noticed, trust.steady)


def _frames_in(path: Path) -> int:
    with frames_of(path) as frames:
        return len(frames)
