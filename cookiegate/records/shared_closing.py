"""SharedClosing: a day of many machines that is over gets its summary, and one statement over all writers of all hosts.

Any host does it, one at a time. It searches no tag file: the store has an index. What comes later, from a host that
was away, closes the day once more.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cookiegate.errors import RecordsError
from cookiegate.records.closing import CLOSED_AFTER, LATE
from cookiegate.records.day import ONE_DAY, VISITS, Day, begin_of
from cookiegate.records.entries import DAY, Summary, moment
from cookiegate.records.heads import Heads
from cookiegate.records.schema import CLOSING
from cookiegate.records.seal import NOTHING, Seal
from cookiegate.records.sealing import segment_of
from cookiegate.records.summary import Counts
from cookiegate.records.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cookiegate.records.day import Terms
    from cookiegate.records.heads import Head
    from cookiegate.records.keys import Keys
    from cookiegate.records.postgres import Connection, Database
    from cookiegate.records.shared_days import SharedDays
    from cookiegate.records.shared_ledger import SharedLedger
    from cookiegate.records.shipped import Shipped

_LAST = """
SELECT DISTINCT ON (writer.writer) writer.writer, shipped, frames, content FROM cookiegate.day
JOIN cookiegate.writer ON writer.day = id LEFT JOIN cookiegate.seal USING (day, writer)
WHERE kind = $1 AND folder = $2 AND date = $3 AND NOT destroyed AND shipped > 0 ORDER BY writer.writer, number DESC
"""
_THAT = """
SELECT writer, content FROM cookiegate.seal JOIN cookiegate.day ON seal.day = id
JOIN unnest($4::bytea[], $5::int[]) AS known (writer, number) USING (writer, number)
WHERE kind = $1 AND folder = $2 AND date = $3
"""


@dataclass(frozen=True, slots=True)
class Last:
    """Of one writer: bytes and rows in the store, how many seals there are, and the hash of the last."""

    size: int
    rows: int
    count: int
    head: bytes


class SharedClosing:
    """Methods raise OSError and RecordsError."""

    def __init__(
        self,
        directory: Path,
        keys: Keys,
        database: Database,
        ledger: SharedLedger,
        days: SharedDays,
        shipped: Shipped,
    ) -> None:
        self._directory, self._keys, self._database = directory, keys, database
        self._ledger, self._days, self._shipped = ledger, days, shipped
        self._closed: dict[str, dict[str, int]] = {}  # by day, what was closed: bytes of each writer
        self._read = 0  # the last statement that told of it

    def close(self, now: float, breathe: Callable[[], None]) -> list[Day]:
        """Close the days that are over, and return them. Where another host does it, none."""
        done, cut = [], []
        with self._alone() as alone:
            for day, terms in self.open_days(now).items() if alone else ():
                writers = self.last(day)
                if writers is None or self._is_cut(day):
                    cut.append(str(day))
                elif writers:  # otherwise it was destroyed just now
                    self._close(day, terms, writers, now, breathe)
                    done.append(day)
        if cut:
            raise RecordsError(f"The seals of {', '.join(cut)} are not those that were made. Run: cookiegate verify")
        return done

    def open_days(self, now: float, *, late: float = CLOSED_AFTER) -> dict[Day, Terms]:
        """Return the days that ended *late* seconds ago and are not closed, or got rows since; oldest first."""
        self._follow()
        known, sizes_of = self._days.terms(), self._database.run(_sizes)
        found = {}
        for day in sorted(known):
            ends = [begin_of(day.date + ONE_DAY, terms.zone) for terms in known[day]]
            over = max(ends) <= now - late and not self._keys.is_destroyed(day)
            if over and sizes_of.get(day, {}) != self._closed.get(str(day), {}):
                found[day] = known[day][0]
        return found

    def late(self, now: float) -> tuple[str, ...]:
        """Return the days that ended more than a day ago and are not closed."""
        return tuple(map(str, self.open_days(now, late=LATE)))

    def _follow(self) -> None:
        for statement in self._ledger.statements(DAY, since=self._read + 1):
            sizes = {writer: facts[0] for writer, facts in statement.values["writers"].items()}
            self._closed[statement.about], self._read = sizes, statement.number

    def _close(self, day: Day, terms: Terms, writers: dict[str, Last], now: float, breathe: Callable[[], None]) -> None:
        if day.kind == VISITS:
            self._ledger.add_summary(self._summary(day, terms, breathe))
        facts = {name: [last.size, last.rows, last.count, last.head.hex()] for name, last in writers.items()}
        self._ledger.state(DAY, str(day), {"site": terms.site, "at": moment(now), "writers": facts, "tags": ""})

    def last(self, day: Day) -> dict[str, Last] | None:
        """Return how far each writer of a day has come in the store; ``None`` where a last seal is not that of rows."""

        async def asked(connection: Connection) -> list[Any]:
            found: list[Any] = await connection.fetch(_LAST, day.kind, day.folder, day.date)
            return found

        found = {}
        for row in self._database.run(asked):
            read = Seal.read(row["content"] or b"", 0)
            if read is None or read[0].end != row["shipped"]:
                return None
            found[row["writer"].hex()] = Last(row["shipped"], row["frames"], read[0].number, read[0].head)
        return found

    def heads(self) -> dict[str, Head]:
        """Return the last seal of every writer of the days that are not closed as they are, by its place."""
        self._follow()
        known = self._database.run(_sizes)
        days = [day for day, sizes in known.items() if sizes != self._closed.get(str(day), {})]
        found = {}
        for day in days:
            for writer, last in (self.last(day) or {}).items():
                found[f"{day}/{writer}"] = (last.count, last.head)
        return found

    def _is_cut(self, day: Day) -> bool:
        """Whether the store lacks a seal that this host made, and that does not wait here to be shipped."""
        heads = {
            place.rpartition("/")[2]: head
            for place, head in Heads.load(self._keys.heads).writers.items()
            if place.startswith(f"{day}/") and not segment_of(self._directory, place).exists()
        }
        writers, numbers = [bytes.fromhex(name) for name in heads], [count for count, _ in heads.values()]

        async def asked(connection: Connection) -> list[Any]:
            found: list[Any] = await connection.fetch(_THAT, day.kind, day.folder, day.date, writers, numbers)
            return found

        read = {row["writer"].hex(): Seal.read(row["content"], 0) for row in self._database.run(asked)}
        there = {name: one[0].head if one else NOTHING for name, one in read.items()}
        return there != {name: head for name, (_, head) in heads.items()}

    def _summary(self, day: Day, terms: Terms, breathe: Callable[[], None]) -> Summary:
        zone = ZoneInfo(terms.zone)
        counts = Counts(lambda time: datetime.fromtimestamp(time, zone).hour)
        rows = 0
        with self._shipped.open(day, None) as writers:
            for writer in writers:
                for row in writer:
                    counts.add(Visit.decode(terms.site, row))
                    rows += 1
                    if not rows % 16:
                        breathe()
        return Summary(site=terms.site, kind=day.kind, day=day.date.isoformat(), rows=rows, counts=counts.told())

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Hold the lock of those who close, if it is free; a connection that breaks gives it up."""

        async def asked(connection: Connection) -> bool:
            return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", CLOSING))

        async def ended(connection: Connection) -> None:
            await connection.execute("SELECT pg_advisory_unlock($1)", CLOSING)

        alone = self._database.run(asked)
        try:
            yield alone
        finally:
            if alone:
                self._database.run(ended)


async def _sizes(connection: Connection) -> dict[Day, dict[str, int]]:
    """Return the bytes of every writer of the days that live."""
    query = (
        "SELECT kind, folder, date, writer, shipped FROM cookiegate.day JOIN cookiegate.writer ON day = id "
        "WHERE NOT destroyed AND shipped > 0"
    )
    found: dict[Day, dict[str, int]] = {}
    for row in await connection.fetch(query):
        found.setdefault(Day(row["date"], row["folder"], row["kind"]), {})[row["writer"].hex()] = row["shipped"]
    return found
