"""Every message of the ASGI specification and its extensions, in order, whatever happens in between."""

from __future__ import annotations

import asyncio
import gzip
import os
from typing import TYPE_CHECKING, Any

import pytest
from starlette.middleware.gzip import GZipMiddleware

from tests.contract.world import GA, PAGE, Answer, Visitor, body_of, drive, gated, http_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HTML = [(b"content-type", b"text/html")]
JSON = [(b"content-type", b"application/json")]
GATED = body_of(drive(gated(Answer(PAGE)), http_scope()))


def start(headers: list[tuple[bytes, bytes]], **more: Any) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": headers, **more}


def body(part: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": more}


def sending(*messages: Message) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def left_by(*messages: Message, method: str = "GET", **site: Any) -> list[Message]:
    return drive(gated(sending(*messages), **site), http_scope(method=method))


def kinds(messages: list[Message]) -> list[str]:
    return [message["type"].removeprefix("http.response.") for message in messages]


# -- files that the server was to send


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "tea.html"
    path.write_bytes(b"before" + PAGE.encode() + b"behind")
    return path


SIZE = len(PAGE.encode())
WHOLE = {
    "from an offset": lambda fd: [{"file": fd, "offset": 6, "count": SIZE}],
    "in two parts": lambda fd: [
        {"file": fd, "offset": 6, "count": 50, "more_body": True},
        {"file": fd, "offset": 56, "count": SIZE - 50},
    ],
    "in parts, from where it stands": lambda fd: [
        {"file": fd, "offset": None, "count": 60 * (os.lseek(fd, 6, os.SEEK_SET) == 6), "more_body": True},
        {"file": fd, "count": SIZE - 60, "more_body": False},
    ],
}


@pytest.mark.parametrize("parts", WHOLE.values(), ids=WHOLE)
def test_a_page_that_was_to_be_sent_from_a_descriptor_is_read_and_gated(
    page: Path, parts: Callable[[int], Any]
) -> None:
    with page.open("rb", buffering=0) as file:
        messages = [{"type": "http.response.zerocopysend", **part} for part in parts(file.fileno())]
        left = left_by(start(HTML), *messages)
        assert os.fstat(file.fileno())  # closing it is the app's part
    assert set(kinds(left)) == {"start", "body"}
    assert body_of(left) == GATED
    assert not left[-1]["more_body"]


def test_a_file_object_is_read_to_its_end_from_where_its_descriptor_stands(page: Path) -> None:
    page.write_bytes(PAGE.encode())
    with page.open("rb") as file:
        left = left_by(start(HTML), {"type": "http.response.zerocopysend", "file": file})
    assert body_of(left) == GATED


def test_an_offset_leaves_the_descriptor_where_it_stood(page: Path) -> None:
    with page.open("rb", buffering=0) as file:
        left_by(start(HTML), {"type": "http.response.zerocopysend", "file": file, "offset": 6})
        assert file.tell() == 0


def test_a_page_may_come_in_bodies_and_from_descriptors_by_turns(page: Path) -> None:
    with page.open("rb", buffering=0) as file:
        part = {"type": "http.response.zerocopysend", "file": file, "offset": 26, "count": 30, "more_body": True}
        text = PAGE.encode()
        left = left_by(start(HTML), body(text[:20], more=True), part, body(text[50:]))
    assert body_of(left) == GATED


@pytest.mark.parametrize("headers", [JSON, [(b"content-type", b"video/mp4")]])
@pytest.mark.parametrize("kind", ["pathsend", "zerocopysend"])
def test_a_file_that_is_no_page_is_left_to_the_server(headers: list[tuple[bytes, bytes]], kind: str) -> None:
    message = {"type": f"http.response.{kind}", "file": 99, "path": "/x", "offset": 3, "count": 9, "more_body": False}
    left = left_by(start(headers), message)
    assert left[1:] == [message]


@pytest.mark.parametrize("headers", [HTML, [], [(b"content-type", b"*/*")]], ids=["html", "unlabelled", "any"])
def test_a_page_that_was_to_be_sent_by_its_path_is_read_and_gated(
    page: Path, headers: list[tuple[bytes, bytes]]
) -> None:
    page.write_bytes(PAGE.encode())
    left = left_by(start(headers), {"type": "http.response.pathsend", "path": str(page)})
    assert body_of(left) == GATED
    assert set(kinds(left)) == {"start", "body"}


def test_an_unlabelled_file_that_is_no_page_is_sent_whole(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 999)
    left = left_by(start([]), {"type": "http.response.pathsend", "path": str(tmp_path / "x")})
    assert body_of(left) == bytes(range(256)) * 999


def test_a_file_that_is_not_there_is_the_apps_error_and_nothing_left_yet(tmp_path: Path) -> None:
    sent: list[Message] = []
    app = sending(start(HTML), {"type": "http.response.pathsend", "path": str(tmp_path / "none")})
    with pytest.raises(FileNotFoundError):
        drive(gated(app), http_scope(), sent=sent)
    assert sent == []


def test_a_file_that_cannot_be_read_as_a_page_is_withheld_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(PAGE.encode("utf-16") * 2000)
    left = left_by(start(HTML), {"type": "http.response.pathsend", "path": str(tmp_path / "x")})
    assert kinds(left) == ["start", "body"]
    assert left[0]["status"] == 502


# -- beside start and body


def test_every_message_keeps_its_place() -> None:
    for headers in (HTML, JSON):
        left = left_by(
            {"type": "http.response.debug", "info": {"template": "x"}},
            {"type": "http.response.early_hint", "links": [b"</x.css>; rel=preload; as=style"]},
            start(headers, trailers=True),
            {"type": "http.response.push", "path": "/x.css", "headers": [(b"accept", b"*/*")]},
            body(PAGE.encode(), more=True),
            {"type": "http.response.x-of-tomorrow"},
            body(b"</html>"),
            {"type": "http.response.trailers", "headers": [(b"server-timing", b"a")], "more_trailers": False},
        )
        order = ["debug", "early_hint", "start", "push", "body", "x-of-tomorrow", "body", "trailers"]
        assert kinds(left) == order
        assert left[0]["info"] == {"template": "x"}
        assert left[3] == {"type": "http.response.push", "path": "/x.css", "headers": [(b"accept", b"*/*")]}
        assert left[2]["trailers"]


def test_bytes_that_wait_for_a_label_are_not_lost_behind_another_message() -> None:
    left = left_by(
        start([]), body(b"<p>first ", more=True), {"type": "http.response.push", "path": "/", "headers": []}, body(b"2")
    )
    assert body_of(left) == b"<p>first 2"


TRAILERS = [(b"Repr-Digest", b"sha-256=:x:"), (b"server-timing", b"db;dur=5"), (b"set-cookie", b"_ga=1"), (b"x", b"y")]


@pytest.mark.parametrize(
    ("headers", "kept"), [(HTML, [b"server-timing", b"x"]), (JSON, [b"repr-digest", b"server-timing", b"x"])]
)
def test_trailers_tell_the_truth_of_a_gated_body(headers: list[tuple[bytes, bytes]], kept: list[bytes]) -> None:
    trailers = {"type": "http.response.trailers", "headers": TRAILERS, "more_trailers": False}
    left = left_by(start(headers, trailers=True), body(PAGE.encode()), trailers)
    assert [name for name, _ in left[-1]["headers"]] == kept
    assert trailers["headers"] == TRAILERS


def test_of_a_page_that_was_withheld_the_trailers_are_empty_and_come() -> None:
    """A server that was told of trailers waits for them."""
    headers = [*HTML, (b"content-encoding", b"x-snappy")]
    trailers = {"type": "http.response.trailers", "headers": [(b"x", b"y")], "more_trailers": False}
    push = {"type": "http.response.push", "path": "/x", "headers": []}
    left = left_by(start(headers, trailers=True), body(b"x", more=True), push, body(b"y"), trailers)
    assert kinds(left) == ["start", "body", "trailers"]
    assert left[-1]["headers"] == []


def test_a_page_that_cannot_be_read_leaves_nothing_of_itself_in_the_headers() -> None:
    headers = [
        *HTML,
        *((name, b"x") for name in (b"content-encoding", b"content-length", b"etag", b"last-modified", b"digest")),
        (b"cache-control", b"public, max-age=600"),
        (b"cdn-cache-control", b"max-age=600"),
        (b"x-request-id", b"7"),
    ]
    left = left_by(start(headers), body(b"x"))
    said = dict(left[0]["headers"])
    assert left[0]["status"] == 502
    assert said.pop(b"content-length") == str(len(body_of(left))).encode()
    assert said == {
        b"content-type": b"text/html; charset=utf-8",
        b"cache-control": b"no-store",
        b"x-request-id": b"7",
    }


def test_a_redirect_goes_on_though_its_body_cannot_be_read() -> None:
    headers = [*HTML, (b"content-encoding", b"x-snappy"), (b"location", b"/there")]
    left = left_by({**start(headers), "status": 303}, body(PAGE.encode()))
    assert left[0]["status"] == 303
    assert (b"location", b"/there") in left[0]["headers"]
    assert body_of(left) == b""


# -- what a body turns out to be


def test_a_body_without_a_label_that_is_encoded_counts_as_a_page() -> None:
    left = left_by(start([(b"content-encoding", b"gzip")]), body(gzip.compress(PAGE.encode())))
    assert gzip.decompress(body_of(left)) == GATED


@pytest.mark.parametrize("headers", [[], [(b"content-type", b"image/svg+xml")]], ids=["unlabelled", "labelled"])
def test_an_xml_document_leaves_whole_with_a_policy(headers: list[tuple[bytes, bytes]]) -> None:
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
    left = left_by(start(headers), body(svg))
    assert body_of(left) == svg
    assert b"default-src 'self'" in dict(left[0]["headers"])[b"content-security-policy"]


def test_a_byte_order_mark_says_more_than_the_label_and_escapes_say_too_much() -> None:
    headers = [(b"content-type", b"text/html; charset=euc-kr")]
    assert body_of(left_by(start(headers), body(b"\xef\xbb\xbf" + PAGE.encode()))) == b"\xef\xbb\xbf" + GATED
    assert left_by(start(HTML), body(b"<p>\x1b$B"))[0]["status"] == 502


def test_an_observer_passes_what_it_cannot_read(caplog: pytest.LogCaptureFixture) -> None:
    for headers, said in (
        ([*HTML, (b"content-encoding", b"gzip")], "Would withhold a page: its body cannot be decoded"),
        ([*HTML, (b"content-encoding", b"x-snappy")], "Would withhold a page: its Content-Encoding 'x-snappy'"),
    ):
        caplog.clear()
        messages = [start(headers), body(b"no gzip", more=True), body(PAGE.encode())]
        left = left_by(*messages, mode="observe")
        assert left[0] == messages[0]
        assert body_of(left) == body_of(messages)
        assert said in caplog.text


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
