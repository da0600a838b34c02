"""Database: one connection to PostgreSQL, used from plain threads. (Only door to asyncpg.)"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from threading import Lock, RLock, Thread
from typing import TYPE_CHECKING, TypeVar

from cookiegate.config import place_of
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

__all__ = ["Connection", "Database", "Duplicate", "StoreAway", "reach"]

CONNECT, ANSWER = 5.0, 60.0  # seconds to wait for a connection, and for one answer
# What a host that vanished in the middle of something holds, the others get after a minute.
# What is committed is removed from the segments, so it must be on the server's disk whatever that is set to.
_SETTINGS = {
    "application_name": "cookiegate",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "synchronous_commit": "on",
}
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
        self.place = place_of(url)
        self._starting, self._lock = Lock(), RLock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop
        self._thread: Thread
        self._connection: Connection | None = None
        self._of_parent: list[object] = []  # kept, since closing them here would end the parent's

    def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do *work* and return what it returns. It is to begin its own transactions.

        Raises:
            StoreAway: the database cannot be reached or has no room now.
            Duplicate: a row is there already.
            RecordsError: it refuses.
        """
        self._start()
        with self._lock:
            doing = asyncio.run_coroutine_threadsafe(self._done(work), self._loop)
            try:
                return doing.result()
            except RecordsError:  # of the work itself: nothing is wrong with the connection
                raise
            except asyncpg.UniqueViolationError as fault:
                raise Duplicate(f"{self.place}: {fault}") from fault
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError) as fault:
                self._drop()
                raise self._explained(fault) from fault
            except BaseException:
                doing.cancel()
                self._drop()
                raise

    def close(self) -> None:
        """End the connection, in the middle of what another thread does with it too; `run` makes a new one."""
        if self._pid != os.getpid():  # nothing was begun, or it is the parent's
            return
        if (connection := self._connection) is not None:  # a server that does not answer must not delay the end
            self._loop.call_soon_threadsafe(connection.terminate)
        with self._starting, self._lock:  # another thread may just be starting it
            self._drop()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._pid = 0

    def _explained(self, fault: Exception) -> RecordsError:
        state = getattr(fault, "sqlstate", None) or _PASSING[0]
        said = f"({str(fault) or type(fault).__name__})".replace("\n", " ")
        if state.startswith(_PASSING):
            return StoreAway(f"{self.place} cannot be reached {said}. What is to go there stays here until it can.")
        return RecordsError(
            f"{self.place} refuses {said}. What is to go there stays here. Correct store, or its rights."
        )

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be ending
            self.close()

    async def _done(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._connection is None or self._connection.is_closed():
            connection = await asyncpg.connect(
                self._url, timeout=CONNECT, command_timeout=ANSWER, server_settings=_SETTINGS
            )
            try:
                await self._prepare(connection)
            except BaseException:  # one that is not prepared must not be used by the next call
                await _end(connection)
                raise
            self._connection = connection
        return await work(self._connection)

    def _start(self) -> None:
        """Give this process a loop in a thread of its own, since callers may stand in another loop."""
        with self._starting:
            if self._pid == os.getpid():
                return
            if self._pid:
                self._of_parent += [self._loop, self._connection]
            self._lock, self._connection = RLock(), None  # the parent's lock may be held for ever
            self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
            self._thread = Thread(target=self._loop.run_forever, name="postgresql", daemon=True)
            self._thread.start()

    def _drop(self) -> None:
        """End a connection of which nobody knows how far it got: the server undoes what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            asyncio.run_coroutine_threadsafe(_end(connection), self._loop).result()


async def _end(connection: Connection) -> None:
    if not connection.is_closed():
        connection.terminate()
    await asyncio.sleep(0)  # lets the transport close


def reach(url: str) -> str:
    """Connect, change nothing, and return the server's version. Raises StoreAway, RecordsError."""

    async def nothing(connection: Connection) -> None:
        """The tables are made by those who keep records."""

    async def version(connection: Connection) -> str:
        return str(await connection.fetchval("SHOW server_version"))

    database = Database(url, nothing)
    try:
        return database.run(version)
    finally:
        database.close()
