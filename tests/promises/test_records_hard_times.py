"""Killed workers, a store that is away, a full disk, a clock that jumps: nothing is lost silently, nothing twice."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import psutil

from tests.contract.world import Answer, Clock
from tests.promises.shop import destroyed, read_by, wait
from tests.visits.place import ALWAYS, SCRIPT, Place, ask, health
from tests.visits.servers import Server as Web
from tests.visits.servers import served
from tests.visits.test_visit_workers import Load

if TYPE_CHECKING:
    import pytest

    from tests.records.database import Server

PLAIN = Answer(b"x", content_type="text/plain")
OURS = {"/ready", "/_privacy/health"}


def limited(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def on_a_full_disk(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where no file may grow; unmeasured, since coverage would fail to write its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.run(
        [SCRIPT, *arguments], cwd=place.root, env=environment, capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: limited(0),
    )  # fmt: skip


def counted(place: Place) -> Counter[str]:
    code, paths, said = read_by(place)
    assert code == 0, said
    return Counter(path for path in paths if path not in OURS)


def kill_one(web: Web, load: Load) -> None:
    """kill -9 of a worker that has answered."""

    def workers() -> set[int]:
        return load.pids & {child.pid for child in psutil.Process(web.process.pid).children()}

    wait(lambda: bool(workers()))
    os.kill(min(workers()), signal.SIGKILL)


def test_workers_killed_while_the_store_is_away_lose_nothing_and_store_nothing_twice(
    place: Place, url: str, server: Server
) -> None:
    place.declare(records=f'store = "{url}"')
    place.end(place.app(PLAIN))  # the keys are there before two workers begin at once
    web = Web(place, "--workers", "2", "--timeout-worker-healthcheck", "60")
    try:
        web.wait()
        load = Load(web.port, "load")
        try:
            load.wait_for(60)
            kill_one(web, load)
            load.wait_for(60)
            server.stop()
            try:
                load.wait_for(60)
                kill_one(web, load)
                load.wait_for(60)
            finally:
                server.start()
            load.wait_for(60)
            web.kill_all()
        finally:
            load.stop()
    finally:
        web.stop()
    app = place.app(PLAIN)  # whoever starts next ships what the dead left
    ask(app, "/_privacy/health")
    rows = counted(place)
    assert {path for path in load.received if rows[path] != 1} == set()
    assert {path for path, count in rows.items() if count > 1} == set()
    assert set(rows) <= load.asked
    wait(lambda: health(app)[1]["store_backlog"] == 0)
    stored = "SELECT count(*), count(DISTINCT (day, writer, seq)) FROM cookiegate.frame"
    [[frames, distinct]] = server.sql(url, stored)
    assert frames == distinct >= len(rows)
    assert counted(place) == rows


def test_on_a_full_disk_with_a_store_nothing_is_lost_silently(place: Place, url: str, server: Server) -> None:
    place.declare(records=f'store = "{url}"')
    place.end(place.app(PLAIN))
    with served(place, limit=lambda: limited(16_000)) as web:
        connection = web.connect()
        for number in range(120):
            response, _ = connection.send("GET", f"/{number}", {"User-Agent": "a" * 300})
            assert response.status == 200
        _, body = connection.send("GET", "/_privacy/health", {})
        connection.close()
    lost = json.loads(body)["lost"]
    rows = counted(place)
    assert len(rows) + lost >= 120
    assert set(rows.values()) <= {1}


def test_who_cannot_be_entered_in_the_ledger_reads_nothing(place: Place) -> None:
    ask(place.app(PLAIN), "/read-by-nobody")
    place.end()
    run = on_a_full_disk(place, "visits", "--why", "a test", "--format", "jsonl", *ALWAYS)
    assert run.returncode != 0
    assert "read-by-nobody" not in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert run.stderr.strip()
    assert counted(place) == {"/read-by-nobody": 1}


def test_a_clock_ten_years_ahead_destroys_nothing_in_the_store_either(
    place: Place, clock: Clock, url: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    place.declare(records=f'store = "{url}"')
    app = place.app(PLAIN, clock)
    ask(app, "/that-day")
    wait(lambda: server.count(url) == 1)
    clock.forward(days=3652)
    wait(lambda: bool(ask(app, "/later")) and health(app)[1]["waits_until"] is not None)
    for _ in range(20):  # hours pass, and it still is not believed
        clock.forward(seconds=3600)
        code, said = health(app)
        assert (code, bool(said["overdue"])) == (503, True)
    assert destroyed(place, server, url) == []
    clock.forward(days=-3653)
    wait(lambda: health(app)[0] == 200)
    place.end(app)
    assert destroyed(place, server, url) == []
    assert "/that-day" in counted(place)
    assert not re.search(r"203\.0\.113\.77|/that-day", caplog.text)
