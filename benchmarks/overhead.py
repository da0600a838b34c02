"""What a small JSON answer costs behind cookiegate, visit log off and on: ``python -m benchmarks.overhead``."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cookiegate import Config, CookieGateMiddleware, Site
from cookiegate.config import Records

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

REQUESTS, ROUNDS = 3000, 9
SERVICES = ["google-analytics", "youtube", "meta-pixel"]
SCOPE: dict[str, Any] = {
    "type": "http", "method": "GET", "path": "/api", "raw_path": b"/api", "query_string": b"", "root_path": "",
    "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1234), "extensions": {}, "state": {},
    "headers": [
        (b"host", b"localhost"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"), (b"accept-language", b"en"),
        (b"cookie", b"a=b; session=xyz"),
    ],
}  # fmt: skip
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})


class Empty:
    """The middleware that does nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def passed(message: MutableMapping[str, Any]) -> None:
            await send(message)

        await self.app(scope, receive, passed)


async def _receive() -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: MutableMapping[str, Any]) -> None:
    pass


async def _microseconds(app: ASGIApp) -> float:
    began = time.thread_time()
    for _ in range(REQUESTS):
        await app(SCOPE, _receive, _send)
    return (time.thread_time() - began) / REQUESTS * 1e6


async def main() -> None:
    key = "a-key-for-benchmarks-of-at-least-32-bytes"
    with tempfile.TemporaryDirectory() as place:
        plain = Site("Shop", services=SERVICES, unknown="withhold")
        logged = Site("Shop", services=SERVICES, unknown="withhold", visits={"basis": "security"})
        records = Records(directory=Path(place, "data"), key_directory=Path(place, "keys"))
        contenders: dict[str, ASGIApp] = {
            "empty middleware": Empty(app),
            "cookiegate, log off": CookieGateMiddleware(app, config=Config(sites=[plain], secret_keys=[key])),
            "cookiegate, log on": CookieGateMiddleware(
                app, config=Config(sites=[logged], secret_keys=[key], records=records)
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):  # alternating, so that a busy machine is busy for all
            for name, contender in contenders.items():
                taken[name].append(await _microseconds(contender))
        for name, times in taken.items():
            print(f"{name:22} {statistics.median(times):8.1f} µs of CPU a request (least {min(times):.1f})")


if __name__ == "__main__":
    asyncio.run(main())
