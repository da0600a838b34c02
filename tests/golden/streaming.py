"""How much memory does one long page take? Run as a process of its own: ``python -m tests.golden.streaming <kind>``."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import tracemalloc
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

from cookiegate import Config, CookieGateMiddleware, Site
from tests.contract.world import KEY, http_scope
from tests.golden.pages import DECLARATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive, Scope, Send

CHUNK: Final = 64 * 1024
TEA: Final = b"<li class='tea'><a href='/tea/ujeon' title=\"a > b\">Ujeon</a> &amp; <b>others</b>\r\n"
SCRIPT: Final = (
    b"<script async src='https://www.google-analytics.com/analytics.js'></script><script>tea('</p>')</script>"
)
# What stands at the beginning, and what then comes again and again.
KINDS: Final = {
    "page": (b"<!doctype html><title>Tea</title><ul>", TEA * 1500 + SCRIPT),
    "comment": (b"<!doctype html><p>tea<!--", b" - tea --" * 5000),
    "script": (b"<!doctype html><p>tea<script>", b"tea('</p>');\n" * 5000),
    "tag": (b"<!doctype html><p>tea<img alt='", b"tea > tea " * 5000),
    "style": (b"<!doctype html><p>tea<style>", b"p{color:red} " * 5000),
    "noscript": (b"<!doctype html><p>tea<noscript>", TEA * 1500),
    "title": (b"<!doctype html><title>", b"tea < tea " * 5000),
}


def _chunks(kind: str, size: int) -> Iterator[bytes]:
    """Yield *size* bytes of the page; the same few objects again and again, so that they cost nothing."""
    start, filler = KINDS[kind]
    block = (filler * (4 * CHUNK // len(filler) + 1))[: 4 * CHUNK + 17]
    parts = [block[at : at + CHUNK] for at in range(0, len(block), CHUNK)]
    yield start
    yield from islice(cycle(parts), size * len(parts) // len(block))


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    _, kind, size = scope["path"].split("/")
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for chunk in _chunks(kind, int(size)):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


GATED: Final = CookieGateMiddleware(_app, config=Config(sites=[Site(**DECLARATION)], secret_keys=[KEY]))


async def _stream(kind: str, size: int) -> int:
    """Return how many bytes of the page leave."""
    left = 0

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal left
        left += len(message.get("body", b""))

    await GATED(http_scope(f"/{kind}/{size}"), receive, send)
    return left


def main(kind: str, size: int) -> None:
    """Print the peak of what was allocated while the page passed, what left, and the seconds."""
    asyncio.run(_stream(kind, 4 * CHUNK))  # what is made once is not the page's
    tracemalloc.start()
    before, began = tracemalloc.get_traced_memory()[0], time.monotonic()
    left = asyncio.run(_stream(kind, size))
    peak = tracemalloc.get_traced_memory()[1] - before
    sys.stdout.write(json.dumps({"peak": peak, "left": left, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
