"""Four workers under load, killed at random: whoever received a whole answer has exactly one row."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.visits.place import ALWAYS, Place
from tests.visits.servers import Connection, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = int(os.environ.get("COOKIEGATE_KILLS", "4"))
CLIENTS = 6


class Load:
    """Clients that ask for paths that nobody asked for before, and remember what they received whole."""

    def __init__(self, port: int, name: str) -> None:
        self.asked: set[str] = set()
        self.received: set[str] = set()
        self.pids: set[int] = set()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(port, f"/{name}/{client}")) for client in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, port: int, below: str) -> None:
        connection = Connection(port)
        for number in range(1_000_000):
            if self._stop.is_set():
                break
            path = f"{below}/{number}" + "/stream" * (number % 2)
            self.asked.add(path)
            try:
                response = connection.get(path)
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = Connection(port)
                time.sleep(0.01)
                continue
            assert response.status == 200
            self.received.add(path)
            self.pids.add(int(response.headers["x-pid"]))
            if not number % 20:
                connection.close()  # the next request may meet another worker
        connection.close()

    def wait_for(self, answers: int) -> None:
        """Until so many more have come, however slow the machine is."""
        goal, end = len(self.received) + answers, time.monotonic() + 120
        while len(self.received) < goal:
            assert time.monotonic() < end, f"{len(self.received)} answers, not {goal}"
            time.sleep(0.01)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)


def _rounds(place: Place) -> Iterator[Load]:
    chance = random.Random(3)
    for number in range(ROUNDS):
        server = Server(place, "--workers", "4", "--timeout-worker-healthcheck", "60")
        try:
            server.wait()
            load = Load(server.port, str(number))
            try:
                load.wait_for(chance.randrange(40, 400))
                os.kill(chance.choice(sorted(load.pids)), signal.SIGKILL)
                load.wait_for(chance.randrange(20, 200))
                server.kill_all()
            finally:
                load.stop()
            yield load
        finally:
            server.stop()


def test_every_answer_received_whole_has_exactly_one_row_whoever_is_killed(place: Place) -> None:
    loads = list(_rounds(place))
    received = set().union(*(load.received for load in loads))
    asked = set().union(*(load.asked for load in loads))
    assert len(received) >= 60 * ROUNDS
    assert max(len(load.pids) for load in loads) > 1
    run = place.run("visits", "--config", str(place.path), "--why", "a test", "--format", "jsonl", *ALWAYS)
    assert run.returncode == 0, run.stderr
    rows = Counter(json.loads(line)["path"] for line in run.stdout.splitlines())
    del rows["/ready"]
    assert {path for path in received if rows[path] != 1} == set()
    assert {path for path, count in rows.items() if count > 1} == set()
    assert set(rows) <= asked
