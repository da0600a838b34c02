"""kill -9 of writing processes at random moments: every acknowledged visit is there, exactly once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

from cookiegate.records import Visit
from tests.records.visits import NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from cookiegate.records import VisitLog

SITE = a_site()
ROUNDS, WRITERS = 6, 4


def _write_until_killed(log: VisitLog, name: str, acknowledge: int) -> None:
    number = 0
    while True:
        path = f"/{name}/{number}"
        log.record_visit(a_visit(SITE, NOON + number / 1000, path=path))
        os.write(acknowledge, f"{path}\n".encode())  # the complete response leaves
        number += 1


def _start(log: VisitLog, name: str, acknowledge: int) -> int:
    child = os.fork()
    if not child:
        try:
            _write_until_killed(log, name, acknowledge)
        finally:
            os._exit(1)
    return child


@pytest.mark.parametrize("all_at_once", [False, True], ids=["one", "all"])
def test_every_acknowledged_visit_survives_kill_9_exactly_once(
    open_log: OpenLog, tmp_path_factory: pytest.TempPathFactory, *, all_at_once: bool
) -> None:
    log, chance = open_log(site=SITE), random.Random()
    acknowledged = tmp_path_factory.mktemp("client") / "acknowledged"
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    running: list[int] = []
    for turn in range(ROUNDS):
        running += [_start(log, f"{turn}-{len(running) + n}", file) for n in range(WRITERS - len(running))]
        time.sleep(chance.uniform(0.02, 0.15))
        chance.shuffle(running)
        last = turn == ROUNDS - 1
        killed, running = (running, []) if all_at_once or last else (running[:1], running[1:])
        for child in killed:
            os.kill(child, signal.SIGKILL)
        for child in killed:
            assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    os.close(file)
    promised = set(acknowledged.read_text().split())
    reading = log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t")
    stored = Counter(row.path for row in reading if isinstance(row, Visit))
    assert len(promised) > 1000
    assert promised <= set(stored)
    assert set(stored.values()) == {1}
    assert len(stored) - len(promised) <= ROUNDS * WRITERS  # written, and killed before the response left
    assert reading.damaged <= ROUNDS * WRITERS  # the kernel may end a write of who is killed between two pages
