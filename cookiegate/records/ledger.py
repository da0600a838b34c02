"""Ledger: small lasting records of what was destroyed and who read what. Nothing in it names a visitor.

One SQLite file with a rollback journal: SQLite 3.7.0 to 3.51.2 can corrupt a WAL database with several writers.
Entries are only ever added; triggers refuse anything else. (Only door to sqlite3.)
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHOD = "key destroyed (inner key replaced), files overwritten and removed"
METHOD_SHARED = "key destroyed (inner key turned on every host), partition dropped, files overwritten and removed"
PATIENCE = 10.0  # seconds to wait for another process's transaction

_TABLES = """
CREATE TABLE IF NOT EXISTS destruction (
    site TEXT NOT NULL, kind TEXT NOT NULL, day TEXT NOT NULL, at TEXT NOT NULL, retention TEXT NOT NULL,
    rule TEXT NOT NULL, frames INTEGER NOT NULL, method TEXT NOT NULL, PRIMARY KEY (site, kind, day)
) STRICT;
CREATE TABLE IF NOT EXISTS access (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, site TEXT NOT NULL,
    kind TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, sought TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS access_end (
    access INTEGER PRIMARY KEY REFERENCES access, rows INTEGER NOT NULL, damaged INTEGER NOT NULL
) STRICT;
"""
_ADD_ONLY = """
CREATE TRIGGER IF NOT EXISTS {table}_{act} BEFORE {act} ON {table}
BEGIN SELECT RAISE(ABORT, 'the ledger is added to, never changed'); END;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """That one day's records were made unrecoverable. *at* is ISO 8601 in UTC, *frames* how many there were."""

    site: str
    kind: str
    day: str
    at: str
    retention: str
    rule: str
    frames: int
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who read which days, when, why and by what (``everything``, ``address``, ``consent id``: never its value).

    *rows* and *damaged* segments are ``None`` while the reading lasts, and for ever if it was killed.
    """

    at: str
    who: str
    why: str
    site: str
    kind: str
    first: str
    last: str
    sought: str
    rows: int | None = None
    damaged: int | None = None


class Ledger:
    """The file *path*; each call is one short transaction of its own, so it may be shared and forked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self) -> None:
        """Make file and tables if they are missing. Raises OSError, RecordsError."""
        disk.make_directory(self._path.parent)
        with suppress(FileExistsError):  # made here for its mode, which the journal inherits
            os.close(os.open(self._path, disk.NEW, disk.PRIVATE_FILE))
        with self._transaction() as database:
            script = _TABLES + "".join(
                _ADD_ONLY.format(table=table, act=act)
                for table in ("destruction", "access", "access_end")
                for act in ("UPDATE", "DELETE")
            )
            database.executescript(script)

    def add_destruction(self, entry: Destruction) -> None:
        """Enter that a day is destroyed; a day that is entered already stays as it is. Raises RecordsError."""
        with self._transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO destruction VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.site,
                    entry.kind,
                    entry.day,
                    entry.at,
                    entry.retention,
                    entry.rule,
                    entry.frames,
                    entry.method,
                ),
            )

    def begin_access(self, entry: Access) -> int:
        """Enter that somebody begins to read; return the entry's number. Raises RecordsError."""
        with self._transaction() as database:
            cursor = database.execute(
                "INSERT INTO access (at, who, why, site, kind, first, last, sought) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.at,
                    entry.who,
                    entry.why,
                    entry.site,
                    entry.kind,
                    entry.first,
                    entry.last,
                    entry.sought,
                ),
            )
            return cursor.lastrowid or 0

    def end_access(self, number: int, *, rows: int, damaged: int) -> None:
        """Enter how many rows that reading gave and how many damaged segments it met. Raises RecordsError."""
        with self._transaction() as database:
            database.execute("INSERT INTO access_end VALUES (?, ?, ?)", (number, rows, damaged))

    def destructions(self) -> list[Destruction]:
        """Return every destruction, by day. Raises RecordsError."""
        query = "SELECT site, kind, day, at, retention, rule, frames, method FROM destruction ORDER BY day, site, kind"
        return [Destruction(**dict(row)) for row in self._rows(query)]

    def accesses(self) -> list[Access]:
        """Return every access, in order. Raises RecordsError."""
        query = (
            "SELECT at, who, why, site, kind, first, last, sought, rows, damaged "
            "FROM access LEFT JOIN access_end ON access_end.access = access.id ORDER BY id"
        )
        return [Access(**dict(row)) for row in self._rows(query)]

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


def moment(now: float) -> str:
    """Write *now* (seconds since 1970, UTC) as ISO 8601, to the second."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
