"""What an app may send, and what leaves of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.world import PAGE, Answer, body_of, drive, gated, http_scope

if TYPE_CHECKING:
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
