"""One site in every language and position, with pages under strict policies: what the tests in Chromium serve."""

from __future__ import annotations

from typing import Final, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route

from cookiegate import Config, CookieGateMiddleware, Site
from tests.promises.reading import SPOKEN

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
    pages = Starlette(routes=[Route(path, _page) for path in POLICIES])
    return CookieGateMiddleware(pages, config=Config(secret_keys=keys, sites=[site]))


app = Starlette(
    routes=[Route("/static/icon.svg", _ready), *(Mount(f"/{position}", _gated(position)) for position in POSITIONS)]
)
