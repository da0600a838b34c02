"""Arriving: how a batch of frames gets into the store, and how far each segment has come there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cookiegate.records.postgres import Connection

PUT_SEAL = "INSERT INTO cookiegate.seal VALUES ($1, $2, $3, $4)"
PUT_SEAL_AGAIN = f"{PUT_SEAL} ON CONFLICT DO NOTHING"
COLUMNS = ("day", "writer", "seq", "address", "consent", "frame")

Row = tuple[int, bytes, int, int, int, bytes]


class Progress(NamedTuple):
    """Of one segment: bytes that are in the store, and the frames among them."""

    shipped: int = 0
    frames: int = 0
    damaged: int = 0


@dataclass(slots=True)
class Batch:
    """Frames of one day, from any of its segments, with their seals, and how far each segment comes with them."""

    rows: list[Row] = field(default_factory=list)
    seals: list[tuple[int, bytes, int, bytes]] = field(default_factory=list)  # day, writer, number, content
    before: dict[bytes, Progress] = field(default_factory=dict)
    after: dict[bytes, Progress] = field(default_factory=dict)


async def copy(connection: Connection, rows: list[Row]) -> None:
    """Add rows of which none is there yet, the fast way."""
    await connection.copy_records_to_table("frame", schema_name="cookiegate", columns=COLUMNS, records=rows)


async def put_again(connection: Connection, rows: list[Row]) -> None:
    """Add rows of which some may be there."""
    await connection.execute(
        "INSERT INTO cookiegate.frame SELECT * FROM "
        "unnest($1::int[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[]) "
        "ON CONFLICT (day, writer, seq) DO NOTHING",
        *map(list, zip(*rows, strict=True)),
    )


async def progress_of(
    connection: Connection, number: int, writers: list[bytes], *, lock: bool = False
) -> dict[bytes, Progress]:
    query = "SELECT writer, shipped, frames, damaged FROM cookiegate.writer WHERE day = $1 AND writer = ANY($2)"
    rows = await connection.fetch(f"{query} FOR UPDATE" if lock else query, number, writers)
    found = {row["writer"]: Progress(row["shipped"], row["frames"], row["damaged"]) for row in rows}
    return {writer: found.get(writer, Progress()) for writer in writers}
