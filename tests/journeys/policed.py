"""A page whose own script loads from everybody, behind a policy of ours: what test_policy serves."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware, Site
from cookiegate.password import hashed

PASSWORD: Final = "a password of this test alone"
OWN_POLICY: Final = "script-src 'nonce-n1' 'strict-dynamic' 'unsafe-eval'"
PAGE: Final = '<!doctype html><title>Tea</title><p>Tea<script nonce="n1" src="/tea.js"></script>'
SCRIPT: Final = """
for (const src of [
  'https://www.googletagmanager.com/gtag/js?id=G-DEMO000001',
  'https://connect.facebook.net/en_US/fbevents.js',
  'https://cdn.stranger.example/x.js',
]) {
  const script = document.createElement('script');
  script.src = src;
  document.head.append(script);
}
for (const host of ['region1.google-analytics.com', 'live.stranger.example'])
  new WebSocket(`wss://${host}/live`);
fetch('https://region1.google-analytics.com:8443/g/collect').catch(() => {});
document.body.append(eval("'evaluated'"));
new Worker(URL.createObjectURL(new Blob([''])));
"""


async def _page(_: Request) -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"content-security-policy": OWN_POLICY})


async def _script(_: Request) -> Response:
    return Response(SCRIPT, media_type="text/javascript")


app = CookieGateMiddleware(
    Starlette(routes=[Route("/", _page), Route("/tea.js", _script), Route("/static/icon.svg", _script)]),
    config=Config(
        secret_keys=["a-key-of-this-test-suite-32-bytes-and-longer"],
        debug={"people": {"alice": hashed(PASSWORD)}},
        sites=[
            Site(
                "Tea",
                hosts=["127.0.0.1"],
                services=["google-analytics", "meta-pixel"],
                unknown="withhold",
                csp="enforce",
            )
        ],
    ),
)
