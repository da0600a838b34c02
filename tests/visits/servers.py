"""Real uvicorn servers in processes of their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.visits.place import Place

APP = """
import logging, os
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from cookiegate import Config, CookieGateMiddleware, consent_of

logging.basicConfig(level=logging.DEBUG)

async def chunks():
    for number in range(3):
        yield b"chunk %d" % number

async def answer(request):
    if request.url.path.endswith("/stream"):
        return StreamingResponse(chunks(), media_type="text/plain", headers={"x-pid": str(os.getpid())})
    return JSONResponse({"id": consent_of(request).id}, headers={"x-pid": str(os.getpid())})

shop = Starlette(routes=[Route("/{path:path}", answer)])
app = CookieGateMiddleware(shop, config=Config.load("cookiegate.toml"))
"""


class Server:
    """One uvicorn, its workers with it in a process group of their own."""

    def __init__(self, place: Place, *options: str, limit: Callable[[], None] | None = None) -> None:
        (place.root / "shop_app.py").write_text(APP)
        self._log = place.root / "stderr.txt"
        self._stderr = self._log.open("ab")
        self.port = _free_port()
        where = () if "--uds" in options else ("--port", str(self.port))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "shop_app:app", "--no-access-log", "--no-proxy-headers",
             "--log-level", "warning", *where, *options],
            cwd=place.root, stdout=self._stderr, stderr=self._stderr, start_new_session=True, preexec_fn=limit,
        )  # fmt: skip
        self._socket = place.root / options[options.index("--uds") + 1] if "--uds" in options else None

    @property
    def stderr(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self) -> None:
        """Until it answers."""
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self._socket:
                    assert get_by_socket(self._socket, "/ready") == 200
                else:
                    with closing(self.connect()) as connection:
                        connection.get("/ready")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.stderr)

    def connect(self) -> Connection:
        return Connection(self.port)

    def kill_all(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill_all()
        self._stderr.close()


class Connection:
    """One client that keeps its connection, as a browser does."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
        """The response, after all of it has been received."""
        return self.send("GET", path, headers or {})[0]

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, path, body, dict(headers))
        response = self._connection.getresponse()
        return response, response.read()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def served(place: Place, *options: str, limit: Callable[[], None] | None = None) -> Iterator[Server]:
    server = Server(place, *options, limit=limit)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def get_by_socket(path: Path, target: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of one request over a Unix socket."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n{lines}\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return int(answer.split()[1])


def consent_id(body: bytes) -> str:
    return str(json.loads(body)["id"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
