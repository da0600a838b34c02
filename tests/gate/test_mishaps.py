"""When something goes wrong, and what the visitor sends: nothing is lost and nothing opens the gate."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

import pytest
from starlette.middleware.gzip import GZipMiddleware

from tests.contract.world import GA, PAGE, Answer, Visitor, body_of, drive, gated, http_scope
from tests.gate.messages import GATED, HTML, JSON, body, left_by, sending, start

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


# -- when something goes wrong


class GoneError(OSError):
    """What a server raises when the client is gone."""


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


STREAM = [start(HTML), *(body(part.encode() + b"<p>" * 99, more=True) for part in PAGE.split("<")), body(b"")]


def test_a_client_that_goes_at_any_point_ends_the_response_there() -> None:
    whole = left_by(*STREAM)
    for at in range(len(whole)):
        sent: list[Message] = []

        async def call(at: int = at, sent: list[Message] = sent) -> None:
            async def send(message: Message) -> None:
                if len(sent) == at:
                    raise GoneError
                sent.append(message)

            await gated(sending(*STREAM))(http_scope(), _nothing, send)

        with pytest.raises(GoneError):
            asyncio.run(call())
        assert sent == whole[:at]


@pytest.mark.parametrize("headers", [HTML, JSON, []], ids=["page", "json", "unlabelled"])
def test_an_exception_of_the_app_reaches_the_server_at_any_point(headers: list[tuple[bytes, bytes]]) -> None:
    messages = [start(headers), body(b"<p>a<script>", more=True), body(f"load('{GA}'".encode(), more=True), body(b"")]
    for count in range(len(messages) + 1):

        async def app(scope: Scope, receive: Receive, send: Send, count: int = count) -> None:
            for message in messages[:count]:
                await send(message)
            raise LookupError

        sent: list[Message] = []
        with pytest.raises(LookupError):
            drive(gated(app), http_scope(), sent=sent)
        if headers == HTML:
            assert b"script" not in body_of(sent) or count == len(messages)
            assert sent or count < 2  # the start waits, so that the server can still say 500


def test_what_the_app_does_after_its_answer_waits_for_nobody() -> None:
    """A background task: the visitor has the whole page before it begins."""
    sent: list[Message] = []
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(HTML))
        await send(body(PAGE.encode()))
        await asyncio.sleep(0)
        seen.append(body_of(sent))

    drive(gated(app), http_scope(), sent=sent)
    assert seen == [GATED]
    assert not sent[-1]["more_body"]


# -- what the visitor sends


def test_an_upload_reaches_the_app_as_it_comes() -> None:
    incoming: list[Message] = [
        *({"type": "http.request", "body": bytes([n]) * 9, "more_body": n < 4} for n in range(5)),
        {"type": "http.disconnect"},
    ]
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.extend([await receive() for _ in incoming])
        await send(start(HTML))
        await send(body(b"<p>thanks"))

    drive(gated(app), http_scope(method="POST"), incoming)
    assert heard == incoming
    assert all(mine is theirs for mine, theirs in zip(heard, incoming, strict=True))


def test_a_long_poll_hears_of_what_comes_and_of_the_client_that_goes() -> None:
    async def poll() -> list[Message]:
        queue: asyncio.Queue[Message] = asyncio.Queue()
        heard: list[Message] = []
        out: asyncio.Queue[Message] = asyncio.Queue()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(start(JSON))
            while not heard or heard[-1]["type"] != "http.disconnect":
                heard.append(await receive())
                await send(body(b"{}", more=True))

        call = asyncio.create_task(gated(app)(http_scope(), queue.get, out.put))
        assert (await out.get())["type"] == "http.response.start"
        for message in ({"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}):
            assert out.empty()
            await queue.put(message)
            assert (await out.get())["body"] == b"{}"
        await call
        return heard

    assert [message["type"] for message in asyncio.run(poll())] == ["http.request", "http.disconnect"]


# -- beside Starlette's own compression


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("order", ["inside", "outside"])
def test_compression_may_stand_inside_or_outside(order: str, accept: str) -> None:
    page = PAGE.replace("</h1>", "</h1>" + "<p>tea" * 500)
    app = GZipMiddleware(gated(Answer(page))) if order == "outside" else gated(GZipMiddleware(Answer(page)))
    bare = Visitor(gated(Answer(page))).get("/", {"accept": accept, "accept-encoding": None})
    reply = Visitor(app).get("/", {"accept": accept, "accept-encoding": "gzip"})
    packed = order == "outside" or accept == "*/*"  # inside it is asked for no compression of pages
    assert reply.header("content-encoding") == ("gzip" if packed else "")
    assert (gzip.decompress(reply.body) if packed else reply.body) == bare.body
    assert b"googletagmanager" not in bare.body
    assert "accept-encoding" in reply.header("vary").lower() or not packed
