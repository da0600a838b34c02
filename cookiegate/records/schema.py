"""Schema: the tables of many machines' records, and the partitions of their days.

Rows of one day (site, kind and date) are one partition: it is made ahead, and detached and dropped when its time
is over, so that no row is ever deleted one by one and nobody waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError

if TYPE_CHECKING:
    from cookiegate.records.day import Day
    from cookiegate.records.postgres import Connection

VERSION = 1
# Advisory locks of this database: one makes tables; one drops and indexes them; whoever ships shares the third,
# whoever destroys holds it alone; one adds to the ledger; one closes days. The ledger's is taken after the third.
MAKING, TIDYING, TURNING = 0x636F6F6B01, 0x636F6F6B02, 0x636F6F6B03
ENTERING, CLOSING = 0x636F6F6B04, 0x636F6F6B05

_TABLES = """
CREATE SCHEMA IF NOT EXISTS cookiegate;
CREATE TABLE cookiegate.fleet (  -- one row; *turn* counts the destructions, *generation* names the inner key
    one boolean PRIMARY KEY DEFAULT true CHECK (one), version integer NOT NULL, id text NOT NULL,
    turn bigint NOT NULL, generation text NOT NULL
);
CREATE TABLE cookiegate.host (
    id text PRIMARY KEY, name text NOT NULL, turn bigint NOT NULL, seen timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE cookiegate.question (  -- of a newcomer, and its answer
    asked bytea PRIMARY KEY, answer bytea, at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE cookiegate.day (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, folder text NOT NULL,
    date date NOT NULL, destroyed boolean NOT NULL DEFAULT false, indexed boolean NOT NULL DEFAULT false,
    UNIQUE (kind, folder, date)
);
CREATE TABLE cookiegate.destroyed_until (
    kind text NOT NULL, folder text NOT NULL, date date NOT NULL, PRIMARY KEY (kind, folder)
);
CREATE TABLE cookiegate.day_key (  -- one for each host that wrote on the day, wrapped by the inner key
    day integer NOT NULL REFERENCES cookiegate.day, name bytea NOT NULL, content bytea NOT NULL,
    PRIMARY KEY (day, name)
);
CREATE TABLE cookiegate.writer (  -- *shipped* bytes of the segment are here, *damaged* ones never will be
    day integer NOT NULL REFERENCES cookiegate.day, writer bytea NOT NULL, key bytea NOT NULL,
    shipped bigint NOT NULL, frames bigint NOT NULL, damaged bigint NOT NULL, PRIMARY KEY (day, writer)
);
CREATE TABLE cookiegate.frame (
    day integer NOT NULL, writer bytea NOT NULL, seq bigint NOT NULL, address bigint NOT NULL,
    consent bigint NOT NULL, frame bytea NOT NULL, PRIMARY KEY (day, writer, seq)
) PARTITION BY LIST (day);
ALTER TABLE cookiegate.frame ALTER COLUMN frame SET STORAGE EXTERNAL;  -- nothing encrypted gets smaller
CREATE TABLE cookiegate.seal (  -- of the rows that came with it, byte for byte as beside the segment: `seal.py`
    day integer NOT NULL REFERENCES cookiegate.day, writer bytea NOT NULL, number integer NOT NULL,
    content bytea NOT NULL, PRIMARY KEY (day, writer, number)
);
CREATE TABLE cookiegate.destruction (
    site text NOT NULL, kind text NOT NULL, day text NOT NULL, at text NOT NULL, retention text NOT NULL,
    rule text NOT NULL, frames bigint NOT NULL, method text NOT NULL, PRIMARY KEY (site, kind, day)
);
CREATE TABLE cookiegate.access (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at text NOT NULL, who text NOT NULL, why text NOT NULL,
    site text NOT NULL, kind text NOT NULL, first text NOT NULL, last text NOT NULL, sought text NOT NULL,
    place text NOT NULL, whose text NOT NULL
);
CREATE TABLE cookiegate.access_end (
    access bigint PRIMARY KEY REFERENCES cookiegate.access, rows bigint NOT NULL, damaged bigint NOT NULL
);
CREATE TABLE cookiegate.approval (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at text NOT NULL, who text NOT NULL, days text NOT NULL
);
CREATE TABLE cookiegate.summary (
    site text NOT NULL, kind text NOT NULL, day text NOT NULL, rows bigint NOT NULL, counts text NOT NULL,
    PRIMARY KEY (site, kind, day, rows)
);
CREATE TABLE cookiegate.statement (
    number bigint PRIMARY KEY, what text NOT NULL, about text NOT NULL, content text NOT NULL, before bytea NOT NULL,
    signature bytea NOT NULL
);
CREATE FUNCTION cookiegate.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'the ledger is added to, never changed'; END$$;
"""
_ADD_ONLY = """
CREATE TRIGGER add_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cookiegate.{table}
    FOR EACH STATEMENT EXECUTE FUNCTION cookiegate.refuse();
"""
_NEVER_CHANGED = """
CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON cookiegate.seal
    FOR EACH STATEMENT EXECUTE FUNCTION cookiegate.refuse();
"""
# Not to_regclass: it answers from the session's memory, which may not know yet what another host made just now.
_MADE = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'cookiegate' AND tablename = 'statement')"
_LEDGERS = ("destruction", "access", "access_end", "approval", "summary", "statement")


async def prepare(connection: Connection) -> None:
    """Make the tables where there are none. Raises RecordsError for those of a newer cookiegate."""
    if not await connection.fetchval(_MADE):
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MAKING)
            if not await connection.fetchval(_MADE):
                add_only = "".join(_ADD_ONLY.format(table=table) for table in _LEDGERS)
                await connection.execute(_TABLES + add_only + _NEVER_CHANGED)
    version = await connection.fetchval("SELECT version FROM cookiegate.fleet")
    if version not in {None, VERSION}:
        raise RecordsError(f"The store's tables are of version {version}, ours of {VERSION}: upgrade this host too.")


async def make_day(connection: Connection, day: Day) -> int:
    """Return the number of *day*, with a partition; attached without a lock that a writer would wait for."""
    known = "SELECT id FROM cookiegate.day WHERE kind = $1 AND folder = $2 AND date = $3"
    number = await connection.fetchval(known, day.kind, day.folder, day.date)
    if number is not None:
        return int(number)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MAKING)
        number = await connection.fetchval(known, day.kind, day.folder, day.date)
        if number is None:
            number = await connection.fetchval(
                "INSERT INTO cookiegate.day (kind, folder, date) VALUES ($1, $2, $3) RETURNING id",
                *(day.kind, day.folder, day.date),
            )
            table = partition(number)
            await connection.execute(
                f"CREATE TABLE {table} (LIKE cookiegate.frame INCLUDING ALL, CHECK (day = {int(number)}));"
                f"ALTER TABLE cookiegate.frame ATTACH PARTITION {table} FOR VALUES IN ({int(number)})"
            )
    return int(number)


async def index_day(connection: Connection, number: int) -> None:
    """Index the tags of a day on which nobody writes any more; while it lives that would slow every row."""
    table = partition(number)
    async with connection.transaction():
        for tag in ("address", "consent"):
            await connection.execute(f"CREATE INDEX IF NOT EXISTS frame_{int(number)}_{tag} ON {table} ({tag})")
        await connection.execute("UPDATE cookiegate.day SET indexed = true WHERE id = $1", number)


async def drop_day(connection: Connection, number: int) -> None:
    """Drop the partition and the rest of a destroyed day; after a crash at any point, call it again.

    Detaching waits for readers of the day; nobody waits for it.
    """
    table = partition(number)
    pending = await connection.fetchval(
        "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass($1)", table
    )
    if pending is not None:
        how = "FINALIZE" if pending else "CONCURRENTLY"
        await connection.execute(f"ALTER TABLE cookiegate.frame DETACH PARTITION {table} {how}")
    async with connection.transaction():
        await connection.execute(f"DROP TABLE IF EXISTS {table}")
        for rest in ("day_key", "writer", "seal"):
            await connection.execute(f"DELETE FROM cookiegate.{rest} WHERE day = $1", number)  # noqa: S608
        await connection.execute("DELETE FROM cookiegate.day WHERE id = $1", number)


def partition(number: int) -> str:
    """Return the name of a day's partition."""
    return f"cookiegate.frame_{int(number)}"
