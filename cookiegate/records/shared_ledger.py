"""SharedLedger: the ledger of many machines, in their store. Triggers refuse all but additions.

As in `Ledger`, each entry comes with a statement, and statements are one chain, signed by the seal key of all hosts.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any

from cookiegate.errors import RecordsError
from cookiegate.records.entries import EXPIRED, SEALED, Access, Approval, Destruction, Statement, Summary, digest_of
from cookiegate.records.schema import ENTERING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.records.postgres import Connection, Database
    from cookiegate.records.vault import SealKey

    Signer = Callable[[], SealKey]

_OLD = 'SELECT id FROM cookiegate.access WHERE at COLLATE "C" < $1'


class SharedLedger:
    """As `Ledger`, in *database*. Every method raises RecordsError."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database, self._signer = database, signer

    def prepare(self) -> None:
        """Nothing: the tables are made with the connection, and a store that is away stops no start."""

    def add_destruction(self, entry: Destruction) -> None:
        """Enter that a day is destroyed; a day that is entered already stays as it is."""
        self._enter("destruction", asdict(entry))

    def begin_access(self, entry: Access) -> int:
        """Enter that somebody begins to read; return the entry's number."""
        return self._enter("access", {n: value for n, value in asdict(entry).items() if n not in {"rows", "damaged"}})

    def end_access(self, number: int, *, rows: int, damaged: int) -> None:
        """Enter how many rows that reading gave and how many damaged segments it met."""
        self._enter("access_end", {"access": number, "rows": rows, "damaged": damaged})

    def add_summary(self, entry: Summary) -> None:
        """Enter what was counted on a day; what was entered of as many rows stays."""
        self._enter("summary", {**asdict(entry), "counts": json.dumps(entry.counts)})

    def summaries(self) -> list[Summary]:
        """Return the last summary of every day, by day."""
        query = (
            "SELECT DISTINCT ON (day, site, kind) site, kind, day, rows, counts FROM cookiegate.summary "
            "ORDER BY day, site, kind, rows DESC"
        )
        return [Summary(**{**row, "counts": json.loads(row["counts"])}) for row in self._rows(query)]

    def state(self, what: str, about: str, content: Mapping[str, Any]) -> None:
        """Add a statement that stands for itself."""

        async def done(connection: Connection) -> None:
            async with connection.transaction():
                await _state(connection, self._signer, what, about, content)

        self._database.run(done)

    def statements(self, what: str = "", *, since: int = 1) -> list[Statement]:
        """Return every statement, or those of one kind, in order, from number *since* on."""
        query = (
            "SELECT number, what, about, content, before, signature FROM cookiegate.statement "
            "WHERE number >= $1 AND ($2 = '' OR what = $2) ORDER BY number"
        )
        return [Statement(**row) for row in self._rows(query, since, what)]

    def whole(self) -> tuple[dict[str, str], list[Statement]]:
        """Return every entry that needs a statement (its digest, and where it stands), and every statement."""

        async def asked(connection: Connection) -> tuple[dict[str, str], list[Statement]]:
            found = {}
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for table in SEALED:
                    rows = await connection.fetch(f"SELECT * FROM cookiegate.{table}")  # noqa: S608
                    for number, row in enumerate(rows, 1):
                        found[digest_of(table, dict(row))] = f"{table}, row {number}"
                rows = await connection.fetch("SELECT * FROM cookiegate.statement ORDER BY number")
            return found, [Statement(**dict(row)) for row in rows]

        return self._database.run(asked)

    def add_approval(self, entry: Approval) -> None:
        """Enter that somebody approved a destruction, before it happens."""
        self._enter("approval", {"at": entry.at, "who": entry.who, "days": json.dumps(entry.days)})

    def approvals(self) -> list[Approval]:
        """Return every approval, in order."""
        rows = self._rows("SELECT at, who, days FROM cookiegate.approval ORDER BY id")
        return [Approval(at=row["at"], who=row["who"], days=tuple(json.loads(row["days"]))) for row in rows]

    def expire_accesses(self, before: str) -> int:
        """Destroy the access records of the time before *before* (ISO 8601, UTC); return how many.

        Their digests are stated, so that verification tells this from a theft.
        """

        async def expired(connection: Connection) -> int:
            async with connection.transaction():
                old, digests = [row["id"] for row in await connection.fetch(_OLD, before)], []
                for table, column in (("access_end", "access"), ("access", "id")) if old else ():
                    await connection.execute(f"ALTER TABLE cookiegate.{table} DISABLE TRIGGER add_only")
                    query = f"DELETE FROM cookiegate.{table} WHERE {column} = ANY($1) RETURNING *"  # noqa: S608
                    digests += [digest_of(table, dict(row)) for row in await connection.fetch(query, old)]
                    await connection.execute(f"ALTER TABLE cookiegate.{table} ENABLE TRIGGER add_only")
                with suppress(RecordsError, OSError):  # as in `enter`
                    if old:
                        content = {"before": before, "digests": digests}
                        await _state(connection, self._signer, EXPIRED, "access", content)
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

    def _enter(self, table: str, row: dict[str, Any]) -> int:
        async def done(connection: Connection) -> int:
            async with connection.transaction():
                return await enter(connection, self._signer, table, row)

        return self._database.run(done)

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async def asked(connection: Connection) -> list[dict[str, Any]]:
            return [dict(row) for row in await connection.fetch(query, *values)]

        return self._database.run(asked)


async def enter(connection: Connection, signer: Signer, table: str, row: dict[str, Any]) -> int:
    """Add an entry and its statement, in the caller's transaction, unless it is there; return its number, if any."""
    holes = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    query = f"INSERT INTO cookiegate.{table} ({', '.join(row)}) VALUES ({holes}) ON CONFLICT DO NOTHING RETURNING *"  # noqa: S608
    kept = await connection.fetchrow(query, *row.values())
    if kept is None:
        return 0
    with suppress(RecordsError, OSError):  # a lost seal key stops no destruction: `verify` tells of the entry
        await _state(connection, signer, "entry", table, {"digest": digest_of(table, dict(kept))})
    return int(kept.get("id", 0))


async def _state(connection: Connection, signer: Signer, what: str, about: str, content: Mapping[str, Any]) -> None:
    key = signer()
    await connection.execute("SELECT pg_advisory_xact_lock($1)", ENTERING)
    last = await connection.fetchrow("SELECT * FROM cookiegate.statement ORDER BY number DESC LIMIT 1")
    statement = Statement.after(Statement(**dict(last)) if last else None, what, about, content, key)
    await connection.execute("INSERT INTO cookiegate.statement VALUES ($1, $2, $3, $4, $5, $6)", *astuple(statement))
