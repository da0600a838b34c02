"""How these tests put pages through the middleware, as whoever granted so much."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from tests.contract.world import NAVIGATE, Visitor, drive, gated, http_scope
from tests.golden.pages import DECLARATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.types import Message, Receive, Scope, Send

HTML: Final = [(b"content-type", b"text/html; charset=utf-8")]


class Pieces:
    """An app that answers whatever it was told to, in these pieces, and notes how much had left before each."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: Sequence[bytes] = ()
        self.sent: list[Message] = []
        self.left_before: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.left_before = []
        await send({"type": "http.response.start", "status": 200, "headers": list(self.headers)})
        for chunk in self.chunks:
            self.left_before.append(self.left())
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self.left_before.append(self.left())
        await send({"type": "http.response.body", "body": b""})

    def left(self) -> bytes:
        """What has left the gate until now."""
        return b"".join(message.get("body", b"") for message in self.sent)


APP: Final = Pieces()
GATED: Final = gated(APP, **DECLARATION, hosts=["shop.test"])


@cache
def _receipt(granted: tuple[str, ...]) -> str:
    visitor = Visitor(GATED)
    visitor.choose("save", *granted)
    return "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())


def answer(
    chunks: Iterable[bytes], headers: list[tuple[bytes, bytes]] | None = None, *, granted: tuple[str, ...] = ()
) -> list[Message]:
    """What is sent to a visitor who granted these purposes and refused the others."""
    cookie = _receipt(granted)
    APP.chunks, APP.headers, APP.sent = tuple(chunks), headers or HTML, []
    return drive(GATED, http_scope("/tea/", headers={**NAVIGATE, "cookie": cookie}), sent=APP.sent)


def gate(page: bytes, *sizes: int, granted: tuple[str, ...] = ()) -> bytes:
    """Return the gated page, given whole or in chunks of these sizes."""
    answer(cut(page, *sizes), granted=granted)
    return APP.left()


def cut(page: bytes, *sizes: int) -> list[bytes]:
    """Return the page in chunks of these sizes, the last one again and again; whole without any."""
    chunks, at, turn = [], 0, 0
    while at < len(page):
        size = sizes[min(turn, len(sizes) - 1)] if sizes else len(page)
        chunks.append(page[at : at + size])
        at, turn = at + size, turn + 1
    return chunks
