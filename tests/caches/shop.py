"""A shop whose pages may be shared, and one that greets whoever has a session; for the caches of these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

if TYPE_CHECKING:
    from starlette.requests import Request

KEY = "a-key-of-the-caches-tests-32-bytes-and-longer"
HOST = "shop.test"


def _page(request: Request, *, cache: str) -> HTMLResponse:
    """The app says public to everybody, a session or not: a mistake that must not cost a visitor anything."""
    body = (
        f"<!doctype html><html><head><title>{request.url.path}</title>"
        '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'
        '<script src="https://connect.facebook.net/en_US/fbevents.js"></script>'
        f"</head><body><h1>Hello {request.cookies.get('session', 'stranger')}</h1>"
        '<iframe src="https://www.youtube.com/embed/M7lc1UVf-VE"></iframe>'
        f"<p>May count: {consent_of(request).allows('analytics')}</p></body></html>"
    )
    return HTMLResponse(body, headers={"cache-control": cache, "etag": f'"{hash(request.url.path)}"'})


async def _public(request: Request) -> HTMLResponse:
    return _page(request, cache="public, max-age=5, s-maxage=60")


async def _own(request: Request) -> HTMLResponse:
    return _page(request, cache="max-age=5")


async def _kept(request: Request) -> HTMLResponse:
    page = _page(request, cache="public, max-age=60")
    page.set_cookie("basket", "1")
    return page


async def _stock(request: Request) -> JSONResponse:
    ordered = (await request.body()).decode()
    said = {"session": request.cookies.get("session"), "ordered": ordered}
    return JSONResponse(said, headers={"cache-control": "no-cache"})


async def _greeting(request: Request) -> JSONResponse:
    """No page, and words for caches that heed its Vary."""
    told = {"x-accel-expires": "60", "surrogate-control": "max-age=60", "vary": "Cookie"}
    return JSONResponse(request.cookies.get("session"), headers=told)


shop = Starlette(
    routes=[
        Route("/tea/{name}", _public),
        Route("/orders/{name}", _own),
        Route("/basket", _kept),
        Route("/greeting", _greeting),
        Route("/stock", _stock, methods=["GET", "POST"]),
    ]
)
app = CookieGateMiddleware(
    shop,
    config=Config(
        secret_keys=[KEY],
        https="always",
        sites=[
            Site(
                "Shop",
                hosts=[HOST],
                languages=["en", "ko"],
                services=["google-analytics", "meta-pixel", "youtube"],
                unknown="withhold",
                shared_cache="by-variant",
                shared_cache_ignores=["theme"],
            )
        ],
    ),
)
