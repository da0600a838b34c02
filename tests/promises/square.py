"""One site in every language and position, with pages under strict policies: what the tests in Chromium serve."""

from __future__ import annotations

from asyncio import sleep
from typing import TYPE_CHECKING, Final, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from cookiegate import Config, CookieGateMiddleware, Site
from tests.promises.reading import SPOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Position = Literal["bar", "card", "top"]
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)
FORM: Final = (
    '<form method="post" action="/nowhere"><input name="who"><input type="checkbox" name="agree">'
    '<input type="date" name="day"><select name="tea"><option>Green<option>Black</select>'
    '<textarea name="letter"></textarea></form><iframe src="https://www.youtube.com/embed/tea" width="320"></iframe>'
)
PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    f"<title>Tea</title><h1>Tea</h1>{FORM}{'<p>Tea</p>' * 200}"
)
POLICIES: Final = {
    "/": None,
    "/strict": "default-src 'none'; style-src 'self'",
    "/opaque": "sandbox allow-forms",
    "/closed": "sandbox",
}


async def _page(request: Request) -> HTMLResponse:
    policy = POLICIES["/" + request.url.path.rpartition("/")[2]]
    return HTMLResponse(PAGE, headers={"content-security-policy": policy} if policy else None)


async def _slow(_: Request) -> StreamingResponse:
    """The page in two pieces: browsers lay the first out, the question with it, before the second comes."""

    async def pieces() -> AsyncIterator[str]:
        yield PAGE[:-2000]
        await sleep(0.3)
        yield PAGE[-2000:] + "<p>Tea</p>" * 200

    return StreamingResponse(pieces(), media_type="text/html")


async def _ready(_: Request) -> PlainTextResponse:
    return PlainTextResponse("")


def _gated(position: Position) -> CookieGateMiddleware:
    site = Site(
        "Tea",
        languages=SPOKEN,
        services=["google-analytics", "meta-pixel", "youtube"],
        unknown="withhold",
        banner=position,
        standing_link="append",
    )
    keys = ["a-key-of-this-test-suite-32-bytes-and-longer"]
    pages = Starlette(routes=[Route("/slow", _slow), *(Route(path, _page) for path in POLICIES)])
    return CookieGateMiddleware(pages, config=Config(secret_keys=keys, sites=[site]))


app = Starlette(
    routes=[Route("/static/icon.svg", _ready), *(Mount(f"/{position}", _gated(position)) for position in POSITIONS)]
)
