"""Closing: a day that is over gets its tag file, its summary, and one statement over all its writers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cookiegate.records import disk
from cookiegate.records.day import ONE_DAY, VISITS, begin_of, days_in
from cookiegate.records.entries import DAY, Summary, moment
from cookiegate.records.segment import frames_of, segments_in
from cookiegate.records.summary import Counts
from cookiegate.records.tags import digest_of, write_tags
from cookiegate.records.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cookiegate.records.day import Day, Terms
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.sealing import Sealing
    from cookiegate.records.vault import DayKey

CLOSED_AFTER = 3600.0  # seconds after its midnight; what comes later closes the day once more
LATE = 86400.0  # seconds after which a day that is not closed is reported


class Closing:
    """Methods raise OSError and RecordsError."""

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger, sealing: Sealing) -> None:
        self._directory, self._keys, self._ledger, self._sealing = directory, keys, ledger, sealing
        self._closed: dict[str, dict[str, int]] = {}  # by day, what was closed: each segment's size
        self._read = 0  # the last statement that told of it

    def open_days(self, now: float, *, late: float = CLOSED_AFTER) -> list[Day]:
        """Return the days that ended *late* seconds ago and are not closed, or got rows since; oldest first."""
        for statement in self._ledger.statements(DAY, since=self._read + 1):
            sizes = {writer: facts[0] for writer, facts in statement.values["writers"].items()}
            self._closed[statement.about], self._read = sizes, statement.number
        return [
            day
            for day in sorted(days_in(self._directory))
            if self._is_over(day, now - late) and self._sizes(day) != self._closed.get(str(day), {})
        ]

    def close(self, now: float, breathe: Callable[[], None]) -> list[Day]:
        """Close the days that are over, and return them. Where another process does it, none."""
        done = []
        for day in self.open_days(now):
            try:
                with self._sealing.locked(wait=False):
                    if self.close_one(day, now, breathe):
                        done.append(day)
            except BlockingIOError:
                break
        return done

    def close_one(self, day: Day, now: float, breathe: Callable[[], None]) -> bool:
        """Close one day, however often; the lock of the seals is held.

        Return False where it is destroyed; or where somebody cut it: what the heads know of it is the evidence.
        """
        key, directory = self._keys.find(day), day.within(self._directory)
        if key is None or self._sealing.is_cut(day):
            return False
        self._sealing.extend([day], at=now, breathe=breathe)
        sizes = self._sizes(day)
        disk.sweep(directory)
        write_tags(directory, key, breathe)
        if day.kind == VISITS:
            self._ledger.add_summary(summary_of(directory, key, breathe))
        writers = {}
        for path in segments_in(directory):
            chain = self._sealing.chain(f"{day}/{path.stem}", path)
            writers[path.stem] = [sizes.get(path.stem, 0), chain.rows, chain.count, chain.head.hex()]
        content = {"site": key.terms.site, "at": moment(now), "writers": writers, "tags": digest_of(directory)}
        self._ledger.state(DAY, str(day), content)
        self._sealing.settle(day)
        return True

    def _is_over(self, day: Day, now: float) -> bool:
        terms = self._keys.terms(day)
        return terms is not None and not self._keys.is_destroyed(day) and _end(day, terms) <= now

    def _sizes(self, day: Day) -> dict[str, int]:
        return {path.stem: path.stat().st_size for path in segments_in(day.within(self._directory))}


def summary_of(directory: Path, key: DayKey, breathe: Callable[[], None]) -> Summary:
    """Count a day's visits."""
    zone = ZoneInfo(key.terms.zone)
    counts = Counts(lambda time: datetime.fromtimestamp(time, zone).hour)
    rows = 0
    for path in segments_in(directory):
        with frames_of(path) as frames:
            for row in frames.rows(key):
                counts.add(Visit.decode(key.terms.site, row))
                rows += 1
                if not rows % 16:
                    breathe()
    told: dict[str, Any] = counts.told()
    day = key.day
    return Summary(site=key.terms.site, kind=day.kind, day=day.date.isoformat(), rows=rows, counts=told)


def _end(day: Day, terms: Terms) -> float:
    return begin_of(day.date + ONE_DAY, terms.zone)
