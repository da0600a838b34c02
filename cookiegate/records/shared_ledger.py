"""SharedLedger: the ledger of many machines, in their store. Triggers refuse all but additions."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from cookiegate.records.ledger import Access, Destruction

if TYPE_CHECKING:
    from cookiegate.records.postgres import Connection, Database

ENTER = "INSERT INTO cookiegate.destruction VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"


class SharedLedger:
    """As `Ledger`, in *database*. Every method raises RecordsError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self) -> None:
        """Nothing: the tables are made with the connection, and a store that is away stops no start."""

    def add_destruction(self, entry: Destruction) -> None:
        """Enter that a day is destroyed; a day that is entered already stays as it is."""
        self._value(f"{ENTER} RETURNING 1", *astuple(entry))

    def begin_access(self, entry: Access) -> int:
        """Enter that somebody begins to read; return the entry's number."""
        return int(
            self._value(
                "INSERT INTO cookiegate.access (at, who, why, site, kind, first, last, sought) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
                *astuple(entry)[:8],
            )
        )

    def end_access(self, number: int, *, rows: int, damaged: int) -> None:
        """Enter how many rows that reading gave and how many damaged segments it met."""
        self._value("INSERT INTO cookiegate.access_end VALUES ($1, $2, $3) RETURNING 1", number, rows, damaged)

    def destructions(self) -> list[Destruction]:
        """Return every destruction, by day."""
        query = (
            "SELECT site, kind, day, at, retention, rule, frames, method FROM cookiegate.destruction "
            'ORDER BY day COLLATE "C", site COLLATE "C", kind COLLATE "C"'
        )
        return [Destruction(**row) for row in self._rows(query)]

    def accesses(self) -> list[Access]:
        """Return every access, in order."""
        query = (
            "SELECT at, who, why, site, kind, first, last, sought, rows, damaged FROM cookiegate.access "
            "LEFT JOIN cookiegate.access_end ON access_end.access = access.id ORDER BY id"
        )
        return [Access(**row) for row in self._rows(query)]

    def _value(self, query: str, *values: object) -> Any:
        async def asked(connection: Connection) -> Any:
            return await connection.fetchval(query, *values)

        return self._database.run(asked)

    def _rows(self, query: str) -> list[dict[str, Any]]:
        async def asked(connection: Connection) -> list[dict[str, Any]]:
            return [dict(row) for row in await connection.fetch(query)]

        return self._database.run(asked)
