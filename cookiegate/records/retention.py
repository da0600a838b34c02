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
from cookiegate.records.entries import METHOD, Approval, Destruction, moment
from cookiegate.records.segment import frames_of, segments_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from cookiegate.period import Period
    from cookiegate.records.day import Day, Terms
    from cookiegate.records.depot import Depot
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.shared_ledger import SharedLedger

JUMP = 36 * 3600.0  # seconds; a daily purge may come late by half a day
STEADY = 24 * 3600.0  # seconds
APPROVED_WITHIN = 7 * 24 * 3600.0  # seconds; then what waits for an officer is overdue (PIPA 21: without delay)
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


def expired_before(now: float, period: Period) -> float:
    """Return the time before which, at *now*, a record of something that happened then is over (seconds, UTC)."""
    today = day = date_at(now, "UTC")
    day -= timedelta(days=31 * period.in_months)  # never less than the period
    while destroyed_from(day, period) <= today:
        day += ONE_DAY
    return begin_of(day, "UTC")


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
    """The rule applied to what lies in *directory* and in the *depot*: which days are due, and their destruction.

    *living* are the terms of the sites as they are configured now, by kind and folder; they go before those with
    which a day began, except that a day is never destroyed before midnight in both time zones. *by_approval*: what
    is due waits until an officer approves. *preserve* moves what a hold keeps of days that are about to die.
    """

    def __init__(
        self,
        directory: Path,
        keys: Keys,
        ledger: Ledger | SharedLedger,
        living: Mapping[tuple[str, str], Terms],
        depot: Depot | None = None,
        *,
        by_approval: bool = False,
        preserve: Callable[[Collection[Day]], None] = lambda _: None,
    ) -> None:
        self._directory, self._keys, self._ledger, self._living = directory, keys, ledger, living
        self._depot, self._by_approval, self._preserve = depot, by_approval, preserve

    def ends(self, *, here: bool = False) -> dict[Day, float]:
        """Return every day of which anything exists, oldest first, and when it must be gone (seconds since 1970, UTC).

        Also a day whose destruction was cut short: it must be gone at once. *here*: only what this host has.
        """
        began = {day: list(filter(None, [self._keys.terms(day)])) for day in self._days_here()}
        for day, terms in (self._depot.terms() if self._depot and not here else {}).items():
            began.setdefault(day, []).extend(terms)
        return {day: self._end(day, terms or _terms_beside(day, began)) for day, terms in sorted(began.items())}

    def awaiting(self, ends: Mapping[Day, float], now: float) -> list[Day]:
        """Return which of the days are due at *now* and wait for approval: a week at most, then they are overdue."""
        return [day for day, end in ends.items() if self._by_approval and now - APPROVED_WITHIN < end <= now]

    def _days_here(self) -> set[Day]:
        return {*self._keys.days(), *days_in(self._directory)}

    def _end(self, day: Day, began: Collection[Terms]) -> float:
        """Return when the day must be gone: at once if its destruction has begun.

        Files that lost their key and whose site is gone have no terms and no reader: they must be gone too.
        """
        if self._keys.is_destroyed(day):
            return 0.0
        now = self._living.get((day.kind, day.folder))
        if now:
            began = [now, *(replace(now, zone=terms.zone) for terms in began)]
        return end_of(day, began) if began else 0.0

    def trust(self, now: float, steady: float) -> Trust:
        """Return how far the clock is believed, without writing it down."""
        return self._remembered(now, self.ends(here=True)).at(now, steady)

    def purge(self, now: float, steady: float, *, approved_by: str = "") -> list[Day]:
        """Destroy what is due; return those days. While another process does it, or the clock jumped: nothing.

        Where it needs approval and has none, only what was begun. Who approves is entered before anything happens.
        First the keys, all at once; from then on nothing can be read, and the ledger says so. Then the files, day
        by day, overwritten and removed, the key's file last. A call after a crash goes on where that one ended.

        Raises:
            OSError: a file cannot be written or removed.
            RecordsError: a key does not open, or the ledger cannot be written.
        """
        try:
            with disk.lock(self._directory / "purge.lock", wait=False):
                return self._purge(now, steady, approved_by)
        except BlockingIOError:
            return []

    def destroy(self, days: Collection[Day], now: float) -> None:
        """Destroy days before their time: of a hold that ends. Raises as `purge`."""
        with disk.lock(self._directory / "purge.lock"):
            self._keys.destroy(days)
            for day in days:
                self._bury(day, now)

    def _purge(self, now: float, steady: float, approved_by: str) -> list[Day]:
        ends = self.ends()
        trust = self._remembered(now, ends).at(now, steady)
        disk.sweep(self._directory)
        disk.replace(self._clock, json.dumps([trust.until, trust.noticed, trust.steady]).encode())
        believed = now if trust.waits_until is None else 0.0  # otherwise only what was begun
        if self._by_approval and not approved_by:
            believed = 0.0
        due = [day for day, end in ends.items() if end <= believed]
        if due and approved_by:
            self._ledger.add_approval(Approval(at=moment(now), who=approved_by, days=tuple(map(str, due))))
        self._preserve(due)
        if due and self._depot:
            self._depot.destroy(due, now)
        elif due:
            self._keys.destroy(due)
        # All, unless other hosts turned the inner key just now.
        gone = [day for day in due if self._keys.is_destroyed(day)]
        for day in gone:
            self._bury(day, now)
        return gone

    def _bury(self, day: Day, now: float) -> None:
        """Enter the destroyed day in the ledger and remove its files."""
        if day not in self._days_here():
            return
        terms, grave = self._living.get((day.kind, day.folder)) or self._keys.terms(day), day.within(self._directory)
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

    def _remembered(self, now: float, days: Iterable[Day]) -> Trust:
        """The trust of the last purge, carried on by the records: from each day to the next, never over a gap.

        Records made after a jump are no evidence for it. Where no purge was before, the oldest record begins.
        """
        dates = sorted({day.date for day in days if not self._keys.is_destroyed(day)})
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


def _terms_beside(day: Day, began: Mapping[Day, Collection[Terms]]) -> list[Terms]:
    """Return the terms of the other days of its site and kind.

    Where a day's own cannot be read any more, they hold: to destroy it at once would destroy all before it.
    """
    same = (known for other, known in began.items() if (other.folder, other.kind) == (day.folder, day.kind))
    return [terms for known in same for terms in known]


def _frames_in(path: Path) -> int:
    with frames_of(path) as frames:
        return len(frames)
