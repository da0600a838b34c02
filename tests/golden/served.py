"""The golden pages over ASGI: ``/<name>`` answers the page as it was written, ``/together?a&b`` several in frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cookiegate import Config, CookieGateMiddleware, Site
from tests.golden.corpus import CORPUS
from tests.golden.pages import BY_NAME, DECLARATION

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

KEY: Final = "a-key-of-the-golden-pages-32-bytes-and-longer"
PIXEL: Final = b"/collect"
PLAIN: Final = [(b"content-type", b"text/html; charset=utf-8")]
TELLING: Final = (b"referrer-policy", b"unsafe-url")  # so that whoever is contacted hears from which page


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the app of the golden pages does; an empty text on every other path."""
    if scope["type"] != "http":
        return
    headers, body = [(b"content-type", b"text/plain")], b""
    if golden := BY_NAME.get(scope["path"].lstrip("/")):
        headers, body = golden.headers, golden.before.replace(PIXEL, PIXEL + b"/" + golden.name.encode())
    elif scope["path"].lstrip("/") in CORPUS:
        headers, body = PLAIN, CORPUS[scope["path"].lstrip("/")][1]
    elif scope["path"] == "/together":
        headers, body = PLAIN, _frames(scope["query_string"])
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, TELLING]})
    await send({"type": "http.response.body", "body": body})


def _frames(query: bytes) -> bytes:
    return b"<!doctype html><title>Tea</title>" + b"".join(
        b"<iframe src=/%b width=50 height=40></iframe>" % name for name in query.split(b"&")
    )


gated = CookieGateMiddleware(bare, config=Config(sites=[Site(**DECLARATION)], secret_keys=[KEY]))
