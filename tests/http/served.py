"""What real servers serve in these tests: one small app, and what happened to it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cookiegate import Config, CookieGateMiddleware
from tests.contract.world import PAGE
from tests.http.wire import HTML, JSON, Lines, part, start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIES: Final[Lines] = [(b"set-cookie", b"_ga=GA1.1; Path=/"), (b"set-cookie", b"session=s; Path=/; HttpOnly")]
EVENTS: Final[Lines] = [(b"content-type", b"text/event-stream")]
FILE: Final = Path.cwd() / "page.html"
TRAILERS: Final[Lines] = [(b"server-timing", b"db;dur=5"), (b"set-cookie", b"_ga=1"), (b"repr-digest", b"sha-256=:x:")]


class Shop:
    """Pages, streams, uploads and a socket; ``/next`` and ``/gone`` tell the test what the others wait for."""

    def __init__(self) -> None:
        self.next = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lived(receive, send)
        elif scope["type"] == "websocket":
            await socket(scope, receive, send)
        else:
            route: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]] = {
                "/events": self.events,
                "/next": self.go_on,
                "/upload": upload,
                "/endless": self.endless,
                "/gone": self.is_gone,
                "/trailers": trailers,
                "/file": file,
            }
            await route.get(scope["path"], page)(scope, receive, send)

    async def events(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(EVENTS))
        for number in range(3):
            await send(part(b"data: %d\n\n" % number, more=True))
            await self.next.wait()
            self.next.clear()
        await send(part(b""))

    async def go_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.next.set()
        await told(send, True)

    async def endless(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the client goes: the server says so to who listens, or to who sends."""
        listener = asyncio.create_task(until_gone(receive))
        try:
            await send(start(HTML))
            while not listener.done():
                with suppress(OSError):
                    await send(part(PAGE.encode(), more=True))
                await asyncio.sleep(0.01)
        finally:
            listener.cancel()
            self.gone.set()

    async def is_gone(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.wait_for(self.gone.wait(), 20)
        self.gone.clear()
        await told(send, True)


async def told(send: Send, value: object) -> None:
    await send(start(JSON))
    await send(part(json.dumps(value).encode()))


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    await send(start([*HTML, *COOKIES, (b"x-cookies", cookies), (b"x-version", scope["http_version"].encode())]))
    await send(part(PAGE[:200].encode(), more=True))
    await send(part(PAGE[200:].encode()))


async def upload(scope: Scope, receive: Receive, send: Send) -> None:
    size, digest = 0, hashlib.sha256()
    more = True
    while more:
        message = await receive()
        size += len(message["body"])
        digest.update(message["body"])
        more = message["more_body"]
    await told(send, [size, digest.hexdigest()])


async def trailers(scope: Scope, receive: Receive, send: Send) -> None:
    able = "http.response.trailers" in scope["extensions"]
    await send(start(HTML, trailers=able))
    await send(part(PAGE.encode()))
    if able:
        await send({"type": "http.response.trailers", "headers": TRAILERS, "more_trailers": False})


async def file(scope: Scope, receive: Receive, send: Send) -> None:
    """A page that the server is to read, where it can."""
    if "http.response.pathsend" not in scope.get("extensions", {}):
        await page(scope, receive, send)
        return
    await send(start(HTML))
    await send({"type": "http.response.pathsend", "path": str(FILE)})


async def socket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept", "headers": COOKIES})
    while (message := await receive())["type"] == "websocket.receive":
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode()
        await send({"type": "websocket.send", "text": f"{message.get('text')} | {cookies}"})


async def until_gone(receive: Receive) -> Message:
    while (message := await receive())["type"] != "http.disconnect":
        pass
    return message


async def lived(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def app() -> ASGIApp:
    """For the servers' factory options: the configuration lies where they were started."""
    return CookieGateMiddleware(Shop(), config=Config.load("cookiegate.toml"))
