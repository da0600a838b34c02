"""103 Early Hints: what is sent before the page is known is gated as the page's own Link header is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.world import drive, gated, http_scope
from tests.golden.pages import DECLARATION

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

OWN = b"</own.css>; rel=preload; as=style"
GA = b"<https://www.google-analytics.com/analytics.js>; rel=preload; as=script"
HINT = b"<https://www.google-analytics.com>; rel=preconnect"


@pytest.mark.parametrize(
    ("links", "left"),
    [([OWN], [OWN]), ([GA], []), ([OWN, GA], [OWN]), ([GA + b", " + OWN], [OWN]), ([HINT, OWN], [OWN])],
    ids=["own", "service", "both", "both in one line", "preconnect"],
)
def test_of_early_hints_the_own_ones_leave(links: list[bytes], left: list[bytes]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": links})
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<p>tea"})

    scope = {**http_scope(), "extensions": {"http.response.early_hint": {}}}
    sent = drive(gated(app, **DECLARATION, hosts=["shop.test"]), scope)
    hints = [message for message in sent if message["type"] == "http.response.early_hint"]
    assert [link for hint in hints for link in hint["links"]] == left
    assert sent[-1]["body"] == b"<p>tea" or sent[-2]["body"] == b"<p>tea"
