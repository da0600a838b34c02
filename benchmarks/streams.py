"""What 100 bodies of 50 MB at once take of memory: ``python -m benchmarks.streams [count] [megabytes]``."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, Any, Final

from cookiegate import Config, CookieGateMiddleware, Site

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    Message = MutableMapping[str, Any]

CHUNK: Final = 64 * 1024
TEA: Final = b"<li class='tea'><a href='/tea/ujeon'>Ujeon</a> &amp; <b>others</b>\n"
SCRIPT: Final = b"<script async src='https://www.google-analytics.com/analytics.js'></script>"
PAGE: Final = (TEA * ((CHUNK - len(SCRIPT)) // len(TEA)) + SCRIPT).ljust(CHUNK)
BYTES: Final = bytes(range(256)) * (CHUNK // 256)
KINDS: Final = {
    "download": (b"application/octet-stream", BYTES),
    "page": (b"text/html; charset=utf-8", PAGE),
    "upload": (b"application/json", BYTES),
}
SCOPE: Final[dict[str, Any]] = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "path": "/", "raw_path": b"/",
    "query_string": b"", "root_path": "", "scheme": "https", "extensions": {},
    "server": ("localhost", 443), "client": ("127.0.0.1", 1234),
    "headers": [(b"host", b"localhost"), (b"accept", b"text/html,*/*;q=0.8")],
}  # fmt: skip


def gated(kind: str, chunks: int) -> ASGIApp:
    """An app that sends or receives so many chunks, behind cookiegate."""
    content, chunk = KINDS[kind]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while kind == "upload" and (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content)]})
        for _ in range(0 if kind == "upload" else chunks):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    site = Site("Shop", services=["google-analytics", "meta-pixel"], unknown="withhold")
    return CookieGateMiddleware(app, config=Config(sites=[site], secret_keys=["a-key-of-this-benchmark-of-32-bytes"]))


async def one(app: ASGIApp, kind: str, chunks: int) -> int:
    """One visitor; the bytes that went through. Every message lets the others go first, as a network does."""
    left, passed = chunks, 0

    async def receive() -> Message:
        nonlocal left, passed
        await asyncio.sleep(0)
        left -= 1
        passed += CHUNK
        return {"type": "http.request", "body": BYTES, "more_body": left > 0}

    async def send(message: Message) -> None:
        nonlocal passed
        await asyncio.sleep(0)
        passed += len(message.get("body", b""))

    await app({**SCOPE, "method": "POST" if kind == "upload" else "GET"}, receive, send)
    return passed


async def flood(app: ASGIApp, kind: str, count: int, chunks: int) -> int:
    """So many visitors at once; the bytes of all."""
    return sum(await asyncio.gather(*(one(app, kind, chunks) for _ in range(count))))


def peak(kind: str, count: int, chunks: int) -> tuple[int, int]:
    """The most memory that Python held for *count* visitors at once, beyond what one left; the bytes of all."""
    app = gated(kind, chunks)
    asyncio.run(one(app, kind, 2))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    passed = asyncio.run(flood(app, kind, count, chunks))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most - before, passed


def main(count: int = 100, megabytes: int = 50) -> None:
    print(f"{count} at once; MB each\n")
    print(f"{'':10}{'MB':>5}{'seconds':>9}{'MB/s':>8}{'process grew by, MB':>22}")
    # Pages are read byte by byte, the others pass: a tenth shows as much in the same time.
    for kind, size in (("download", megabytes), ("upload", megabytes), ("page", max(1, megabytes // 10))):
        chunks = size * 2**20 // CHUNK
        app = gated(kind, chunks)
        asyncio.run(flood(app, kind, count, 2))  # what so many visitors cost, however little they load
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        passed = asyncio.run(flood(app, kind, count, chunks))
        seconds = time.perf_counter() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{kind:10}{size:5}{seconds:9.1f}{passed / 2**20 / seconds:8.0f}{grown:22.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
