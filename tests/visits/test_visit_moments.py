"""One row a request, whatever becomes of the request."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import ADDRESS, NOW, PAGE, Answer, Clock, Visitor, drive, http_scope, shop
from tests.visits.place import Place, ask, completed

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


async def falls_before_the_start(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("before")


async def falls_in_the_middle(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("middle")


async def waits_for_the_client(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def gives_up_unanswered(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.mark.parametrize(
    ("answer", "method", "path", "status", "size"),
    [
        pytest.param(Answer(b"{}", content_type="application/json"), "GET", "/x", 200, 2, id="an answer"),
        pytest.param(Answer(b"a" * 9, b"b" * 9, content_type="text/plain"), "GET", "/x", 200, 18, id="in chunks"),
        pytest.param(Answer(b"no", status=404, content_type="text/plain"), "GET", "/x", 404, 2, id="not found"),
        pytest.param(Answer(b"", status=304, content_type=None), "GET", "/x", 304, 0, id="304"),
        pytest.param(Answer(b"", status=204, content_type=None), "DELETE", "/x", 204, 0, id="204"),
        pytest.param(Answer(b"", content_type="text/plain"), "HEAD", "/x", 200, 0, id="HEAD"),
        pytest.param(Answer(b"x"), "GET", "/_privacy/health", 200, None, id="our own page"),
        pytest.param(Answer(b"x"), "GET", "/_privacy/", 200, None, id="the choices page"),
        pytest.param(Answer(b"x"), "GET", "/.well-known/gpc.json", 200, None, id="gpc.json"),
    ],
)
def test_an_answer_is_one_row(
    place: Place, answer: Answer, method: str, path: str, status: int, size: int | None
) -> None:
    messages = ask(place.app(answer), path, method=method)
    sent = sum(len(m.get("body", b"")) for m in messages)
    [row] = place.rows()
    assert (row["method"], row["path"], row["status"]) == (method, path, status)
    assert row["bytes"] == (sent if size is None else size)


def test_the_bytes_of_a_row_are_those_that_left_the_gate(place: Place) -> None:
    visitor = place.visitor(Answer(PAGE))
    reply = visitor.get("/page")
    assert b"googletagmanager.com/gtag" not in reply.body
    assert [row["bytes"] for row in place.rows()] == [len(reply.body)]


def test_the_row_stands_before_the_last_chunk_is_received(place: Place) -> None:
    app = place.app(Answer(b"one", b"two", content_type="text/plain"))
    seen: list[tuple[bool, int]] = []
    arriving: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        return arriving.pop() if arriving else await asyncio.Future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            last = not message.get("more_body", False)
            seen.append((last, len(place.rows()) if last else -1))

    async def call() -> None:
        await app(http_scope("/stream"), receive, send)

    asyncio.run(call())
    assert seen[-1] == (True, 1)


def test_a_file_sent_by_path_is_one_row_that_stands_before_it_leaves(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "song.ogg"
    file.write_bytes(b"\0" * 1234)
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**START, "headers": [(b"content-type", b"audio/ogg")]})
        await send({"type": "http.response.pathsend", "path": str(file)})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.pathsend":
            seen.append(len(place.rows()))

    async def call() -> None:
        await place.app(app)({**http_scope("/song.ogg"), "extensions": {"http.response.pathsend": {}}}, receive, send)

    asyncio.run(call())
    assert seen == [1]
    [row] = place.rows()
    assert (row["path"], row["status"], row["bytes"]) == ("/song.ogg", 200, 1234)


@pytest.mark.parametrize(
    ("app", "raises", "status"),
    [
        pytest.param(falls_before_the_start, True, 500, id="an exception before the start"),
        pytest.param(falls_in_the_middle, True, 200, id="an exception in the middle"),
        pytest.param(waits_for_the_client, False, 200, id="a client that leaves in the middle"),
        pytest.param(gives_up_unanswered, False, None, id="a client that leaves before the start"),
    ],
)
def test_what_ends_otherwise_is_one_row_too(place: Place, app: ASGIApp, raises: bool, status: int | None) -> None:
    messages: list[Message] = []
    gate = place.app(app)
    if raises:
        with pytest.raises(RuntimeError):
            ask(gate, "/end", sent=messages)
    else:
        ask(gate, "/end", sent=messages)
    assert not completed(messages)
    [row] = place.rows()
    assert row["path"] == "/end"
    assert status in (None, row["status"])


@pytest.mark.parametrize("gone", [OSError("gone"), asyncio.CancelledError()], ids=["send fails", "cancelled"])
def test_a_client_that_the_server_gives_up_is_one_row(place: Place, gone: BaseException) -> None:
    app = place.app(Answer(b"one", b"two", content_type="text/plain"))

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise gone

    async def call() -> None:
        await app(http_scope("/gone"), receive, send)

    with pytest.raises(type(gone)):
        asyncio.run(call())
    assert place.paths() == ["/gone"]


@pytest.mark.parametrize(
    ("says", "hears"),
    [
        pytest.param(["websocket.accept", "websocket.send", "websocket.close"], [], id="the app closes"),
        pytest.param(["websocket.accept", "websocket.send"], ["websocket.disconnect"], id="the client leaves"),
        pytest.param(["websocket.close"], [], id="refused"),
    ],
)
def test_a_websocket_is_one_row_when_it_closes(place: Place, says: list[str], hears: list[str]) -> None:
    counted: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for kind in says:
            counted.append(len(place.rows()))
            await send({"type": kind, **({"text": "hello"} if kind == "websocket.send" else {})})
        for _ in hears:
            await receive()

    scope = {**http_scope("/socket"), "type": "websocket", "scheme": "wss", "subprotocols": []}
    incoming: list[Message] = [{"type": "websocket.connect"}, *({"type": kind, "code": 1001} for kind in hears)]
    drive(place.app(app), scope, incoming)
    assert set(counted) == {0}
    assert place.paths() == ["/socket"]


def test_a_row_holds_what_section_6_lists_and_no_query(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(b"{}", content_type="application/json"), clock)
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    visitor.get("/tea?card=4111", {"user-agent": agent, "referer": "https://search.example/find?q=secret#x"})
    [row] = place.rows()
    assert datetime.fromisoformat(row["time"]).timestamp() == NOW
    assert (row["address"], row["method"], row["path"]) == (ADDRESS, "GET", "/tea")
    assert (row["status"], row["bytes"]) == (200, 2)
    assert row["referrer"] == "https://search.example"
    assert "firefox" in row["family"].lower()
    assert "windows" in row["system"].lower()
    assert row["seconds"] >= 0
    assert "secret" not in json.dumps(row)
    assert "4111" not in json.dumps(row)


@pytest.mark.parametrize(
    ("basis", "given", "rows", "with_id"),
    [
        pytest.param("security", None, 1, False, id="never asked"),
        pytest.param("security", (), 1, False, id="refused"),
        pytest.param("security", ("marketing",), 1, False, id="marketing only"),
        pytest.param("security", ("analytics",), 1, True, id="analytics"),
        pytest.param("consent", None, 0, False, id="by consent, never asked"),
        pytest.param("consent", (), 0, False, id="by consent, refused"),
        pytest.param("consent", ("analytics",), 1, True, id="by consent, analytics"),
    ],
)
def test_the_consent_id_stands_only_where_it_may(
    place: Place, basis: str, given: tuple[str, ...] | None, rows: int, with_id: bool
) -> None:
    place.declare(visits=f'basis = "{basis}"')
    visitor = place.visitor(shop())
    if given is not None:
        visitor.choose("save", *given)
    told = json.loads(visitor.get("/consent").body)
    found = place.rows("--path", "/consent")
    assert len(found) == rows
    for row in found:
        assert row["granted"].split() == [p for p in told["granted"] if p != "necessary"]
        assert row["consent_id"] == (told["id"] if with_id else "")
        assert bool(row["consent_id"]) is with_id


def test_after_a_withdrawal_nothing_is_kept_by_consent(place: Place) -> None:
    place.declare(visits='basis = "consent"')
    visitor = place.visitor(shop())
    visitor.choose("save", "analytics")
    visitor.get("/consent")
    visitor.choose("withdraw")
    visitor.get("/consent")
    assert len(place.rows("--path", "/consent")) == 1


def test_a_site_that_declares_no_visits_keeps_none(place: Place) -> None:
    place.path.write_text(
        f'{place.path.read_text()}\n[[sites]]\nname = "Other"\nhosts = ["other.test"]\nunknown = "withhold"\n'
    )
    app = place.app(shop())
    assert Visitor(app, base="https://other.test").get("/").status == 200
    assert place.segments() == []
    assert Visitor(app).get("/").status == 200
    assert len(place.rows()) == 1
