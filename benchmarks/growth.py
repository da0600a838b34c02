"""Does a visit cost the same in a large store as in a small one? ``PYTHONPATH=. python benchmarks/growth.py``

One day's partition is brought to 1, 3 and ``--millions`` rows, of bytes as if they were frames. At each size
``--rows`` real visits are shipped by COPY (median of ``--rounds``); of those the bytes in table, index and write-ahead
log are counted, on one server from a wheel with its default settings and real syncs.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics

from benchmarks.postgres import NOON, seconds, visit, written
from tests.records.database import Server

FILL = (
    "INSERT INTO cookiegate.frame SELECT (SELECT min(day) FROM cookiegate.writer), '\\x00', n, n, n, "
    "decode(repeat(md5(n::text), 16), 'hex') FROM generate_series({}, {}) AS n"
)
SIZE = "SELECT sum(pg_{}_size(relid))::bigint FROM pg_partition_tree('cookiegate.frame') WHERE isleaf"


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=int, default=10)
    parser.add_argument("--rows", type=int, default=50_000, help="to ship at each size")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    os.environ["COOKIEGATE_VAULT_KEY"] = "b" * 32
    server = Server("-c max_wal_size=4GB -c shared_buffers=512MB")
    try:
        measure(server, given.millions, given.rows, given.rounds)
    finally:
        server.end()


def measure(server: Server, millions: int, rows: int, rounds: int) -> None:
    url = server.database()
    log = written(url, 1000)
    log.ship(NOON)
    there = 0
    for million in sorted({1, 3, millions}):
        filled = server.count(url)
        goal = million * 1_000_000
        took = seconds(lambda there=there, filled=filled, goal=goal: server.sql(  # type: ignore[misc]
            url, FILL.format(there + 1, there + goal - filled)))  # fmt: skip
        there += goal - filled
        server.sql(url, "VACUUM ANALYZE cookiegate.frame")
        server.sql(url, "CHECKPOINT")
        before = sizes(server, url)
        walls, cpus = [], []
        for _ in range(rounds):
            for number in range(rows):
                log.record_visit(visit(number))
            log._writer().close()
            begin = cpu()
            walls.append(seconds(lambda: log.ship(NOON)))
            cpus.append(cpu() - begin)
        table, index, wal = ((now - then) / rows / rounds for now, then in zip(sizes(server, url), before, strict=True))
        wall, used = statistics.median(walls), statistics.median(cpus)
        print(
            f"{goal:>12,} rows (filled in {took:.0f} s): {rows / wall:>9,.0f} rows/s shipped, {min(walls):.2f} to "
            f"{max(walls):.2f} s, {used / rows * 1e6:.1f} µs CPU a row of the shipper; "
            f"bytes a row: table {table:.0f}, index {index:.0f}, WAL {wal:.0f}",
            flush=True,
        )
    log.close()


def sizes(server: Server, url: str) -> tuple[int, int, int]:
    """Bytes of the tables, of their indexes, and written to the log so far."""
    wal = server.sql(url, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")[0][0]
    return (
        int(server.sql(url, SIZE.format("table"))[0][0]),
        int(server.sql(url, SIZE.format("indexes"))[0][0]),
        int(wal),
    )


if __name__ == "__main__":
    main()
