"""What does remembering a visit cost? ``python benchmarks/records.py`` prints CPU µs a visit, side by side.

Every column keeps the same visits: ours (encrypted, one write), aiosqlite (plaintext, one row and one commit a
visit, WAL, synchronous=NORMAL) and a queue in memory (plaintext, written every 50 ms; kill -9 loses it).
CPU is user and system time of this process with all its threads; the median of alternating rounds.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import aiosqlite

from cookiegate.config import Config, Records
from cookiegate.records import Visit, VisitLog
from cookiegate.site import Site, Visits

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, VISITS = 7, 4000
NOW = 1_795_262_400.0
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
SITE = Site("Example Shop", unknown="allow", time_zone="Asia/Seoul", visits=Visits(basis="security"))


def visit(number: int) -> Visit:
    return Visit.of(
        SITE,
        time=NOW + number / 1000,
        address=f"203.0.{number % 250}.{number % 199}",
        method="GET",
        path=f"/goods/{number}?utm_source=mail",
        status=200,
        size=18_231,
        duration=0.012,
        referrer="https://search.example.com/?q=shoes",
        agent=AGENT,
        granted=("analytics",),
        consent_id="c2FtcGxlIGNvbnNlbnQgaWQ",
    )


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], object]) -> float:
    before = cpu()
    work()
    return (cpu() - before) / VISITS * 1e6


def ours(durability: str) -> Callable[[], object]:
    def work() -> None:
        for number in range(VISITS):
            log.record_visit(visit(number))

    place = Path(tempfile.mkdtemp())
    records = Records(directory=place / "records", key_directory=place / "keys", durability=durability)
    log = VisitLog.open(Config(sites=(SITE,), secret_keys=("x" * 32,), records=records))
    assert log is not None
    log.record_visit(visit(0))  # opens today's segment
    return work


def only_the_row() -> None:
    for number in range(VISITS):
        visit(number)


def sqlite_rows() -> None:
    async def work() -> None:
        async with aiosqlite.connect(Path(tempfile.mkdtemp()) / "visits.db") as database:
            await database.execute("PRAGMA journal_mode=WAL")
            await database.execute("PRAGMA synchronous=NORMAL")
            await database.execute("CREATE TABLE visit (time REAL, address TEXT, row TEXT)")
            for number in range(VISITS):
                row = visit(number)
                await database.execute(
                    "INSERT INTO visit VALUES (?, ?, ?)", (row.time, row.address, json.dumps(row._asdict()))
                )
                await database.commit()

    asyncio.run(work())


def memory_queue() -> None:
    async def work() -> None:
        queue: deque[Visit] = deque()

        async def flush() -> None:
            with (Path(tempfile.mkdtemp()) / "visits.jsonl").open("a") as file:
                while running or queue:
                    await asyncio.sleep(0.05)
                    while queue:
                        file.write(json.dumps(queue.popleft()._asdict()) + "\n")
                    file.flush()

        running = True
        flushing = asyncio.create_task(flush())
        for number in range(VISITS):
            queue.append(visit(number))
            if not number % 100:
                await asyncio.sleep(0)
        running = False
        await flushing

    asyncio.run(work())


def main() -> None:
    columns: dict[str, Callable[[], object]] = {
        "making the row (in all below)": only_the_row,
        "cookiegate, process": ours("process"),
        "memory queue, 50 ms": memory_queue,
        "aiosqlite, a row": sqlite_rows,
    }
    if "--strict" in sys.argv:
        columns["cookiegate, strict"] = ours("strict")
    costs: dict[str, list[float]] = {name: [] for name in columns}
    for _ in range(ROUNDS):
        for name, work in columns.items():
            costs[name].append(timed(work))
    print(f"{'CPU µs a visit':32}{'median':>9}{'min':>9}{'max':>9}")
    for name, values in costs.items():
        print(f"{name:32}{statistics.median(values):9.1f}{min(values):9.1f}{max(values):9.1f}")


if __name__ == "__main__":
    main()
