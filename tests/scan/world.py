"""Pages as servers send them: encoded, labelled, led astray and broken."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.scan.desk import GA, STRANGER, script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

MARKUP = f"<!doctype html>\n{script(GA)}<p>차</p>"
LATE = """<!doctype html><script>
document.cookie = "_fbp=1"; document.cookie = "cart=1";
for (const [kind, where] of [["script", "https://static.hotjar.com/c/hotjar-1.js"],
                             ["img", "https://late.stranger.example/p.gif"], ["script", "/deep.js"]]) {
  const tag = document.createElement(kind); tag.src = where; document.head.append(tag);
}
</script>"""
DEEP = 'fetch("https://deep.stranger.example/collect"); new WebSocket("wss://socket.stranger.example/");'

THIRD = """<script>new Image().src = `http://localhost:${location.port}/counter`</script>"""


async def _drops() -> AsyncIterator[bytes]:
    for _ in range(20):
        yield b"<p>"
        await asyncio.sleep(0.1)


def _sent(body: bytes | str, kind: str | None = "text/html", status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = Response(body, status, named)
    if kind:
        response.headers["content-type"] = kind
    return response


PAGES: dict[str, Callable[[], Response]] = {
    "plain": lambda: HTMLResponse(MARKUP),
    "korean": lambda: _sent(MARKUP.encode("euc-kr"), "text/html; charset=euc-kr"),
    "packed": lambda: _sent(gzip.compress(MARKUP.encode()), content_encoding="gzip"),
    "unlabelled": lambda: _sent(MARKUP, None),
    "linked": lambda: _sent("<p>x", link=f"<{GA}>; rel=preload, <{STRANGER}>; rel=preload"),
    "clean": lambda: HTMLResponse("<p>x"),
    "late": lambda: HTMLResponse(LATE),
    "deep.js": lambda: _sent(DEEP, "text/javascript"),
    "endless": lambda: HTMLResponse(f"{script(GA)}<script>while (true) {{}}</script>"),
    "third": lambda: HTMLResponse(THIRD),
    "counter": lambda: _sent(b"", "image/gif", set_cookie="uid=1; SameSite=None; Secure"),
    "receipt": lambda: _sent("<p>x", set_cookie="__Host-privacy=x; Secure; Path=/"),
    "gated": lambda: HTMLResponse("<!--privacy:google-analytics--><!--privacy:unknown-->"),
    # what cannot be read
    "snappy": lambda: _sent(b"x", content_encoding="x-snappy"),
    "broken": lambda: _sent(b"no gzip", content_encoding="gzip"),
    "utf-16": lambda: _sent(MARKUP.encode("utf-16")),
    "picture": lambda: _sent(b"\x89PNG", "image/png"),
    "feed": lambda: _sent("<rss/>", "application/rss+xml"),
    "fault": lambda: HTMLResponse(MARKUP, 500),
    "large": lambda: HTMLResponse("x" * (17 << 20)),
    "bomb": lambda: _sent(gzip.compress(b"x" * (17 << 20)), content_encoding="gzip"),
    "words": lambda: _sent("just words", None),
    "bare feed": lambda: _sent("<?xml version='1.0'?><rss/>", None),
    "slow": lambda: StreamingResponse(_drops(), media_type="text/html"),
    "loop": lambda: RedirectResponse("/loop"),
    "elsewhere": lambda: RedirectResponse("https://host.invalid/"),
    "odd": lambda: RedirectResponse("http://[/"),
}


async def _answer(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "door":
        response = RedirectResponse("/plain")
        response.set_cookie("_ga", "GA1.1")
        response.set_cookie("session", "1")
        return response
    if name not in PAGES:
        return HTMLResponse("", 404)
    return PAGES[name]()


world = Starlette(routes=[Route("/{name:path}", _answer)])
