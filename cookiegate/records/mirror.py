"""Mirror: the store's wrapped day keys, copied to each host, so that a store put back from an older copy opens again.

A copy of the store is wrapped by the inner key of its own time; once a destruction has turned that, no key opens the
copy's keys any more, those of living days neither. The mirror has them as they are wrapped now. It is as safe to
keep as the store itself: without the inner key it opens nothing.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from cookiegate.records import disk
from cookiegate.records.schema import TURNING

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records.postgres import Connection


class Mirror:
    """The file *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def turn(self) -> int:
        """The turn of the inner key at which it was taken; -1 if there is none."""
        return int(self._read().get("turn", -1))

    async def take(self, connection: Connection) -> None:
        """Copy how the store stands."""
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            fleet = await connection.fetchrow("SELECT turn, generation FROM cookiegate.fleet")
            marks = await connection.fetch(
                "SELECT kind, folder, least(date, '9999-12-31') AS date FROM cookiegate.destroyed_until"
            )
            keys = await connection.fetch(
                "SELECT kind, folder, date, name, content FROM cookiegate.day JOIN cookiegate.day_key ON day = id"
            )
        content = {
            "turn": fleet["turn"],
            "generation": fleet["generation"],
            "marks": [[mark["kind"], mark["folder"], mark["date"].isoformat()] for mark in marks],
            "keys": [
                [row["kind"], row["folder"], row["date"].isoformat(), row["name"].hex(), row["content"].hex()]
                for row in keys
            ],
        }
        disk.replace(self._path, json.dumps(content).encode())

    async def put_back(self, connection: Connection) -> None:
        """Bring a store that is older to where this mirror stands; what was destroyed since is destroyed in it."""
        kept = self._read()
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", TURNING)
            if await connection.fetchval("SELECT turn FROM cookiegate.fleet") >= kept["turn"]:
                return  # another host was faster
            await connection.execute(
                "UPDATE cookiegate.fleet SET turn = $1, generation = $2", kept["turn"], kept["generation"]
            )
            for kind, folder, until in kept["marks"]:
                which = (kind, folder, date.fromisoformat(until))
                await connection.execute(
                    "INSERT INTO cookiegate.destroyed_until VALUES ($1, $2, $3) "
                    "ON CONFLICT (kind, folder) DO UPDATE SET date = EXCLUDED.date",
                    *which,
                )
                await connection.execute(
                    "UPDATE cookiegate.day SET destroyed = true WHERE kind = $1 AND folder = $2 AND date <= $3", *which
                )
            await connection.execute("DELETE FROM cookiegate.day_key")
            await connection.executemany(
                "INSERT INTO cookiegate.day_key SELECT id, $4, $5 FROM cookiegate.day "
                "WHERE kind = $1 AND folder = $2 AND date = $3 AND NOT destroyed",
                [
                    (kind, folder, date.fromisoformat(day), bytes.fromhex(name), bytes.fromhex(content))
                    for kind, folder, day, name, content in kept["keys"]
                ],
            )

    def _read(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found
