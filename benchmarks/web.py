"""Requests a second under uvicorn and wrk: ``python -m benchmarks.web`` (needs wrk; uvloop and httptools if there).

One worker for each contender; wrk asks them in turn, so that a busy machine is busy for all. The best round of each
counts: what disturbs a round only makes it slower.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from benchmarks.overhead import CATALOGUE, TEMPLATE, Empty, gated
from benchmarks.overhead import app as smallest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

ROUNDS, SECONDS, CONNECTIONS = 5, 2, 16
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
JSON = ["-H", "Accept: */*"]
PAGE = ["-H", "Accept: text/html,*/*;q=0.8", "-H", "Sec-Fetch-Dest: document", "-H", "Sec-Fetch-Mode: navigate"]


async def _json(request: Request) -> JSONResponse:
    return JSONResponse({"goods": 3, "sum": "12.40"})


async def _page(request: Request) -> HTMLResponse:
    return HTMLResponse(TEMPLATE.render(name="Tea house", catalogue=CATALOGUE))


def _shop() -> ASGIApp:
    return Starlette(routes=[Route("/", _page), Route("/json", _json)])


CONTENDERS: dict[str, Callable[[], ASGIApp]] = {
    "smallest": lambda: Empty(smallest),
    "smallest, log off": lambda: gated(smallest),
    "smallest, log on": lambda: gated(smallest, os.environ["PLACE"]),
    "starlette": lambda: Empty(_shop()),
    "starlette, log off": lambda: gated(_shop()),
    "starlette, log on": lambda: gated(_shop(), os.environ["PLACE"]),
    "starlette, gzip": lambda: GZipMiddleware(_shop()),
}
RACES = {
    "a small JSON from a bare ASGI app": ("/", JSON, ["smallest", "smallest, log off", "smallest, log on"]),
    "a small JSON from Starlette": ("/json", JSON, ["starlette", "starlette, log off", "starlette, log on"]),
    "a page of 30 KB from Jinja2": (
        "/", [*PAGE, "-H", "Accept-Encoding: gzip"], ["starlette", "starlette, log off", "starlette, gzip"]
    ),
}  # fmt: skip


def _serve(name: str, port: int) -> None:
    import uvicorn

    uvicorn.run(CONTENDERS[name](), port=port, log_level="error", access_log=False)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _started(name: str, stack: ExitStack) -> int:
    """Start a server that ends with *stack*; return its port once it answers."""
    port = _free_port()
    place = stack.enter_context(tempfile.TemporaryDirectory())
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.web", name, str(port)], env={**os.environ, "PLACE": place}
    )
    stack.callback(server.wait)
    stack.callback(server.terminate)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return port


def _per_second(port: int, path: str, headers: list[str]) -> float:
    said = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"User-Agent: {AGENT}", *headers,
         "-H", "Accept-Language: en", "-H", "Cookie: a=b; session=xyz", f"http://localhost:{port}{path}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    if found is None or "Non-2xx" in said:
        raise SystemExit(said)
    return float(found[1])


def main() -> None:
    """Run every race."""
    with ExitStack() as stack:
        ports = {name: _started(name, stack) for name in CONTENDERS}
        for title, (path, headers, names) in RACES.items():
            best = dict.fromkeys(names, 0.0)
            for _ in range(ROUNDS):
                for name in names:
                    best[name] = max(best[name], _per_second(ports[name], path, headers))
            print(title)
            for name, rate in best.items():
                print(f"  {name:20} {rate:8.0f} a second, {rate / best[names[0]]:.2f} × the first")


if __name__ == "__main__":
    if sys.argv[1:]:
        _serve(sys.argv[1], int(sys.argv[2]))
    else:
        main()
