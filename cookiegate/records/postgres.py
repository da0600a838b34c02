"""Database: one connection to PostgreSQL, used from plain threads. (Only door to asyncpg.)"""

from __future__ import annotations

import asyncio
import os
from threading import RLock
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from cookiegate.errors import RecordsError

try:
    import asyncpg
    from asyncpg import Connection
except ImportError as fault:
    raise RecordsError(
        'store = "postgresql://…" needs asyncpg: pip install \'cookiegate[postgres]\', or write store = "files".'
    ) from fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    T = TypeVar("T")

__all__ = ["Connection", "Database", "Duplicate", "StoreAway"]

CONNECT, ANSWER = 5.0, 60.0  # seconds to wait for a connection, and for one answer
# What passes by itself: connections, shutdowns, conflicts, no room, a lock that somebody holds.
_PASSING = ("08", "40", "53", "55", "57")


class StoreAway(RecordsError):
    """PostgreSQL does not answer now. What is to go there stays in the segments until it does."""


class Duplicate(RecordsError):
    """A row is there already; nothing was added."""


class Database:
    """The database at *url*: connects when something is to be done, and anew after a fault; may be shared and forked.

    *prepare* is done once with each new connection.
    """

    def __init__(self, url: str, prepare: Callable[[Connection], Awaitable[None]]) -> None:
        self._url, self._prepare = url, prepare
        parts = urlsplit(url)
        self.place = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"  # without user, password and options
        self._lock = RLock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._of_parent: list[object] = []  # kept, since closing them here would end the parent's

    def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do *work* and return what it returns. It is to begin its own transactions.

        Raises:
            StoreAway: the database cannot be reached or has no room now.
            Duplicate: a row is there already.
            RecordsError: it refuses.
        """
        with self._lock:
            loop = self._own_loop()
            try:
                return loop.run_until_complete(self._done(work))
            except RecordsError:  # of the work itself: nothing is wrong with the connection
                raise
            except asyncpg.UniqueViolationError as fault:
                raise Duplicate(f"{self.place}: {fault}") from fault
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError) as fault:
                self._drop()
                raise self._explained(fault) from fault
            except BaseException:
                self._drop()
                raise

    def close(self) -> None:
        """End the connection; `run` makes a new one."""
        with self._lock:
            if self._pid == os.getpid():
                self._drop()
                if self._loop:
                    self._loop.close()
                self._loop, self._pid = None, 0

    def _explained(self, fault: Exception) -> RecordsError:
        state = getattr(fault, "sqlstate", None) or _PASSING[0]
        said = f"({str(fault) or type(fault).__name__})".replace("\n", " ")
        if state.startswith(_PASSING):
            return StoreAway(f"{self.place} cannot be reached {said}. What is to go there stays here until it can.")
        return RecordsError(
            f"{self.place} refuses {said}. What is to go there stays here. Correct store, or its rights."
        )

    async def _done(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._connection is None or self._connection.is_closed():
            connection = await asyncpg.connect(self._url, timeout=CONNECT, command_timeout=ANSWER)
            self._connection = connection
            await self._prepare(connection)
        return await work(self._connection)

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._pid != os.getpid():
            self._of_parent += [self._loop, self._connection]
            self._loop, self._connection, self._pid = asyncio.new_event_loop(), None, os.getpid()
        assert self._loop  # noqa: S101
        return self._loop

    def _drop(self) -> None:
        """End a connection of which nobody knows how far it got: the server undoes what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None and self._loop and not connection.is_closed():
            connection.terminate()
            self._loop.run_until_complete(asyncio.sleep(0))  # lets the transport close
