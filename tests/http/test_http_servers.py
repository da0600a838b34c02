"""The same over real servers: uvicorn, hypercorn and granian, over HTTP/1.1 and HTTP/2 where they speak it."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from websockets.sync.client import connect

from tests.contract.world import NAVIGATE, PAGE
from tests.http.client import hang_up, trailers
from tests.visits.place import Place, soon

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
TARGET: Final = "tests.http.served:app"
SERVERS: Final = {
    "uvicorn": "uvicorn --factory {target} --port {port} --no-access-log --log-level warning",
    "hypercorn": "hypercorn {target}() --bind 127.0.0.1:{port} --log-level warning",
    "granian": "granian --interface asgi --factory {target} --host 127.0.0.1 --port {port} --log-level warning --ws",
}
VERSIONS: Final = {"uvicorn": ["1.1"], "hypercorn": ["1.1", "2"], "granian": ["1.1", "2"]}


class Server:
    """One server with its place on a disk; its visitors speak the versions that it does."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.place = Place(root)
        (root / "page.html").write_text(PAGE)
        self.log = root / "log.txt"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        command = SERVERS[name].format(target=TARGET, port=self.port).split()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=root, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    def wait(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with self.visitor("1.1") as visitor:
                    assert visitor.get("/ready").status_code == 200
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.said)

    def visitor(self, version: str) -> httpx.Client:
        first = version == "1.1"
        return httpx.Client(
            base_url=f"http://localhost:{self.port}", http1=first, http2=not first, timeout=30, headers=NAVIGATE
        )

    def visitors(self) -> Iterator[httpx.Client]:
        for version in VERSIONS[self.name]:
            with self.visitor(version) as visitor:
                yield visitor

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(request.param, tmp_path_factory.mktemp(request.param))
    try:
        server.wait()
        yield server
    finally:
        server.stop()
        server.place.end()


def test_a_page_is_gated_until_its_visitor_agrees(server: Server) -> None:
    for visitor in server.visitors():
        before = visitor.get("/")
        assert before.http_version == f"HTTP/{before.headers['x-version']}"
        assert "googletagmanager" not in before.text
        assert "/_privacy/" in before.text
        assert set(before.cookies) == {"session"}
        form = {"action": "save", "purpose": "analytics", "return_to": "/"}
        assert (
            visitor.post("/_privacy/choices", data=form, headers={"sec-fetch-site": "same-origin"}).status_code == 303
        )
        after = visitor.get("/", headers={"cookie": f"_ga=1; _fbp=2; privacy={visitor.cookies['privacy']}"})
        assert "googletagmanager" in after.text
        assert "connect.facebook.net" not in after.text
        assert "_ga=1" in after.headers["x-cookies"]
        assert "_fbp" not in after.headers["x-cookies"]
        assert visitor.head("/").headers.get("vary") == after.headers["vary"]


def test_a_page_that_the_server_is_to_read_is_gated(server: Server) -> None:
    for visitor in server.visitors():
        reply = visitor.get("/file")
        assert reply.text.endswith("</section><h1>Tea</h1></body></html>")
        assert "googletagmanager" not in reply.text


def test_an_event_arrives_before_the_next_is_made(server: Server) -> None:
    for visitor in server.visitors():
        with (
            visitor.stream("GET", "/events", headers={"accept": "text/event-stream"}) as stream,
            server.visitor("1.1") as other,
        ):
            chunks = stream.iter_text()
            for number in range(3):
                assert next(chunks) == f"data: {number}\n\n"
                assert other.post("/next").json() is True
            assert list(chunks) == []


def test_an_upload_arrives_whole(server: Server) -> None:
    body = bytes(range(256)) * 8192
    for visitor in server.visitors():
        for content in (body, iter([body[:1000], body[1000:]])):
            size, digest = visitor.post("/upload", content=content).json()
            assert (size, digest) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_socket_is_told_and_tells_only_cookies_that_were_granted(server: Server) -> None:
    cookies = {"Cookie": "_ga=1; session=s"}
    with connect(f"ws://127.0.0.1:{server.port}/socket", additional_headers=cookies, proxy=None) as wire:
        assert wire.response is not None
        names = [line.partition("=")[0] for line in wire.response.headers.get_all("set-cookie")]
        assert names == ([] if server.name == "granian" else ["session"])  # granian sends no headers of an accept
        for word in ("tea", "차"):
            wire.send(word)
            assert wire.recv(timeout=20) == f"{word} | session=s"


def test_trailers_arrive_without_what_they_may_not_carry(server: Server) -> None:
    if "2" not in VERSIONS[server.name]:
        assert "http.response.trailers" not in server.said
        return
    body, lines = trailers(server.port, "/trailers")
    assert b"googletagmanager" not in body
    assert b"<h1>Tea</h1>" in body
    assert lines == ([("server-timing", "db;dur=5")] if server.name == "hypercorn" else [])


def test_an_app_learns_that_its_client_hung_up_and_the_visit_is_kept(server: Server) -> None:
    rows = server.place.paths().count("/endless")
    assert b"googletagmanager" not in hang_up(server.port, "/endless")
    with server.visitor("1.1") as visitor:
        assert visitor.get("/gone").json() is True
    assert soon(lambda: server.place.paths().count("/endless") == rows + 1, 20)


def test_at_the_end_the_log_has_nothing_to_say(server: Server) -> None:
    with server.visitor("1.1") as visitor:
        assert visitor.get("/_privacy/health").status_code == 200
    assert "Traceback" not in server.said
    assert "rror" not in server.said
