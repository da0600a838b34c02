"""Shipped: the store of many machines, to be read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cookiegate.records.segment import Frames
from cookiegate.records.vault import TAG_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.records.day import Day
    from cookiegate.records.keys import Keys
    from cookiegate.records.postgres import Connection, Database
    from cookiegate.records.store import Rows, Sought
    from cookiegate.records.vault import DayKey

ROWS = 20_000  # that all writers of a day together read ahead
_DAY = "(SELECT id FROM cookiegate.day WHERE kind = $1 AND folder = $2 AND date = $3 AND NOT destroyed)"


class Shipped:
    """What is in *database*; nothing of it is held while somebody reads, so a long reading stops no destruction."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database, self._keys = database, keys

    def size(self, day: Day) -> int:
        """Return how many bytes of segments were shipped."""

        async def asked(connection: Connection) -> int:
            query = f"SELECT coalesce(sum(shipped), 0)::bigint FROM cookiegate.writer WHERE day = {_DAY}"  # noqa: S608
            return int(await connection.fetchval(query, day.kind, day.folder, day.date))

        return self._database.run(asked)

    @contextmanager
    def open(self, day: Day, sought: Sought | None) -> Iterator[list[Rows]]:
        """Open the day's keys, and list its writers."""
        keys, writers = self._database.run(lambda connection: self._contents(connection, day))
        opened = {name: self._keys.opened(day, content) for name, content in keys.items()}
        found: Found | None = None
        if sought is not None:
            tags = [key.tag(value) for key in opened.values() if key for value in sought.values(key)]
            place = "consent" if sought.by_consent else "address"
            found = self._database.run(lambda connection: self._found(connection, day, place, tags))
        page = max(50, ROWS // max(1, len(writers)))
        yield [
            ShippedRows(
                row["writer"], key, self._database, number=row["day"], damaged=bool(row["damaged"]), page=page,
                found=found,
            )
            for row in writers
            if (key := opened.get(row["key"]))
        ]  # fmt: skip

    async def _contents(self, connection: Connection, day: Day) -> tuple[dict[bytes, bytes], list[dict[str, Any]]]:
        which = (day.kind, day.folder, day.date)
        keys = await connection.fetch(f"SELECT name, content FROM cookiegate.day_key WHERE day = {_DAY}", *which)  # noqa: S608
        query = f"SELECT day, writer, key, damaged FROM cookiegate.writer WHERE day = {_DAY} ORDER BY writer"  # noqa: S608
        writers = [dict(row) for row in await connection.fetch(query, *which)]
        return {row["name"]: row["content"] for row in keys}, writers

    async def _found(self, connection: Connection, day: Day, place: str, tags: list[bytes]) -> Found:
        """Return who wrote what is sought; the rows themselves, which may be many, come page by page."""
        numbers = [int.from_bytes(tag[:TAG_BYTES], "little", signed=True) for tag in tags]
        number = await connection.fetchval(_DAY, day.kind, day.folder, day.date)
        rows = await connection.fetch(
            f"SELECT DISTINCT writer FROM cookiegate.frame WHERE day = $1 AND {place} = ANY($2)",  # noqa: S608
            *(number, numbers),
        )
        return Found(place, numbers, frozenset(row["writer"] for row in rows))


@dataclass(frozen=True, slots=True)
class Found:
    """The *writers* that have any of *tags* at *place*, a column."""

    place: str
    tags: list[int]
    writers: frozenset[bytes]


@dataclass(slots=True)
class ShippedRows:
    """See `Rows`; *found* narrows them, or is ``None`` where all are wanted; they come *page* by page."""

    writer: bytes
    key: DayKey
    database: Database
    number: int
    damaged: bool
    page: int
    found: Found | None

    def __iter__(self) -> Iterator[bytes]:
        if self.found and self.writer not in self.found.writers:
            return
        for frames in self._pages():
            opened = Frames(b"".join(frames), self.writer)
            yield from opened.rows(self.key)
            self.damaged |= bool(opened.damage)

    def _pages(self) -> Iterator[list[bytes]]:
        last, full = -1, True
        while full:
            rows = self.database.run(lambda connection, last=last: self._after(connection, last))  # type: ignore[misc]
            full = len(rows) == self.page
            if rows:
                last = rows[-1][0]
                yield [frame for _, frame in rows]

    async def _after(self, connection: Connection, last: int) -> list[tuple[int, bytes]]:
        narrowed = f" AND {self.found.place} = ANY($5)" if self.found else ""
        rows = await connection.fetch(
            "SELECT seq, frame FROM cookiegate.frame WHERE day = $1 AND writer = $2 AND seq > $3"  # noqa: S608
            f"{narrowed} ORDER BY seq LIMIT $4",
            *(self.number, self.writer, last, self.page, *([self.found.tags] if self.found else [])),
        )
        return [(row["seq"], row["frame"]) for row in rows]
