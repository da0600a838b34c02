"""SharedDays: the days that rest in the store of many machines, and how they are destroyed there, once for all.

1. One transaction turns the inner key: living days' keys are wrapped anew, the destroyed days' keys deleted, the
   ledger says so. 2. Each host follows and forgets the old inner key; now nothing opens them. 3. Partitions are
   detached and dropped. Whoever comes next goes on where a purge was cut short.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records.day import Day, Terms
from cookiegate.records.entries import METHOD_SHARED, Destruction, moment
from cookiegate.records.schema import TIDYING, TURNING, drop_day, index_day, make_day
from cookiegate.records.shared_ledger import enter
from cookiegate.records.vault import WrappedDayKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from cookiegate.records.fleet import Fleet
    from cookiegate.records.keys import Keys
    from cookiegate.records.postgres import Connection, Database

EMPTY = timedelta(days=30)  # after which a partition that was made ahead, and got no rows, is dropped
_NOBODY_CAME = (
    "UPDATE cookiegate.day SET destroyed = true WHERE NOT destroyed AND date < $1 "
    "AND NOT EXISTS (SELECT FROM cookiegate.day_key WHERE day_key.day = day.id)"
)
_OPEN = "SELECT id, kind, folder, date FROM cookiegate.day WHERE NOT destroyed"


class SharedDays:
    """Every method raises StoreAway and RecordsError."""

    def __init__(self, database: Database, fleet: Fleet, keys: Keys) -> None:
        self._database, self._fleet, self._keys = database, fleet, keys

    def terms(self) -> dict[Day, list[Terms]]:
        """Return every day of which the store has anything, with the terms on which each host began it."""

        async def asked(connection: Connection) -> dict[Day, list[Terms]]:
            found: dict[Day, list[Terms]] = {}
            query = (
                "SELECT kind, folder, date, content FROM cookiegate.day JOIN cookiegate.day_key ON day = id "
                "WHERE NOT destroyed"
            )
            for row in await connection.fetch(query):
                wrapped = WrappedDayKey.decode(row["content"])
                if wrapped:
                    found.setdefault(_day(row), []).append(wrapped.terms)
            return found

        return self._database.run(asked)

    def make(self, days: Iterable[Day]) -> None:
        """Make partitions ahead of their days."""

        async def made(connection: Connection) -> None:
            for day in days:
                await make_day(connection, day)

        self._database.run(made)

    def destroy(self, doomed: Collection[Day], now: float, generation: str) -> None:
        """Destroy these days, and all before them, on every host, if the fleet still stands at *generation*."""
        if self._database.run(lambda connection: self._turn(connection, generation, doomed, now)):
            self._fleet.follow(now)

    def tidy(self, before: date) -> None:
        """Drop the partitions of destroyed days; index those *before* a date. One host at a time does it."""

        async def tidied(connection: Connection) -> None:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", TIDYING):
                return
            try:
                async with connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", TURNING)
                    await connection.execute(_NOBODY_CAME, before - EMPTY)
                for row in await connection.fetch("SELECT id FROM cookiegate.day WHERE destroyed"):
                    await drop_day(connection, row["id"])
                query = "SELECT id FROM cookiegate.day WHERE NOT destroyed AND NOT indexed AND date < $1"
                for row in await connection.fetch(query, before):
                    await index_day(connection, row["id"])
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", TIDYING)

        self._database.run(tidied)

    async def _turn(self, connection: Connection, generation: str, doomed: Collection[Day], now: float) -> bool:
        """Return whether the inner key was turned."""
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", TURNING)  # nobody else purges or ships
            marks = {
                (row["kind"], row["folder"]): row["date"]
                for row in await connection.fetch("SELECT kind, folder, date FROM cookiegate.destroyed_until")
            }
            last: dict[tuple[str, str], date] = {}
            for day in sorted(doomed):
                if (day.kind, day.folder) not in marks or marks[day.kind, day.folder] < day.date:
                    last[day.kind, day.folder] = day.date
            if not last or await connection.fetchval("SELECT generation FROM cookiegate.fleet") != generation:
                return False
            await self._enter(connection, last, now)
            await self._rewrap(connection)
        return True

    async def _enter(self, connection: Connection, last: dict[tuple[str, str], date], now: float) -> None:
        """Enter and mark what is destroyed, and delete its keys."""
        for (kind, folder), until in last.items():
            await connection.execute(
                "INSERT INTO cookiegate.destroyed_until VALUES ($1, $2, $3) "
                "ON CONFLICT (kind, folder) DO UPDATE SET date = EXCLUDED.date",
                *(kind, folder, until),
            )
            dying = f"{_OPEN} AND kind = $1 AND folder = $2 AND date <= $3"
            for row in await connection.fetch(dying, kind, folder, until):
                wrapped = WrappedDayKey.decode(
                    await connection.fetchval("SELECT content FROM cookiegate.day_key WHERE day = $1", row["id"]) or b""
                )
                frames = await connection.fetchval(
                    "SELECT coalesce(sum(frames), 0)::bigint FROM cookiegate.writer WHERE day = $1", row["id"]
                )
                if wrapped:  # otherwise it was made ahead and nothing came
                    terms = wrapped.terms
                    entry = Destruction(
                        site=terms.site,
                        kind=kind,
                        day=row["date"].isoformat(),
                        at=moment(now),
                        retention=terms.retention,
                        rule=terms.rule,
                        frames=frames,
                        method=METHOD_SHARED,
                    )
                    await enter(connection, self._keys.seal_key, "destruction", asdict(entry))
                await connection.execute("DELETE FROM cookiegate.day_key WHERE day = $1", row["id"])
                await connection.execute("UPDATE cookiegate.day SET destroyed = true WHERE id = $1", row["id"])

    async def _rewrap(self, connection: Connection) -> None:
        """Turn the inner key: the living days' keys are wrapped by the next one."""
        old = self._keys.inner()
        new, anew = old.next(), []
        query = "SELECT kind, folder, date, day, name, content FROM cookiegate.day JOIN cookiegate.day_key ON day = id"
        for row in await connection.fetch(query):
            wrapped = WrappedDayKey.decode(row["content"])
            changed = wrapped and wrapped.anew(_day(row), old, new)
            if changed is None:
                raise RecordsError(f"The inner key does not open day {_day(row)} in {self._database.place}.")
            anew.append((row["day"], row["name"], changed.encode()))
        await connection.executemany("UPDATE cookiegate.day_key SET content = $3 WHERE day = $1 AND name = $2", anew)
        await connection.execute("UPDATE cookiegate.fleet SET turn = turn + 1, generation = $1", new.generation)


def _day(row: dict[str, object]) -> Day:
    return Day(row["date"], row["folder"], row["kind"])  # type: ignore[arg-type]
