"""Full disks, wrong clocks, midnight and torn files: no request fails, and what is lost is counted."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cookiegate import CookieGateError
from tests.contract.world import NOW, Answer, Clock, http_scope
from tests.visits.place import Place, ask, completed, health, soon, status_of
from tests.visits.servers import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive, Scope, Send

PLAIN = Answer(b"x", content_type="text/plain")
MIDNIGHT = NOW + 12 * 3600
A_LINE = [(b"user-agent", b"a" * 500)]


@pytest.fixture
def small_disk(place: Place) -> Iterator[Place]:
    """A place whose records stand on 512 KB of their own; only root can have that."""
    place.records.mkdir(mode=0o700)
    mount = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "tmpfs", str(place.records)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True).returncode
    except FileNotFoundError:
        done = 1
    if done:
        pytest.skip("needs root to mount a small file system")
    yield place
    place.end()
    subprocess.run(["umount", "--lazy", place.records], check=True)


def fill(place: Place) -> None:
    """Leave not one byte free."""
    with (place.records / "filler").open("wb", buffering=0) as filler:
        for size in (4096, 1):
            while True:
                try:
                    filler.write(b"x" * size)
                except OSError:
                    break


def test_on_a_full_disk_every_request_is_served_and_what_is_lost_is_counted(small_disk: Place) -> None:
    app = small_disk.app(PLAIN)
    ask(app, "/before")
    fill(small_disk)
    for number in range(100):
        messages = ask(app, f"/full/{number}", A_LINE)
        assert (status_of(messages), completed(messages)) == (200, True)
    assert soon(lambda: health(app)[0] == 503)
    lost = health(app)[1]["lost"]
    (small_disk.records / "filler").unlink()
    ask(app, "/after")
    assert soon(lambda: health(app)[0] == 200)
    rows = Counter(path for path in small_disk.paths() if path != "/_privacy/health")
    assert rows["/before"] == rows["/after"] == 1
    assert set(rows.values()) == {1}
    assert lost >= 102 - len(rows) > 50


def test_on_a_read_only_disk_every_request_is_served_and_counted(small_disk: Place) -> None:
    app = small_disk.app(PLAIN)
    ask(app, "/before")
    small_disk.end(app)  # what is open for writing cannot be made read-only
    subprocess.run(["mount", "-o", "remount,ro", small_disk.records], check=True)
    app = small_disk.app(PLAIN)
    for number in range(10):
        assert status_of(ask(app, f"/lost/{number}")) == 200
    assert soon(lambda: health(app)[1]["lost"] >= 10)
    assert health(app)[0] == 503
    subprocess.run(["mount", "-o", "remount,rw", small_disk.records], check=True)
    assert soon(lambda: completed(ask(app, "/after")) and "/after" in small_disk.paths())
    assert set(small_disk.paths()) == {"/before", "/after"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_write_permission_fails_no_request(place: Place) -> None:
    app = place.app(PLAIN, clock := Clock())
    ask(app, "/before")
    clock.forward(days=1)  # a new day needs a new file
    for path in place.records.rglob("*"):
        if path.is_dir():
            path.chmod(0o500)
    assert status_of(ask(app, "/lost")) == 200
    assert health(app)[1]["lost"] >= 1


class Whole:
    """An app whose answer is one message, as most are."""

    def __init__(self, status: int) -> None:
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"content-type", b"a/b")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("status", [200, 404, 204, 304])
def test_where_the_site_wants_that_no_row_means_a_plain_503(small_disk: Place, status: int) -> None:
    small_disk.declare(records='when_full = "refuse"')
    app = small_disk.app(Whole(status))
    ask(app, "/before")
    fill(small_disk)
    answers = {path: ask(app, path, A_LINE) for path in (f"/{number}" for number in range(30))}
    refused = {path for path, messages in answers.items() if status_of(messages) == 503}
    assert len(refused) > 10
    for path in refused:
        assert completed(answers[path])
        assert dict(answers[path][0]["headers"])[b"content-type"].startswith(b"text/plain")
    (small_disk.records / "filler").unlink()
    assert status_of(ask(app, "/after")) == status
    assert set(small_disk.paths()) == {"/before", "/after"} | (set(answers) - refused)


def test_where_the_site_wants_that_a_begun_answer_without_a_row_is_broken_off(small_disk: Place) -> None:
    small_disk.declare(records='when_full = "refuse"')
    app = small_disk.app(Answer(b"one", b"two", content_type="text/plain"))
    ask(app, "/before")
    fill(small_disk)
    whole = {"/before"}
    for number in range(30):
        messages: list[Message] = []
        try:
            ask(app, f"/{number}", A_LINE, sent=messages)
        except CookieGateError:  # the server then closes the connection
            assert not completed(messages)
        if completed(messages) and status_of(messages) == 200:
            whole.add(f"/{number}")
    assert len(whole) < 20
    (small_disk.records / "filler").unlink()
    assert set(small_disk.paths()) == whole


def test_under_a_limit_on_file_sizes_a_real_server_answers_and_loses_nothing_silently(place: Place) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    place.app(PLAIN)  # it started once before there was a limit
    with served(place, limit=limit) as server:
        connection = server.connect()
        for number in range(120):
            response, _ = connection.send("GET", f"/{number}", {"User-Agent": "a" * 300})
            assert response.status == 200
        _, body = connection.send("GET", "/_privacy/health", {})
        connection.close()
    lost = int(body.split(b'"lost": ')[1].split(b",")[0])
    rows = Counter(path for path in place.paths() if path not in ("/ready", "/_privacy/health"))
    assert len(rows) + lost >= 120
    assert set(rows.values()) == {1}


@pytest.mark.parametrize("back", [60, 5 * 3600, 2 * 86_400, 40 * 86_400], ids=["minute", "hours", "days", "weeks"])
def test_a_clock_set_back_loses_and_doubles_nothing(place: Place, clock: Clock, back: int) -> None:
    app = place.app(PLAIN, clock)
    expected = []
    for number in range(6):
        expected += [f"/{number}/before", f"/{number}/back"]
        assert status_of(ask(app, expected[-2])) == 200
        clock.forward(seconds=-back)
        assert status_of(ask(app, expected[-1])) == 200
        clock.forward(seconds=back + 1)
    assert sorted(place.paths()) == sorted(expected)
    assert health(app)[1]["lost"] == 0


def test_midnight_while_requests_run_loses_and_doubles_nothing(place: Place) -> None:
    clock = Clock(MIDNIGHT - 1)
    app = place.app(PLAIN, clock)
    again = place.app(PLAIN, clock)  # a second worker

    async def one(number: int) -> None:
        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            clock.forward(seconds=0.005)
            await asyncio.sleep(0)

        await (app, again)[number % 2](http_scope(f"/{number}"), receive, send)

    async def crowd() -> None:
        await asyncio.gather(*(one(number) for number in range(300)))

    asyncio.run(crowd())
    assert clock.now > MIDNIGHT
    rows = place.rows()
    assert Counter(row["path"] for row in rows) == Counter(f"/{number}" for number in range(300))
    assert {row["time"][:10] for row in rows} == {"2026-11-18", "2026-11-19"}
    assert len(place.paths("--from", "2026-11-18", "--to", "2026-11-18")) > 0


@pytest.mark.parametrize("tail", ["torn", "zeros", "garbage"])
def test_a_broken_tail_costs_at_most_its_own_row_and_is_reported(place: Place, clock: Clock, tail: str) -> None:
    app = place.app(PLAIN, clock)
    for number in range(5):
        ask(app, f"/{number}")
    place.end(app)
    [segment] = place.segments()
    content = segment.read_bytes()
    broken = {"torn": content[:-3], "zeros": content + bytes(4096), "garbage": content + os.urandom(500)}[tail]
    segment.write_bytes(broken)

    app = place.app(PLAIN, clock)
    for number in range(5, 10):
        assert status_of(ask(app, f"/{number}")) == 200
    kept = 4 if tail == "torn" else 5
    assert sorted(place.paths()) == sorted(f"/{number}" for number in (*range(kept), *range(5, 10)))
    run = place.run("visits", "--config", "cookiegate.toml", "--why", "x", "--from", "2026-11-01", "--to", "2026-11-30")
    assert run.returncode == 0
    assert "1 segment" in run.stderr
    assert place.ledger("access_end")[-1]["damaged"] == 1
