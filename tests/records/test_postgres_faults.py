"""Workers, shippers and the server die at any moment: every acknowledged visit is in the store, exactly once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import VisitLog
from cookiegate.records.postgres import Connection, Database, StoreAway
from tests.records.test_postgres import ALWAYS, SITE, paths_read, segments, shipped
from tests.records.visits import A_DAY, NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.records.database import Server

ROUNDS, WRITERS = 6, 3


def _write_until_killed(log: VisitLog, name: str, acknowledge: int) -> None:
    number = 0
    while True:
        path = f"/{name}/{number}"
        log.record_visit(a_visit(SITE, NOON + number / 1000, path=path))
        os.write(acknowledge, f"{path}\n".encode())  # the complete response leaves
        number += 1
        if not number % 50:
            time.sleep(0.01)
            log.roll()


def _ship_until_killed(log: VisitLog) -> None:
    while True:
        with suppress(RecordsError):
            log.ship(NOON)


def _start(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    return child


def _kill(*children: int) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def test_killed_writers_shippers_and_servers_lose_nothing_and_store_nothing_twice(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cookiegate.records.log.FULL", 20_000)  # bytes: many segments
    monkeypatch.setattr("cookiegate.records.shipping.ROWS", 200)
    log, chance = open_log(store=url), random.Random()
    log.purge(NOON, steady=0)
    log.close()
    acknowledged = tmp_path / "acknowledged"
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    writers: list[int] = []
    for turn in range(ROUNDS):
        for number in range(len(writers), WRITERS):
            writers.append(_start(lambda name=f"{turn}-{number}": _write_until_killed(log, name, file)))  # type: ignore[misc]
        shipper = _start(lambda: _ship_until_killed(log))
        time.sleep(chance.uniform(0.1, 0.3))
        if turn % 3 == 1:
            server.kill()
        _kill(shipper, writers.pop(chance.randrange(WRITERS)))
        if turn % 3 == 1:
            server.start()
    _kill(*writers)
    os.close(file)
    promised = set(acknowledged.read_text().split())
    shipped(log)
    assert segments(tmp_path) == []
    stored = Counter(paths_read(log))
    assert len(promised) > 200
    assert promised <= set(stored)
    assert set(stored.values()) == {1}
    assert len(stored) - len(promised) <= ROUNDS + WRITERS  # written, and killed before the response left


def test_a_store_that_is_away_costs_disk_and_no_data(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    log = open_log(store=url)
    log.record_visit(a_visit(SITE, NOON, path="/0"))
    assert log.ship(NOON) == 1
    server.stop()
    try:
        log.record_visit(a_visit(SITE, NOON + 60, path="/1"))
        late = open_log(store=url)  # a worker that starts meanwhile
        late.record_visit(a_visit(SITE, NOON + 61, path="/2"))
        late.close()
        with pytest.raises(RecordsError, match="cannot be reached"):
            log.ship(NOON + 90)
        with pytest.raises(RecordsError, match="cannot be reached"):
            log.purge(NOON + 90)
        with pytest.raises(RecordsError, match="cannot be reached"):
            log.read(SITE.name, *ALWAYS, now=NOON, who="t", why="t")
        health = log.health(NOON + 90)
        assert health.ok
        assert health.store
        assert health.store.backlog > 100
        assert "geheim" not in health.store.fault
        assert not log.health(NOON + 90 + 3600).ok
    finally:
        server.start()
    assert log.ship(NOON + 120) == 2
    health = log.health(NOON + 120)
    assert health.store
    assert (health.store.backlog, health.store.fault, health.store.reached) == (0, "", NOON + 120)
    assert paths_read(log) == ["/0", "/1", "/2"]


def test_where_the_store_forgot_how_far_it_came_nothing_is_stored_twice(
    open_log: OpenLog, url: str, server: Server
) -> None:
    log = open_log(store=url)
    for number in range(50):
        log.record_visit(a_visit(SITE, NOON + number, path=f"/{number}"))
        if number == 30:
            log.ship(NOON)
    server.sql(url, "UPDATE cookiegate.writer SET shipped = 0, frames = 0")
    again = open_log(store=url)
    log._writer().close()
    shipped(again)
    assert server.sql(url, "SELECT count(*) FROM cookiegate.frame")[0][0] == 50
    assert sorted(paths_read(again)) == sorted(f"/{number}" for number in range(50))


def test_two_shippers_at_once_store_nothing_twice(
    open_log: OpenLog, url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cookiegate.records.shipping.ROWS", 7)
    logs = [open_log(store=url), open_log(store=url)]  # in one process the lock does not tell them apart
    for number in range(300):
        logs[number % 2].record_visit(a_visit(SITE, NOON + number, path=f"/{number}"))
    for log in logs:
        log._writer().close()
    threads = [Thread(target=_ship_to_the_end, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.sql(url, "SELECT count(*), (SELECT sum(frames) FROM cookiegate.writer) FROM cookiegate.frame") == [
        (300, 300)
    ]
    assert paths_read(logs[0]) == [f"/{number}" for number in range(300)]


def _ship_to_the_end(log: VisitLog) -> None:
    for _ in range(3):
        with suppress(RecordsError):
            log.ship(NOON)


def test_a_torn_frame_is_counted_and_its_segment_stays(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    log.record_visit(a_visit(SITE, NOON, path="/0"))
    log._writer().close()
    [segment] = segments(tmp_path)
    with segment.open("ab") as file:
        file.write(b"\x80\0\0\0 torn")
    assert shipped(log) == 1
    assert shipped(log) == 0
    assert segments(tmp_path) == [segment]
    segment.unlink()  # another host sees only the store
    reading = log.read(SITE.name, *ALWAYS, now=NOON, who="t", why="t")
    assert len(list(reading)) == 1
    assert reading.damaged == 1


def test_no_canary_stands_in_the_database_nor_in_its_write_ahead_log(
    open_log: OpenLog, url: str, server: Server
) -> None:
    log = open_log(store=url)
    for number in range(50):
        canary = {"address": f"198.18.7.{number + 100}", "path": f"/kim.{number:04}@canary.example",
                  "agent": f"agent-canary-{number:04}", "consent_id": f"consent-canary-{number:04}",
                  "referrer": f"https://canary-{number:04}.example/"}  # fmt: skip
        log.record_visit(a_visit(SITE, NOON, granted=("analytics",), **canary))
    assert shipped(log) == 50
    assert len(paths_read(log, address="198.18.7.103")) == 1
    server.sql(url, "CHECKPOINT")
    later = datetime(2027, 3, 1, tzinfo=UTC).timestamp()
    log.purge(later - 86_400, steady=0)
    assert log.purge(later, steady=86_400)
    server.sql(url, "CHECKPOINT")
    for path in server.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"canary" not in content, path
            assert b"198.18.7." not in content, path


def test_a_day_that_does_not_open_holds_up_no_other(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    for number in range(2):
        log.record_visit(a_visit(SITE, NOON + number * A_DAY, path=f"/{number}"))
    first, _ = sorted((tmp_path / "records" / "keys" / "visits").glob("*/2026-*"))
    first.write_bytes(b"{")
    with pytest.raises(RecordsError, match="does not open this day"):
        shipped(log)
    assert [path.parent.name for path in segments(tmp_path)] == ["2026-11-21"]


def test_a_commit_is_on_the_servers_disk_whatever_that_is_set_to(url: str, server: Server) -> None:
    server.sql(url, f"ALTER DATABASE {urlsplit(url).path[1:]} SET synchronous_commit = off")

    async def nothing(_: Connection) -> None:
        """Prepare nothing."""

    async def asked(connection: Connection) -> str:
        return str(await connection.fetchval("SHOW synchronous_commit"))

    database = Database(url, nothing)
    assert database.run(asked) == "on"
    database.close()


def test_a_server_that_does_not_answer_delays_no_end(url: str) -> None:
    begun, ended = Event(), Event()

    async def nothing(_: Connection) -> None:
        """Prepare nothing."""

    async def asked(connection: Connection) -> None:
        begun.set()
        await connection.execute("SELECT pg_sleep(50)")

    def ask() -> None:
        with pytest.raises(StoreAway):
            database.run(asked)
        ended.set()

    database = Database(url, nothing)
    asking = Thread(target=ask)
    asking.start()
    assert begun.wait(30)
    database.close()
    asking.join(30)
    assert ended.is_set()
