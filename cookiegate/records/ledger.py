"""Ledger: small lasting records of what was destroyed, who read what, and counts. Nothing in it names a visitor.

One SQLite file with a rollback journal: SQLite 3.7.0 to 3.51.2 can corrupt a WAL database with several writers.
Entries are only ever added; triggers refuse anything else. Each comes with a statement, and statements are a chain,
signed: whoever changes an entry from outside, takes one away or slips one in is found out. (Only door to sqlite3.)
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.entries import EXPIRED, SEALED, Access, Approval, Destruction, Statement, Summary, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from cookiegate.records.vault import SealKey

PATIENCE = 10.0  # seconds to wait for another process's transaction

_TABLES = """
CREATE TABLE IF NOT EXISTS destruction (
    site TEXT NOT NULL, kind TEXT NOT NULL, day TEXT NOT NULL, at TEXT NOT NULL, retention TEXT NOT NULL,
    rule TEXT NOT NULL, frames INTEGER NOT NULL, method TEXT NOT NULL, PRIMARY KEY (site, kind, day)
) STRICT;
CREATE TABLE IF NOT EXISTS access (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, site TEXT NOT NULL,
    kind TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, sought TEXT NOT NULL, place TEXT NOT NULL,
    whose TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS access_end (
    access INTEGER PRIMARY KEY REFERENCES access, rows INTEGER NOT NULL, damaged INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS approval (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, days TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS summary (
    site TEXT NOT NULL, kind TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL, counts TEXT NOT NULL,
    PRIMARY KEY (site, kind, day, rows)
) STRICT;
CREATE TABLE IF NOT EXISTS statement (
    number INTEGER PRIMARY KEY, what TEXT NOT NULL, about TEXT NOT NULL, content TEXT NOT NULL, before BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
"""
_ADD_ONLY = """
CREATE TRIGGER IF NOT EXISTS {table}_{act} BEFORE {act} ON {table}
BEGIN SELECT RAISE(ABORT, 'the ledger is added to, never changed'); END;
"""


class Ledger:
    """The file *path*; each call is one short transaction of its own, so it may be shared and forked.

    *signer* returns the key that signs what is entered; it is asked at every entry.
    """

    def __init__(self, path: Path, signer: Callable[[], SealKey]) -> None:
        self._path, self._signer = path, signer

    def prepare(self) -> None:
        """Make file and tables if they are missing. Raises OSError, RecordsError."""
        disk.make_directory(self._path.parent)
        with suppress(FileExistsError):  # made here for its mode, which the journal inherits
            os.close(os.open(self._path, disk.NEW, disk.PRIVATE_FILE))
        with self._transaction() as database:
            script = _TABLES + "".join(
                _ADD_ONLY.format(table=table, act=act)
                for table in (*SEALED, "statement")
                for act in ("UPDATE", "DELETE")
            )
            database.executescript(script)

    def add_destruction(self, entry: Destruction) -> None:
        """Enter that a day is destroyed; a day that is entered already stays as it is. Raises RecordsError."""
        with self._transaction() as database:
            self._enter(database, "destruction", asdict(entry))

    def begin_access(self, entry: Access) -> int:
        """Enter that somebody begins to read; return the entry's number. Raises RecordsError."""
        values = {name: value for name, value in asdict(entry).items() if name not in {"rows", "damaged"}}
        with self._transaction() as database:
            return self._enter(database, "access", {"id": None, **values})

    def end_access(self, number: int, *, rows: int, damaged: int) -> None:
        """Enter how many rows that reading gave and how many damaged segments it met. Raises RecordsError."""
        with self._transaction() as database:
            self._enter(database, "access_end", {"access": number, "rows": rows, "damaged": damaged})

    def add_approval(self, entry: Approval) -> None:
        """Enter that somebody approved a destruction, before it happens. Raises RecordsError."""
        with self._transaction() as database:
            self._enter(database, "approval", {"id": None, **asdict(entry), "days": json.dumps(entry.days)})

    def approvals(self) -> list[Approval]:
        """Return every approval, in order. Raises RecordsError."""
        rows = self._rows("SELECT at, who, days FROM approval ORDER BY id")
        return [Approval(at=row["at"], who=row["who"], days=tuple(json.loads(row["days"]))) for row in rows]

    def expire_accesses(self, before: str) -> int:
        """Destroy the access records of the time before *before* (ISO 8601, UTC); return how many. Raises RecordsError.

        Their digests are stated, so that verification tells this from a theft.
        """
        with self._transaction() as database:
            database.execute("PRAGMA secure_delete = ON")
            database.execute("BEGIN IMMEDIATE")
            old = [row["id"] for row in database.execute("SELECT id FROM access WHERE at < ?", (before,))]
            if not old:
                return 0
            digests = []
            for table, column in (("access_end", "access"), ("access", "id")):
                database.execute(f"DROP TRIGGER {table}_DELETE")
                for number in old:
                    for row in database.execute(f"SELECT * FROM {table} WHERE {column} = ?", (number,)).fetchall():  # noqa: S608
                        digests.append(digest_of(table, dict(row)))
                    database.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))  # noqa: S608
                database.execute(_ADD_ONLY.format(table=table, act="DELETE").replace(" IF NOT EXISTS", ""))
            with suppress(RecordsError, OSError):  # as in `_enter`
                self._state(database, EXPIRED, "access", {"before": before, "digests": digests})
        return len(old)

    def add_summary(self, entry: Summary) -> None:
        """Enter what was counted on a day; what was entered of as many rows stays. Raises RecordsError."""
        with self._transaction() as database:
            self._enter(database, "summary", {**asdict(entry), "counts": json.dumps(entry.counts)})

    def summaries(self) -> list[Summary]:
        """Return the last summary of every day, by day. Raises RecordsError."""
        query = "SELECT site, kind, day, max(rows) AS rows, counts FROM summary GROUP BY site, kind, day ORDER BY day"
        return [Summary(**{**dict(row), "counts": json.loads(row["counts"])}) for row in self._rows(query)]

    def state(self, what: str, about: str, content: Mapping[str, Any]) -> None:
        """Add a statement that stands for itself. Raises RecordsError."""
        with self._transaction() as database:
            database.execute("BEGIN IMMEDIATE")
            self._state(database, what, about, content)

    def statements(self, what: str = "", *, since: int = 1) -> list[Statement]:
        """Return every statement, or those of one kind, in order, from number *since* on. Raises RecordsError."""
        query = "SELECT * FROM statement WHERE number >= ? AND (? = '' OR what = ?) ORDER BY number"
        with self._transaction() as database:
            return [Statement(*row) for row in database.execute(query, (since, what, what))]

    def whole(self) -> tuple[dict[str, str], list[Statement]]:
        """Return every entry that needs a statement (its digest, and where it stands), and every statement.

        Both as of one moment. Raises RecordsError.
        """
        found = {}
        with self._transaction() as database:
            database.execute("BEGIN")
            statements = [Statement(*row) for row in database.execute("SELECT * FROM statement ORDER BY number")]
            for table in SEALED:
                for number, row in enumerate(database.execute(f"SELECT * FROM {table} ORDER BY rowid"), 1):  # noqa: S608
                    found[digest_of(table, dict(row))] = f"{table}, row {number}"
        return found, statements

    def destructions(self) -> list[Destruction]:
        """Return every destruction, by day. Raises RecordsError."""
        query = "SELECT site, kind, day, at, retention, rule, frames, method FROM destruction ORDER BY day, site, kind"
        return [Destruction(**dict(row)) for row in self._rows(query)]

    def accesses(self) -> list[Access]:
        """Return every access, in order. Raises RecordsError."""
        query = (
            "SELECT at, who, why, site, kind, first, last, sought, place, whose, rows, damaged "
            "FROM access LEFT JOIN access_end ON access_end.access = access.id ORDER BY id"
        )
        return [Access(**dict(row)) for row in self._rows(query)]

    def _enter(self, database: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
        """Add one row, and its statement, unless it is there already; return its number."""
        holes = ", ".join("?" * len(row))
        query = f"INSERT OR IGNORE INTO {table} VALUES ({holes})"  # noqa: S608
        cursor = database.execute(query, tuple(row.values()))
        number = cursor.lastrowid or 0
        if cursor.rowcount:
            (kept,) = database.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,))  # noqa: S608
            with suppress(RecordsError, OSError):  # a lost seal key stops no destruction: `verify` tells of the entry
                self._state(database, "entry", table, {"digest": digest_of(table, dict(kept))})
        return number

    def _state(self, database: sqlite3.Connection, what: str, about: str, content: Mapping[str, Any]) -> None:
        last = database.execute("SELECT * FROM statement ORDER BY number DESC LIMIT 1").fetchone()
        statement = Statement.after(Statement(*last) if last else None, what, about, content, self._signer())
        database.execute("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?)", astuple(statement))

    def _rows(self, query: str) -> list[sqlite3.Row]:
        with self._transaction() as database:
            return database.execute(query).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=PATIENCE)) as database, database:
                database.row_factory = sqlite3.Row
                yield database
        except sqlite3.Error as fault:
            raise RecordsError(f"{self._path}: {fault}. The ledger must be readable and writable.") from fault
