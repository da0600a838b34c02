"""One site in every language, its banner in every position: what test_accessibility serves."""

from __future__ import annotations

from typing import Final, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route

from cookiegate import Config, CookieGateMiddleware, Service, Site
from cookiegate.languages import languages

Position = Literal["bar", "card", "top"]
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)
PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Tea</title><main><h1>Tea</h1><p>First and second flush.</p>"
    '<iframe src="https://www.youtube.com/embed/tea" title="How tea is rolled" width="320"></iframe></main>'
)


async def _page(_: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)


async def _ready(_: Request) -> PlainTextResponse:
    return PlainTextResponse("")


def _site(position: Position) -> Site:
    shop_stats = Service("shop-stats", purpose="preferences", hosts=["stats.example"], operator="Tea & Co.")
    return Site(
        "Tea",
        languages=languages(),
        services=["google-analytics", "meta-pixel", "youtube", shop_stats],
        unknown="withhold",
        banner=position,
        standing_link="append",
    )


def _gated(position: Position) -> CookieGateMiddleware:
    shop = Starlette(routes=[Route("/", _page)])
    keys = ["a-key-of-this-test-suite-32-bytes-and-longer"]
    return CookieGateMiddleware(shop, config=Config(secret_keys=keys, sites=[_site(position)]))


app = Starlette(
    routes=[Route("/static/icon.svg", _ready), *(Mount(f"/{position}", _gated(position)) for position in POSITIONS)]
)
