"""Writer: the segments that one process has open, so that a row finds its day."""

from __future__ import annotations

import os
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records.day import ONE_DAY, Day, begin_of, date_at, folder_of
from cookiegate.records.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cookiegate.records.day import Terms
    from cookiegate.records.keys import Keys
    from cookiegate.records.vault import DayKey

    Frame = tuple[bytes, bytes, bytes]  # row, tag of the address, tag of the consent id

DAYS_OPEN = 3  # today, and yesterday for requests that began before midnight; one more for a clock that steps
MISUSES_A_MINUTE = 1024  # per process; a flood must not fill memory or disk
PAUSE = 1.0  # seconds in which a directory that refused a segment is not asked again


@dataclass(frozen=True, slots=True)
class Slot:
    """An open segment for rows with *begin* ≤ time < *end* (seconds since 1970, UTC)."""

    begin: float
    end: float
    segment: Segment


class Writer:
    """All that one process has open for writing. A child after fork makes its own.

    Any thread may call it. *kept* and *lost* count rows; *folded* the misuses beyond a minute's limit; *fault*
    says what went wrong last, and is empty when the last row of every kind and site was kept.
    """

    def __init__(self, directory: Path, keys: Keys, *, strict: bool) -> None:
        self.pid = os.getpid()
        self.kept = self.lost = self.folded = 0
        self._faults: dict[tuple[str, str], str] = {}  # by kind and site
        self._directory, self._keys, self._strict = directory, keys, strict
        self._lock = Lock()
        self._syncing = Lock()
        self._slots: dict[tuple[str, str], list[Slot]] = {}
        self._retired: list[Segment] = []
        self._refused: dict[tuple[str, str], float] = {}
        self._minute = 0
        self._seen: set[tuple[str, str, str]] = set()

    def keep(self, kind: str, terms: Terms, time: float, frame: Callable[[DayKey], Frame]) -> None:
        """Append the row that *frame* makes with its day's key. When this returns, it is kept, exactly once.

        Raises:
            RecordsError: it is not kept, and counted in *lost*.
        """
        with self._lock:
            try:
                self._append(kind, terms, time, frame)
            except (OSError, RecordsError) as fault:
                self.lost += 1
                self._faults[kind, terms.site] = str(fault)
                raise RecordsError(f"A record was not kept: {fault}") from fault
            self.kept += 1
            if self._faults:
                self._faults.pop((kind, terms.site), None)

    @property
    def fault(self) -> str:
        """See above."""
        return next(reversed(tuple(self._faults.values())), "")

    def first_this_minute(self, minute: int, site: str, what: str, prefix: str) -> bool:
        """Whether a misuse is to be recorded: the first of its kind and prefix in the minute, below the limit."""
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._seen.clear()
            known = (site, what, prefix) in self._seen
            full = len(self._seen) >= MISUSES_A_MINUTE
            self.folded += full and not known
            if not full:
                self._seen.add((site, what, prefix))
            return not known and not full

    def sync(self) -> None:
        """Put on stable storage what was appended since the last call. Never raises: what is in doubt is lost.

        A segment that another process removed is noticed here, and its rows since the last call are counted as lost:
        to look at every row would cost more than to encrypt it.
        """
        self.let_go()
        with self._syncing:
            with self._lock:
                retired, self._retired = self._retired, []
                living = [slot.segment for slots in self._slots.values() for slot in slots]
                batch = {segment: segment.unsynced for segment in [*living, *retired]}
                for segment in batch:
                    segment.unsynced = 0
            for segment, frames in batch.items():
                if frames:
                    self._sync_one(segment, frames)
            with self._lock:  # what could not be synced was retired again
                self._retired = [segment for segment in self._retired if segment not in retired]
            for segment in retired:
                segment.close()

    def let_go(self) -> None:
        """Write no more to what somebody removed: its day was destroyed."""
        with self._lock:
            for segment in [slot.segment for slots in self._slots.values() for slot in slots]:
                if segment.gone:
                    self._retire(segment)

    def roll(self, size: int) -> None:
        """Begin anew where a segment has *size* bytes, so that it can be moved away; the next sync closes it."""
        with self._lock:
            for slot in [slot for slots in self._slots.values() for slot in slots]:
                if slot.segment.size >= size:
                    self._retire(slot.segment)

    def close(self) -> None:
        """Sync and close every segment; a row after this opens new ones."""
        with self._lock:
            for kind in list(self._slots):
                self._retired += [slot.segment for slot in self._slots.pop(kind)]
        self.sync()

    def _sync_one(self, segment: Segment, frames: int) -> None:
        try:
            if segment.gone:
                raise RecordsError("somebody removed a segment that was being written.")
            segment.sync()
        except (OSError, RecordsError) as fault:
            with self._lock:
                self.lost += frames
                self.kept -= frames
                self._faults[segment.key.day.kind, segment.key.terms.site] = str(fault)
                self._retire(segment)

    def _append(self, kind: str, terms: Terms, time: float, frame: Callable[[DayKey], Frame]) -> None:
        for last_try in (False, True):
            segment = self._segment(kind, terms, time)
            try:
                return segment.append(*frame(segment.key))
            except OSError:
                if not segment.usable:
                    self._retire(segment)
                if last_try or segment.usable:
                    raise

    def _segment(self, kind: str, terms: Terms, time: float) -> Segment:
        slots = self._slots.setdefault((kind, terms.site), [])
        for place, slot in enumerate(slots):
            if slot.begin <= time < slot.end:
                if self._strict and slot.segment.gone:  # its day was destroyed while this process held it open
                    self._retire(slot.segment)
                    break
                if place:
                    slots.insert(0, slots.pop(place))
                return slot.segment
        slot = self._open(kind, terms, time)
        slots.insert(0, slot)
        for old in slots[DAYS_OPEN:]:
            self._retire(old.segment)
        return slot.segment

    def _open(self, kind: str, terms: Terms, time: float) -> Slot:
        """Open a segment on the row's own day, or, if that is destroyed, on the newest that lives."""
        place = (kind, terms.site)
        if place in self._refused and abs(time - self._refused[place]) < PAUSE:
            raise RecordsError(self._faults.get(place, ""))
        own = Day(date_at(time, terms.zone), folder_of(terms.site), kind)
        try:
            segment = self._begin(own, terms) or self._begin(self._keys.newest(own), terms)
            if segment is None:
                raise RecordsError(f"day {own} was destroyed while a record of it was being written.")
        except (OSError, RecordsError):
            self._refused[place] = time
            raise
        self._refused.pop(place, None)
        return Slot(begin_of(own.date, terms.zone), begin_of(own.date + ONE_DAY, terms.zone), segment)

    def _begin(self, day: Day, terms: Terms) -> Segment | None:
        key = self._keys.begin(day, terms)
        if key is None:
            return None
        segment = Segment(day.within(self._directory), key, strict=self._strict)
        if not self._keys.is_destroyed(day):
            return segment
        segment.close()  # its destruction came between; an empty segment leaves nothing behind
        return None

    def _retire(self, segment: Segment) -> None:
        """Write no more to it; the next sync closes it."""
        for slots in self._slots.values():
            living = [slot for slot in slots if slot.segment is not segment]
            if len(living) < len(slots):
                slots[:] = living
                self._retired.append(segment)
