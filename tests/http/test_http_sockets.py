"""A WebSocket passes frame by frame; its cookies are gated in both directions (RFC 6455, ASGI WebSocket 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.contract.world import drive, http_scope
from tests.http.states import lines_of
from tests.http.wire import COOKIES, JSON, Says, stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send


def socket_scope(state: str, **more: Any) -> Scope:
    lines = [(b"host", b"shop.test"), *lines_of(state)]
    cookies = b"; ".join(
        [*(value for name, value in lines if name == b"cookie"), b"_ga=GA1.1", b"_fbp=fb.1", b"session=s"]
    )
    headers = [*((name, value) for name, value in lines if name != b"cookie"), (b"cookie", cookies)]
    return {**http_scope(), "type": "websocket", "scheme": "wss", "subprotocols": ["tea"], "headers": headers, **more}


ALLOWED: Final = {"refused": {"session"}, "analytics": {"session", "_ga"}, "everything": {"session", "_ga", "_fbp"}}
ANSWERS: Final[dict[str, Callable[[], list[Message]]]] = {
    "accept": lambda: [{"type": "websocket.accept", "subprotocol": "tea", "headers": COOKIES}],
    "denial": lambda: [
        {"type": "websocket.http.response.start", "status": 403, "headers": [*JSON, *COOKIES]},
        {"type": "websocket.http.response.body", "body": b"no"},
    ],
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_socket_sets_and_reads_only_cookies_that_were_granted(answer: Callable[[], list[Message]]) -> None:
    for state, allowed in ALLOWED.items():
        app = Says(*answer())
        sent = drive(stage().with_(app), socket_scope(state, extensions={"websocket.http.response": {}}))
        told = [m for m in sent if "headers" in m]
        assert [m["type"] for m in sent] == [m["type"] for m in answer()]
        names = {value.partition(b"=")[0].decode() for name, value in told[0]["headers"] if name == b"set-cookie"}
        assert names == allowed
        read = b"; ".join(app.heard(b"cookie"))
        assert {part.partition(b"=")[0].decode() for part in read.split(b"; ")} - {"__Host-privacy"} == allowed


def test_frames_pass_a_socket_as_they_are_in_both_directions() -> None:
    incoming: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": '<script src="https://www.googletagmanager.com/gtag/js">'},
        {"type": "websocket.receive", "bytes": bytes(range(256))},
        {"type": "websocket.disconnect", "code": 1001, "reason": "bye"},
    ]
    heard: list[Message] = []
    answers: list[Message] = [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "<script src=https://www.googletagmanager.com/gtag/js>"},
        {"type": "websocket.send", "bytes": bytes(range(256))},
        {"type": "websocket.close", "code": 4000, "reason": "enough"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in answers:
            heard.append(await receive())
            await send(message)

    sent = drive(stage().with_(app), socket_scope("refused"), incoming)
    assert all(mine is theirs for mine, theirs in zip(heard, incoming, strict=True))
    assert sent[1:] == answers[1:]
