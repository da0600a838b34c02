"""SharedLedger: the ledger of many machines, in their store. Triggers refuse all but additions."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from cookiegate.records.ledger import Access, Approval, Destruction

if TYPE_CHECKING:
    from cookiegate.records.postgres import Connection, Database

_OLD = 'SELECT id FROM cookiegate.access WHERE at COLLATE "C" < $1'
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
                "INSERT INTO cookiegate.access (at, who, why, site, kind, first, last, sought, place, whose) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
                *astuple(entry)[:10],
            )
        )

    def end_access(self, number: int, *, rows: int, damaged: int) -> None:
        """Enter how many rows that reading gave and how many damaged segments it met."""
        self._value("INSERT INTO cookiegate.access_end VALUES ($1, $2, $3) RETURNING 1", number, rows, damaged)

    def add_approval(self, entry: Approval) -> None:
        """Enter that somebody approved a destruction, before it happens."""
        query = "INSERT INTO cookiegate.approval (at, who, days) VALUES ($1, $2, $3) RETURNING 1"
        self._value(query, entry.at, entry.who, json.dumps(entry.days))

    def approvals(self) -> list[Approval]:
        """Return every approval, in order."""
        rows = self._rows("SELECT at, who, days FROM cookiegate.approval ORDER BY id")
        return [Approval(at=row["at"], who=row["who"], days=tuple(json.loads(row["days"]))) for row in rows]

    def expire_accesses(self, before: str) -> int:
        """Destroy the access records of the time before *before* (ISO 8601, UTC); return how many."""

        async def expired(connection: Connection) -> int:
            async with connection.transaction():
                old = [row["id"] for row in await connection.fetch(_OLD, before)]
                for table, column in (("access_end", "access"), ("access", "id")) if old else ():
                    await connection.execute(f"ALTER TABLE cookiegate.{table} DISABLE TRIGGER add_only")
                    await connection.execute(f"DELETE FROM cookiegate.{table} WHERE {column} = ANY($1)", old)  # noqa: S608
                    await connection.execute(f"ALTER TABLE cookiegate.{table} ENABLE TRIGGER add_only")
            return len(old)

        return self._database.run(expired)

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
            "SELECT at, who, why, site, kind, first, last, sought, place, whose, rows, damaged "
            "FROM cookiegate.access LEFT JOIN cookiegate.access_end ON access_end.access = access.id ORDER BY id"
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
