"""Reading: the rows of some days, oldest first, found again by address or consent id."""

from __future__ import annotations

import heapq
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from cookiegate.address import plain, prefix_of
from cookiegate.records.day import MISUSE
from cookiegate.records.store import Sought
from cookiegate.records.visit import Misuse, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cookiegate.records.day import Day
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.shared_ledger import SharedLedger
    from cookiegate.records.store import Rows, Store
    from cookiegate.records.vault import DayKey

    Row = Visit | Misuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What else narrows a reading: *sought* names it, with whose it is where it is somebody's; *fits* decides."""

    sought: dict[str, str]
    fits: Callable[[Row], bool]


class Reading:
    """Rows to iterate over once. *done* of *total* bytes are read, *rows* given, *damaged* segments ended early.

    What is in several *stores* is read from the first of them that has it: files before what was shipped, so that
    what is shipped meanwhile is neither missed nor given twice. Iterating raises RecordsError where a key does not
    open, OSError where a file cannot be read.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        ledger: Ledger | SharedLedger,
        days: Sequence[Day],
        *,
        site: str,
        access: int,
        address: str,
        consent_id: str,
        fits: Callable[[Row], bool] | None = None,
    ) -> None:
        self._stores, self._ledger, self._access = stores, ledger, access
        self._site, self._address, self._consent_id = site, plain(address), consent_id
        self._fits = fits or (lambda _: True)
        self._days = [(day, sum(store.size(day) for store in stores)) for day in days]
        self.total = sum(size for _, size in self._days)
        self.done = self.rows = self.damaged = 0

    def __iter__(self) -> Iterator[Row]:
        try:
            for row in filter(self._fits, self._once(self._all())):
                self.rows += 1
                yield row
        finally:
            self._ledger.end_access(self._access, rows=self.rows, damaged=self.damaged)

    def _all(self) -> Iterator[Row]:
        for day, size in self._days:
            with ExitStack() as opened:
                writers: dict[bytes, Rows] = {}
                for store in self._stores:
                    for rows in opened.enter_context(store.open(day, self._sought)):
                        writers.setdefault(rows.writer, rows)
                each = [self._rows(rows, day) for rows in writers.values()]
                yield from heapq.merge(*each, key=attrgetter("time"))
            self.done += size

    def _rows(self, rows: Rows, day: Day) -> Iterator[Row]:
        row_type = Misuse if day.kind == MISUSE else Visit
        for row in rows:
            decoded = row_type.decode(self._site, row)
            if self._wanted(decoded, rows.key):
                yield decoded
        self.damaged += rows.damaged

    @property
    def _sought(self) -> Sought | None:
        if self._address:
            return Sought(self._forms)
        return Sought(lambda _: [self._consent_id], by_consent=True) if self._consent_id else None

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
