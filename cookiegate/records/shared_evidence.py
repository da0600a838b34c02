"""SharedEvidence: the sealed rows in the store of many machines, to be verified, one writer of one day at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cookiegate.records.day import Day
from cookiegate.records.evidence import Sealed
from cookiegate.records.segment import AT_NUMBER, MAX_FRAME, Frames, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cookiegate.records.postgres import Connection, Database

ROWS = 10_000  # in one answer
_NUMBER = "SELECT id FROM cookiegate.day WHERE kind = $1 AND folder = $2 AND date = $3 AND NOT destroyed"
# Every writer that has anything; of the rows, which are many, one look for each writer.
_WRITERS = """
WITH RECURSIVE found AS (
    (SELECT writer FROM cookiegate.frame WHERE day = $1 ORDER BY writer LIMIT 1)
    UNION ALL
    SELECT (SELECT writer FROM cookiegate.frame WHERE day = $1 AND writer > found.writer ORDER BY writer LIMIT 1)
    FROM found WHERE found.writer IS NOT NULL
)
SELECT writer FROM found WHERE writer IS NOT NULL
UNION SELECT writer FROM cookiegate.writer WHERE day = $1
UNION SELECT writer FROM cookiegate.seal WHERE day = $1 AND number = 1 ORDER BY 1
"""
_SEALS = "SELECT content FROM cookiegate.seal WHERE day = $1 AND writer = $2 ORDER BY number"
_ROWS = f"""
SELECT seq, address, consent, substr(frame, 1, {MAX_FRAME + 1}) AS frame FROM cookiegate.frame
WHERE day = $1 AND writer = $2 AND seq > $3 ORDER BY seq LIMIT $4
"""  # noqa: S608


class SharedEvidence:
    """See `Evidence`: what is in *database*. A writer's rows are held as a whole: those of one segment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def days(self) -> list[Day]:
        """See `Evidence`."""

        async def asked(connection: Connection) -> list[Day]:
            rows = await connection.fetch("SELECT kind, folder, date FROM cookiegate.day WHERE NOT destroyed")
            return sorted(Day(row["date"], row["folder"], row["kind"]) for row in rows)

        return self._database.run(asked)

    def size(self, day: Day) -> int:
        """See `Evidence`."""

        async def asked(connection: Connection) -> int:
            query = f"SELECT coalesce(sum(shipped), 0)::bigint FROM cookiegate.writer WHERE day = ({_NUMBER})"  # noqa: S608
            return int(await connection.fetchval(query, day.kind, day.folder, day.date))

        return self._database.run(asked)

    def of(self, day: Day) -> Iterator[Sealed]:
        """See `Evidence`."""

        async def asked(connection: Connection) -> list[bytes]:
            number = await connection.fetchval(_NUMBER, day.kind, day.folder, day.date)
            return [row["writer"] for row in await connection.fetch(_WRITERS, number)]

        for writer in self._database.run(asked):
            found = self._database.run(lambda connection, writer=writer: self._read(connection, day, writer))  # type: ignore[misc]
            if found:
                yield found

    async def _read(self, connection: Connection, day: Day, writer: bytes) -> Sealed | None:
        """Return a writer's seals and rows as of one moment; ``None`` if the day is destroyed."""
        pieces: list[bytes] = []
        misplaced = None
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            number = await connection.fetchval(_NUMBER, day.kind, day.folder, day.date)
            if number is None:
                return None
            seals = b"".join([row["content"] for row in await connection.fetch(_SEALS, number, writer)])
            last, full = -1, True
            while full:
                rows = await connection.fetch(_ROWS, number, writer, last, ROWS)
                misplaced = len(pieces) + wrong if misplaced is None and (wrong := _misplaced(rows)) >= 0 else misplaced
                pieces += [row["frame"] for row in rows]
                full = len(rows) == ROWS
                last = rows[-1]["seq"] if rows else last
        frames = Frames(b"".join(pieces), writer)
        return Sealed(day, writer.hex(), seals, frames, complete=True, misplaced=misplaced)


def _misplaced(rows: Sequence[Any]) -> int:
    """Return the first row that is no frame, or is not under its number and tags; -1 if all are."""
    for place, row in enumerate(rows):
        frame: bytes = row["frame"]
        if len(frame) < AT_NUMBER + 8 or int.from_bytes(frame[:4], "little") != len(frame):
            return place
        number = int.from_bytes(frame[AT_NUMBER : AT_NUMBER + 8], "little")
        if (number, *tags_of(frame)) != (row["seq"], row["address"], row["consent"]):
            return place
    return -1
