"""Messages leave as they came, at once and in order, whoever goes away in between (ASGI HTTP and WebSocket 2.5)."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest

from tests.contract.world import PAGE, body_of, drive, http_scope
from tests.http.states import STATES, lines_of
from tests.http.wire import COOKIES, HTML, JSON, Lines, Says, cookie_names, lawful, part, stage, start

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVENTS: Final[Lines] = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
PLAIN: Final[Lines] = [(b"content-type", b"text/plain")]
NDJSON: Final[Lines] = [(b"content-type", b"application/x-ndjson")]
CHUNKS: Final = [b"<p>tea %d, long enough to be one chunk of many</p>\n" % number for number in range(12)]


def scope_of(state: str, path: str = "/", method: str = "GET") -> Scope:
    return {**http_scope(path, method), "headers": [(b"host", b"shop.test"), *lines_of(state)]}


def left_at_each_chunk(lines: Lines, chunks: list[bytes], state: str) -> list[bytes]:
    """What had left when the app was about to produce chunk 0, 1, 2 … and at the end."""
    sent: list[Message] = []
    left: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(lines))
        for chunk in chunks:
            left.append(body_of(sent))
            await send(part(chunk, more=True))
        left.append(body_of(sent))
        await send(part(b""))

    drive(stage().with_(app), scope_of(state), sent=sent)
    lawful(sent)
    return [*left, body_of(sent)]


@pytest.mark.parametrize("lines", [EVENTS, NDJSON, JSON, PLAIN], ids=["events", "lines", "json", "text"])
def test_an_event_leaves_before_the_next_is_made(lines: Lines) -> None:
    """Whatever stands in it: an event is no page, though it may carry HTML."""
    events = [b"data: <script src=https://www.googletagmanager.com/gtag/js>\n\n", *CHUNKS]
    for state in STATES:
        left = left_at_each_chunk(lines, events, state)
        assert left[1:-1] == [b"".join(events[: count + 1]) for count in range(len(events))]


def test_the_first_byte_of_a_page_leaves_no_later_than_one_chunk_after_the_app_sent_it() -> None:
    begins = (
        b"<!doctype html>",
        b"<!doctype html><html><head>",
        b"<html>",
        b"<p>",
        b"Tea",
        b"\xef\xbb\xbf<!doctype html>",
    )
    for begin in begins:
        for state in STATES:
            left = left_at_each_chunk(HTML, [begin, *CHUNKS], state)
            assert left[2], (begin, state)


def test_a_chunk_of_a_page_has_left_when_the_app_makes_the_one_after_the_next() -> None:
    pages = [b"<!doctype html><html><head><title>Tea</title></head><body>", *CHUNKS]
    for state in STATES:
        left = left_at_each_chunk(HTML, pages, state)
        for before, (chunk, now) in zip(left[2:], pairwise([*pages[1:], b""]), strict=False):
            assert chunk in before or chunk == now, state


BEFORE_START: Final[list[Message]] = [
    {"type": "http.response.early_hint", "links": []},
    {"type": "http.response.debug", "info": {}},
]
AFTER_START: Final[list[Message]] = [
    {"type": "http.response.push", "path": "/x.css", "headers": []},
    {"type": "http.response.of-tomorrow", "anything": object()},
]


def test_messages_of_every_kind_keep_their_order_wherever_they_stand() -> None:
    trailers = {"type": "http.response.trailers", "headers": [(b"server-timing", b"a")], "more_trailers": False}
    for lines in (HTML, JSON, []):
        for at in range(4):
            bodies: list[Message] = [part(b"<p>tea</p>" * 300, more=True), part(PAGE.encode(), more=True), part(b"")]
            bodies[at:at] = AFTER_START
            messages = [*BEFORE_START, start(lines, trailers=True), *bodies, trailers]
            if at == 3:
                continue  # nothing may stand between the last part and the trailers
            left = drive(stage().with_(Says(*messages)), scope_of("analytics"))
            others = [m for m in left if m["type"] not in {"http.response.start", "http.response.body"}]
            assert others == [*BEFORE_START, *AFTER_START, trailers]
            assert [m["type"] for m in left[:3]] == [*(m["type"] for m in BEFORE_START), "http.response.start"]
            assert left[-1] == trailers


GONE: Final = OSError("the client is gone")


@pytest.mark.parametrize("lines", [HTML, JSON, EVENTS], ids=["page", "json", "events"])
def test_an_app_hears_at_its_next_message_that_the_client_is_gone(lines: Lines) -> None:
    """ASGI 2.4: ``send`` raises an OSError then, and the app may tidy up and go on."""
    for at in range(5):
        count = heard = 0

        async def send(message: Message) -> None:
            nonlocal count
            count += 1
            if count > at:  # noqa: B023
                raise GONE

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal heard
            for message in (start(lines), *(part(chunk, more=True) for chunk in CHUNKS), part(b"")):
                try:
                    await send(message)
                except OSError as error:
                    heard += error is GONE

        asyncio.run(called(app, scope_of("refused"), send))
        assert heard >= 1


async def called(app: ASGIApp, scope: Scope, send: Send) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await stage().with_(app)(scope, receive, send)


@pytest.mark.parametrize("lines", [HTML, JSON], ids=["page", "json"])
def test_a_call_that_is_cancelled_ends_at_once(lines: Lines) -> None:
    """Some servers cancel the app when the client goes; nothing of ours may swallow or outlive it."""

    async def scene() -> list[Message]:
        sent: list[Message] = []
        waits = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send(start(lines))
            await send(part(PAGE.encode(), more=True))
            waits.set()
            await asyncio.Event().wait()

        async def send(message: Message) -> None:
            sent.append(message)

        task = asyncio.create_task(called(app, scope_of("refused"), send))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return sent

    assert not any(m["type"] == "http.response.body" and not m.get("more_body") for m in asyncio.run(scene()))


def test_an_app_may_read_after_it_began_to_answer() -> None:
    """Both directions at once: what is sent up comes back, piece by piece."""
    incoming: list[Message] = [
        *({"type": "http.request", "body": b"%d" % n, "more_body": True} for n in range(3)),
        {"type": "http.request", "body": b"", "more_body": False},
    ]

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(PLAIN))
        while (message := await receive())["more_body"]:
            await send(part(message["body"], more=True))
        await send(part(b"", more=False))
        assert (await receive())["type"] == "http.disconnect"

    left = drive(stage().with_(echo), scope_of("refused", method="POST"), incoming)
    assert [m["body"] for m in left[1:]] == [b"0", b"1", b"2", b""]


def test_a_cookie_that_a_trailer_would_set_is_none() -> None:
    trailers = {"type": "http.response.trailers", "headers": COOKIES, "more_trailers": False}
    for lines in (HTML, JSON):
        messages = [start([*lines, *COOKIES], trailers=True), part(b"<p>tea"), trailers]
        sent = drive(stage().with_(Says(*messages)), scope_of("refused"))
        assert cookie_names(lawful(sent)) == {"session"}
        assert not [name for name, _ in sent[-1]["headers"] if name == b"set-cookie" and b"_ga" in _]
