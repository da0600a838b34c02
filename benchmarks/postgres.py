"""What do many machines' records cost in PostgreSQL? ``PYTHONPATH=. python benchmarks/postgres.py [--rows N] …``

Side by side, in one run and one server (from a wheel, with its default settings and real syncs): shipping segments
by COPY, the fallback that bears repetition, plain row INSERTs; destroying one day out of ``--day-rows`` ×
``--days`` against DELETE; then ``--kills`` kill -9 of writers and shipper and an ``--outage`` of seconds, counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from cookiegate.config import Config, Records
from cookiegate.errors import RecordsError
from cookiegate.records import Visit, VisitLog, shipping
from cookiegate.site import Site, Visits
from tests.records.database import Server

if TYPE_CHECKING:
    from collections.abc import Callable

NOON, A_DAY = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp(), 86_400.0
DUE = datetime(2027, 2, 22, tzinfo=UTC).timestamp()  # the first day is
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
SITE = Site("Example Shop", unknown="allow", visits=Visits(basis="security"))


def visit(number: int, at: float = NOON, path: str = "/goods") -> Visit:
    return Visit.of(
        SITE, time=at + number % 30_000 / 1000, address=f"203.0.{number % 250}.{number % 199}", method="GET",
        path=f"{path}/{number}", status=200, size=18_231, duration=0.012, referrer="https://search.example.com/",
        agent=AGENT,
    )  # fmt: skip


def opened(url: str, place: Path | None = None) -> VisitLog:
    place = place or Path(tempfile.mkdtemp(prefix="cookiegate-bench-"))
    records = Records(directory=place / "records", key_directory=place / "keys", store=url)
    log = VisitLog.open(Config(sites=(SITE,), secret_keys=("x" * 32,), records=records))
    assert log is not None
    return log


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def say(what: str, rows: int, took: float) -> None:
    print(f"{what:64}{rows:>12,} rows{took:9.2f} s{rows / took:>12,.0f} rows/s", flush=True)


def written(url: str, rows: int) -> VisitLog:
    log = opened(url)
    log.purge(NOON, steady=0)
    for number in range(rows):
        log.record_visit(visit(number))
    log._writer().close()
    return log


def ship(server: Server, rows: int) -> None:
    log = written(server.database(), rows)
    say("shipping by COPY, segment to commit", rows, seconds(lambda: log.ship(NOON)))
    log.close()
    log = written(server.database(), rows)
    fast, shipping.copy = shipping.copy, shipping.put_again
    say("shipping by INSERT … ON CONFLICT DO NOTHING (fallback)", rows, seconds(lambda: log.ship(NOON)))
    shipping.copy = fast
    log.close()
    plain = "INSERT INTO visit VALUES ($1, $2, $3, $4, $5)"
    asyncio.run(by_hand(server.database(), plain, rows // 20))


async def by_hand(url: str, query: str, rows: int) -> None:
    """Plain alternatives: plaintext rows with an index on the address."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE visit (time timestamptz, address text, path text, agent text, row text)")
    await connection.execute("CREATE INDEX ON visit (address)")
    values = [(datetime.fromtimestamp(v.time, UTC), v.address, v.path, v.agent, "GET 200 18231 0.012")
              for v in map(visit, range(rows))]  # fmt: skip
    begin = time.perf_counter()
    for row in values[: rows // 10]:
        await connection.execute(query, *row)
    say("plain: a row, an INSERT, a commit (plaintext)", rows // 10, time.perf_counter() - begin)
    begin = time.perf_counter()
    await connection.executemany(query, values)
    say("plain: executemany in one transaction (plaintext)", rows, time.perf_counter() - begin)
    await connection.close()


def destroy(server: Server, rows: int, days: int) -> None:
    url = server.database()
    log = written(url, 1000)
    for number in range(days):
        log.record_visit(visit(number, NOON + number * A_DAY))
    log._writer().close()
    log.ship(NOON)
    fill(server, url, rows)
    total = server.count(url)
    log.purge(DUE - A_DAY, steady=0)
    log.close()
    log = opened(url, log._directory.parent)
    log._depot.follow()  # type: ignore[union-attr]
    ends = log._retention.ends()
    due = [day for day, end in ends.items() if end <= DUE]
    print(f"{total:,} rows in {len(ends)} days; destroying {len(due)} of {rows:,} rows")
    live = asyncio.run(while_writing(url, lambda: _destroy(log, due)))
    print(f"longest wait of a row for the living day meanwhile: {live * 1000:.1f} ms")
    log.close()
    delete = "DELETE FROM cookiegate.frame WHERE day = (SELECT min(day) FROM cookiegate.writer)"
    say("plain: DELETE of such a day", rows, seconds(lambda: server.sql(url, delete)))
    say("plain: VACUUM after it", rows, seconds(lambda: server.sql(url, "VACUUM cookiegate.frame")))


def _destroy(log: VisitLog, due: list[Any]) -> None:
    depot = log._depot
    assert depot
    unreadable = seconds(lambda: depot.destroy(due, DUE))
    dropped = seconds(lambda: depot._days.tidy(date(2000, 1, 1)))  # indexes nothing
    print(f"  nobody can read it after {unreadable * 1000:.1f} ms; dropped {dropped * 1000:.1f} ms later")


def fill(server: Server, url: str, rows: int) -> None:
    """Bring every day to *rows* rows, of bytes as if they were frames."""
    server.sql(
        url,
        "INSERT INTO cookiegate.frame SELECT day, '\\x00', n, n, n, decode(repeat(md5(n::text), 16), 'hex') FROM "
        f"(SELECT DISTINCT day FROM cookiegate.writer) AS days, generate_series(1, {int(rows)}) AS n",
    )


async def while_writing(url: str, work: Callable[[], None]) -> float:
    """The longest time that one row for the newest day waited while *work* was done."""
    connection, longest, number = await asyncpg.connect(url), 0.0, 10**12
    day = await connection.fetchval("SELECT max(day) FROM cookiegate.writer")
    task = asyncio.get_running_loop().run_in_executor(None, work)
    while not task.done():
        begin = time.perf_counter()
        await connection.execute("INSERT INTO cookiegate.frame VALUES ($1, '\\x01', $2, 0, 0, '\\x00')", day, number)
        longest, number = max(longest, time.perf_counter() - begin), number + 1
        await asyncio.sleep(0.001)
    await task
    await connection.close()
    return longest


def write_until_killed(log: VisitLog, name: str, acknowledge: int, rate: float) -> None:
    begin, number = time.perf_counter(), 0
    while True:
        log.record_visit(visit(0, path=f"/{name}/{number}"))
        os.write(acknowledge, f"/{name}/{number}/0\n".encode())
        number += 1
        if number % 20 == 0:
            log.roll()
            time.sleep(max(0.0, begin + number / rate - time.perf_counter()))


def ship_until_killed(log: VisitLog) -> None:
    while True:
        with suppress(RecordsError):
            log.ship(NOON)
        time.sleep(0.05)


def forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    return child


def kill(*children: int) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def survive(server: Server, kills: int, outage: float, rate: float) -> None:
    log = opened(server.database())
    log.purge(NOON, steady=0)
    log.close()
    acknowledged = Path(tempfile.mkdtemp()) / "acknowledged"
    file, writers = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND), []
    shipper = forked(lambda: ship_until_killed(log))
    for turn in range(kills):
        while len(writers) < 2:
            name = f"{turn}-{len(writers)}"
            writers.append(forked(lambda name=name: write_until_killed(log, name, file, rate / 2)))
        time.sleep(1)
        if turn == kills // 2:
            server.stop()
            time.sleep(outage)
            server.start()
        kill(writers.pop(turn % 2), *([shipper] if turn % 3 else []))
        if turn % 3:
            shipper = forked(lambda: ship_until_killed(log))
    kill(shipper, *writers)
    log.ship(NOON)
    promised = acknowledged.read_text().split()
    reading = log.read(SITE.name, date.min, date.max, now=NOON, who="benchmark", why="count")
    stored = Counter(row.path for row in reading if isinstance(row, Visit))
    lost, twice = len(set(promised) - set(stored)), sum(count > 1 for count in stored.values())
    print(
        f"{kills} times kill -9, {outage:.0f} s outage: {len(promised):,} acknowledged, {lost} lost, {twice} twice, "
        f"{len(stored) - len(promised)} kept and not acknowledged"
    )
    log.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="to ship")
    parser.add_argument("--day-rows", type=int, default=100_000, help="in each day of the destruction")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--outage", type=float, default=3, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=5000, help="visits a second while killing")
    given = parser.parse_args()
    os.environ["COOKIEGATE_VAULT_KEY"] = "b" * 32
    server = Server("-c max_wal_size=4GB -c shared_buffers=512MB")
    try:
        print(server.sql("postgres", "SELECT version()")[0][0])
        ship(server, given.rows)
        destroy(server, given.day_rows, given.days)
        survive(server, given.kills, given.outage, given.rate)
    finally:
        server.end()


if __name__ == "__main__":
    main()
