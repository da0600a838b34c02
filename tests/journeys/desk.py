"""A small site of forms, half filled in and already sent, under the policies that pages set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware, Site

if TYPE_CHECKING:
    from starlette.requests import Request

FORM = '<form method="post" action="/answer"><textarea name="letter"></textarea><button>Send</button></form>'
SCRIPT = '<script src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'
PLAIN: dict[str, str] = {}
PAGES = {
    "/form": (FORM, PLAIN),
    "/based": ('<base href="https://elsewhere.example/deep/">' + FORM, PLAIN),
    "/unreferred": (FORM, {"referrer-policy": "no-referrer"}),
    "/forbidden": (FORM, {"content-security-policy": "form-action 'none'"}),
    "/sandboxed": (FORM, {"content-security-policy": "sandbox allow-same-origin allow-scripts"}),
    "/framing": ('<iframe sandbox="allow-forms allow-same-origin" src="/form"></iframe>' + FORM, PLAIN),
    "/covered": ('<a href="/form" style="position:fixed;inset:0">Everywhere</a>', PLAIN),
    "/long": ("".join(f'<p style="height:9rem"><a href="#n{n}">{n}</a></p>' for n in range(12)), PLAIN),
}


async def page(request: Request) -> HTMLResponse:
    body, headers = PAGES[request.url.path]
    return HTMLResponse(_whole(body), headers=headers)


async def answer(request: Request) -> HTMLResponse:
    letter = (await request.body()).decode("ascii")
    return HTMLResponse(_whole(f"<p id=thanks>{len(letter)} bytes</p>" + FORM))


def _whole(body: str) -> str:
    return f"<!doctype html><html lang=en><title>Desk</title>{SCRIPT}<body>{body}</body></html>"


app = CookieGateMiddleware(
    Starlette(
        routes=[
            *(Route(path, page) for path in PAGES),
            Route("/static/icon.svg", lambda _: HTMLResponse("")),
            Route("/answer", answer, methods=["POST"]),
        ]
    ),
    config=Config(
        sites=[Site("Desk", services=["google-analytics"], unknown="withhold", standing_link="append")],
        secret_keys=["a-key-for-the-desk-of-at-least-32-bytes"],
    ),
)
