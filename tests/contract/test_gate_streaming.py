"""Messages: nothing is held that may go, nothing unknown is lost."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from .world import GA, NAVIGATE, PAGE, Answer, Visitor, body_of, drive, gated, http_scope, shop, visit

if TYPE_CHECKING:
    from starlette.types import Message


class Streaming:
    """An app that notes, before each chunk, what has left the gate until then."""

    def __init__(self, *chunks: bytes, content_type: bytes = b"text/html; charset=utf-8") -> None:
        self.chunks = chunks
        self.content_type = content_type
        self.sent: list[Message] = []
        self.left_before: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", self.content_type)]})
        for chunk in self.chunks:
            self.left_before.append(body_of(self.sent))
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        self.left_before.append(body_of(self.sent))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


HEAD = b"<!doctype html><html><head><title>Tea</title></head><body>"


@pytest.mark.parametrize(
    "content_type", [b"text/html; charset=utf-8", b"text/plain", b"application/json", b"text/event-stream"]
)
def test_a_chunk_leaves_before_the_next_is_asked_for(content_type: bytes) -> None:
    app = Streaming(HEAD, b"<p>first</p>", b"<p>second</p>", b"<p>third</p>", content_type=content_type)
    drive(gated(app), http_scope(), sent=app.sent)
    assert b"first" in app.left_before[2]
    assert b"second" in app.left_before[3]
    assert b"third" in app.left_before[4]


@pytest.mark.parametrize("give", [None, ()], ids=["with a banner", "without one"])
def test_the_first_byte_leaves_one_chunk_after_the_app_sent_it_at_the_latest(give: tuple[str, ...] | None) -> None:
    rows = [b"<tr><td>%d</td></tr>" % number for number in range(20)]
    for beginning in (HEAD, b"<!doctype html><title>Tea", b"\xef\xbb\xbf<!doctype html><html lang=en>"):
        app = Streaming(beginning, *rows)
        visitor = visit(Streaming(), give=give)
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        drive(gated(app), http_scope(headers={**NAVIGATE, "cookie": cookies}), sent=app.sent)
        assert app.left_before[2], "after the second chunk the first has left"
        for number, row in enumerate(rows[:-1]):
            assert row in app.left_before[number + 3], "and so has each one after the next"


def test_a_hundred_transfers_at_once_hold_no_more_than_their_chunks() -> None:
    chunk, chunks, transfers = 1 << 16, 32, 100

    async def file(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        headers = [(b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number in range(chunks):
            await send({"type": "http.response.body", "body": bytes(chunk), "more_body": number < chunks - 1})

    async def transfer(app: Any) -> int:
        sent, left = 0, chunks

        async def receive() -> Message:
            nonlocal left
            left -= 1
            await asyncio.sleep(0)
            return {"type": "http.request", "body": bytes(chunk), "more_body": left > 0}

        async def send(message: Message) -> None:
            nonlocal sent
            await asyncio.sleep(0)
            sent += len(message.get("body", b""))

        await app(http_scope(), receive, send)
        return sent

    async def at_once(app: Any) -> list[int]:
        return await asyncio.gather(*(transfer(app) for _ in range(transfers)))

    app = gated(file)
    tracemalloc.start()
    try:
        assert asyncio.run(at_once(app)) == [chunks * chunk] * transfers
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * transfers * chunk, "of 200 MB up and 200 MB down"


def test_a_script_of_a_denied_service_never_starts_to_leave() -> None:
    tag = f'<script src="{GA}"></script>'.encode()
    app = Streaming(HEAD, *(tag[i : i + 5] for i in range(0, len(tag), 5)), b"<p>after</p>")
    drive(gated(app), http_scope(), sent=app.sent)
    assert not any(b"<scr" in left for left in app.left_before)
    assert b"<p>after</p>" in body_of(app.sent)


def test_an_endless_script_does_not_fill_the_memory() -> None:
    app = Streaming(HEAD, b"<script>", *[b"x" * 65_536] * 64, b"</script><p>after</p>")
    drive(gated(app), http_scope(), sent=app.sent)
    assert app.sent[0]["status"] == 200
    assert GA.encode() not in body_of(app.sent)


def test_the_start_is_sent_once_and_the_end_is_sent_once() -> None:
    for chunks in ([], [b""], [b"", b""], [HEAD], [b"", HEAD, b""]):
        sent = drive(gated(Streaming(*chunks)), http_scope())
        assert [m["type"] for m in sent].count("http.response.start") == 1
        assert sent[0]["type"] == "http.response.start"
        assert [m.get("more_body", False) for m in sent[1:]][-1] is False
        assert [m.get("more_body", False) for m in sent[1:]].count(False) == 1


@pytest.mark.parametrize("content_type", [b"text/html", b"application/json"])
def test_unknown_messages_pass_in_order(content_type: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", content_type)]
        await send({"type": "http.response.debug", "info": {"a": 1}})
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": True})
        await send({"type": "http.response.push", "path": "/a", "headers": []})
        await send({"type": "http.response.body", "body": b"<p>x</p>"})
        await send({"type": "http.response.trailers", "headers": [], "more_trailers": False})

    kinds = [message["type"].removeprefix("http.response.") for message in drive(gated(app), http_scope())]
    kinds = [kind for i, kind in enumerate(kinds) if kind != "body" or kinds[i - 1] != "body"]
    assert kinds == ["debug", "start", "push", "body", "trailers"]


def test_the_apps_messages_and_header_lists_are_not_written_to() -> None:
    headers = [(b"content-type", b"text/html"), (b"set-cookie", b"_ga=1"), (b"etag", b'"1"')]
    start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
    body: Message = {"type": "http.response.body", "body": PAGE.encode(), "more_body": False}
    before = (list(headers), dict(start), dict(body))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send(body)

    drive(gated(app), http_scope())
    assert (headers, start, body) == before


@pytest.mark.parametrize("give", [None, (), ("analytics",)], ids=["undecided", "refused", "granted"])
def test_head_says_what_get_says(give: tuple[str, ...] | None) -> None:
    visitor = visit(shop(), give=give)
    got, headed = visitor.get(), visitor.send("HEAD", "/", NAVIGATE)
    without = [(name, value) for name, value in got.headers if name != "content-length"]
    assert [(name, value) for name, value in headed.headers if name != "content-length"] == without
    assert headed.status == got.status
    assert headed.header("content-length") in {"", str(len(got.body))}


@pytest.mark.parametrize("status", [204, 301, 302, 307])
def test_answers_without_a_body_get_none(status: int) -> None:
    reply = Visitor(gated(Answer(b"", status=status, headers=[("location", "/x")]))).get()
    assert (reply.status, reply.body) == (status, b"")
    assert reply.all("location") == ["/x"]


def test_a_websocket_passes_both_ways() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"]})
        await send({"type": "websocket.close", "code": 1000})

    incoming: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": f"<script src={GA}>"},
    ]
    scope = {**http_scope(), "type": "websocket", "scheme": "wss"}
    sent = drive(gated(echo), scope, incoming)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert sent[1]["text"] == f"<script src={GA}>"
