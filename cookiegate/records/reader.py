"""Reading: the rows of some days, oldest first, found again by address or consent id."""

from __future__ import annotations

import heapq
from contextlib import ExitStack
from operator import attrgetter
from typing import TYPE_CHECKING

from cookiegate.address import plain, prefix_of
from cookiegate.records.day import MISUSE
from cookiegate.records.segment import AT_ADDRESS, AT_CONSENT, frames_of, segments_in
from cookiegate.records.visit import Misuse, Visit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.segment import Frames
    from cookiegate.records.vault import DayKey

    Row = Visit | Misuse


class Reading:
    """Rows to iterate over once. *done* of *total* bytes are read, *rows* given, *damaged* segments ended early.

    Iterating raises RecordsError where a key does not open, OSError where a file cannot be read.
    """

    def __init__(
        self,
        directory: Path,
        keys: Keys,
        ledger: Ledger,
        days: Sequence[Day],
        *,
        site: str,
        access: int,
        address: str,
        consent_id: str,
    ) -> None:
        self._keys, self._ledger, self._access = keys, ledger, access
        self._site, self._address, self._consent_id = site, plain(address), consent_id
        self._days = [(day, segments_in(day.within(directory))) for day in days]
        self.total = sum(path.stat().st_size for _, paths in self._days for path in paths)
        self.done = self.rows = self.damaged = 0

    def __iter__(self) -> Iterator[Row]:
        try:
            for row in self._once(self._all()):
                self.rows += 1
                yield row
        finally:
            self._ledger.end_access(self._access, rows=self.rows, damaged=self.damaged)

    def _all(self) -> Iterator[Row]:
        for day, paths in self._days:
            key = self._keys.find(day)
            if key is None:  # destroyed meanwhile
                continue
            with ExitStack() as files:
                segments = [self._rows(files.enter_context(frames_of(path)), key) for path in paths]
                yield from heapq.merge(*segments, key=attrgetter("time"))
            self.done += sum(path.stat().st_size for path in paths if path.exists())

    def _rows(self, frames: Frames, key: DayKey) -> Iterator[Row]:
        row_type = Misuse if key.day.kind == MISUSE else Visit
        for row in self._sought(frames, key):
            decoded = row_type.decode(self._site, row)
            if self._wanted(decoded, key):
                yield decoded
        self.damaged += bool(frames.damage)

    def _sought(self, frames: Frames, key: DayKey) -> Iterator[bytes]:
        if self._address:
            for form in self._forms(key):
                yield from frames.tagged(key, key.tag(form), AT_ADDRESS)
        elif self._consent_id:
            yield from frames.tagged(key, key.tag(self._consent_id), AT_CONSENT)
        else:
            yield from frames.rows(key)

    def _wanted(self, row: Row, key: DayKey) -> bool:
        """A tag is eight bytes: what it found is looked at once more."""
        stored = row.prefix if isinstance(row, Misuse) else row.address
        consent_id = "" if isinstance(row, Misuse) else row.consent_id
        by_address = not self._address or stored in self._forms(key)
        return by_address and (not self._consent_id or consent_id == self._consent_id)

    def _forms(self, key: DayKey) -> set[str]:
        """What the address may have been stored as: full, truncated, keyed."""
        return {self._address, prefix_of(self._address), key.pseudonym(self._address)} - {""}

    def _once(self, rows: Iterator[Row]) -> Iterator[Row]:
        """One misuse a minute, though several workers saw it; one row a request, though a stream has two."""
        begun: dict[int, Visit] = {}
        minute, seen = 0, set[Misuse]()
        for row in rows:
            if isinstance(row, Misuse):
                if row.time != minute:
                    minute, seen = row.time, set()
                if row not in seen:
                    seen.add(row)
                    yield row
            elif row.finished:
                begun.pop(row.stream, None)
                yield row
            else:
                begun[row.stream] = row
        yield from begun.values()
