"""What cookiegate adds to a request, in process, CPU µs: ``python -m benchmarks.overhead``.

A small JSON answer behind an empty middleware, Starlette's SessionMiddleware and cookiegate with the visit log off and
on; then a page of 30 KB that a Jinja2 template renders, alone, behind cookiegate, behind GZipMiddleware and behind
both. Rounds alternate, so that a busy machine is busy for all; medians and the least are printed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware

from cookiegate import Config, CookieGateMiddleware, Site
from cookiegate.config import Records

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

ROUNDS = 15
KEY = "a-key-for-benchmarks-of-at-least-32-bytes"
SERVICES = ["google-analytics", "youtube", "meta-pixel"]
SCOPE: dict[str, Any] = {
    "type": "http", "method": "GET", "path": "/api", "raw_path": b"/api", "query_string": b"", "root_path": "",
    "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1234), "extensions": {}, "state": {},
    "headers": [
        (b"host", b"localhost"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"), (b"accept-language", b"en"),
        (b"cookie", b"a=b; session=xyz"),
    ],
}  # fmt: skip
NAVIGATION: dict[str, Any] = {
    **SCOPE, "path": "/", "raw_path": b"/",
    "headers": [
        (b"host", b"localhost"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"text/html,*/*;q=0.8"),
        (b"accept-language", b"en"), (b"accept-encoding", b"gzip, deflate, br"), (b"sec-fetch-dest", b"document"),
        (b"sec-fetch-mode", b"navigate"), (b"cookie", b"a=b; session=xyz"),
    ],
}  # fmt: skip
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]
TEMPLATE = Environment(autoescape=True).from_string("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}</title><link rel="stylesheet" href="/static/shop.css">
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('config','G-1');</script>
</head><body><header><h1>{{ name }}</h1><nav><ul>{% for goods in catalogue[:8] %}
<li><a href="/goods/{{ goods.slug }}">{{ goods.title }}</a></li>{% endfor %}</ul></nav></header><main>
<iframe width="560" height="315" src="https://www.youtube.com/embed/abc"></iframe>
{% for goods in catalogue %}<article class="goods" id="{{ goods.slug }}">
<h2><a href="/goods/{{ goods.slug }}">{{ goods.title }}</a></h2>
<img src="/static/{{ goods.slug }}.jpg" alt="{{ goods.title }}" width="320" height="240" loading="lazy">
<p>{{ goods.text }}</p><p class="price">{{ "%.2f"|format(goods.price) }} &euro;</p>
<form action="/cart" method="post"><input type="hidden" name="goods" value="{{ goods.slug }}">
<button>Put into the cart</button></form></article>
{% endfor %}</main><footer>&copy; {{ name }}</footer></body></html>
""")
WORDS = "leaves of a small garden high above the river picked by hand in spring then dried over warm stones".split()


def _text(dice: random.Random, length: int) -> str:
    return " ".join(f"{dice.choice(WORDS)}{dice.choice(['', '', 's', 'ly', 'ing', ','])}" for _ in range(length))


CATALOGUE = [
    {"slug": f"tea-{n}", "title": f"Tea & {_text(random.Random(n), 3)}", "price": 4 + n / 7,
     "text": _text(random.Random(-n), 30)}
    for n in range(50)
]  # fmt: skip


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a small JSON."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})


async def shop(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a page of 30 KB."""
    body = TEMPLATE.render(name="Tea house", catalogue=CATALOGUE).encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Empty:
    """The middleware that does nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def passed(message: MutableMapping[str, Any]) -> None:
            await send(message)

        await self.app(scope, receive, passed)


def gated(app: ASGIApp, place: str | None = None) -> ASGIApp:
    """Return *app* behind cookiegate, with a visit log below *place* if there is one."""
    site = {"services": SERVICES, "unknown": "withhold"}
    if place is None:
        return CookieGateMiddleware(app, config=Config(sites=[Site("Shop", **site)], secret_keys=[KEY]))
    records = Records(directory=Path(place, "data"), key_directory=Path(place, "keys"))
    logged = Site("Shop", visits={"basis": "security"}, **site)
    return CookieGateMiddleware(app, config=Config(sites=[logged], secret_keys=[KEY], records=records))


async def receive() -> MutableMapping[str, Any]:
    """Give an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: MutableMapping[str, Any]) -> None:
    """Take what is sent."""


async def _microseconds(app: ASGIApp, scope: Scope, requests: int) -> float:
    began = time.thread_time()
    for _ in range(requests):
        await app(scope, receive, send)
    return (time.thread_time() - began) / requests * 1e6


async def _compare(contenders: Mapping[str, ASGIApp], scope: Scope, requests: int) -> dict[str, float]:
    """Print the cost of each and what it adds to the first; return the medians."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            taken[name].append(await _microseconds(contender, scope, requests))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    first, least = next(iter(medians.values())), min(next(iter(taken.values())))
    for name, times in taken.items():
        more, most = medians[name] - first, min(times) - least
        print(f"{name:26} {medians[name]:8.1f} µs, adds {more:7.1f} (least {min(times):7.1f}, adds {most:7.1f})")
    return medians


async def main() -> None:
    """Run both comparisons."""
    with tempfile.TemporaryDirectory() as place:
        print("A small JSON answer")
        json = {
            "empty middleware": Empty(app),
            "SessionMiddleware": SessionMiddleware(app, secret_key=KEY),
            "cookiegate, log off": gated(app),
            "cookiegate, log on": gated(app, place),
        }
        await _compare(json, SCOPE, 1000)
        print(f"\nA page of {len(TEMPLATE.render(name='Tea house', catalogue=CATALOGUE)) / 1000:.0f} KB from Jinja2")
        pages = {
            "alone": shop,
            "cookiegate": gated(shop),
            "GZipMiddleware": GZipMiddleware(shop),
            "both, GZip outside": GZipMiddleware(gated(shop)),
        }
        taken = await _compare(pages, NAVIGATION, 30)
        gate, gzip = taken["cookiegate"] - taken["alone"], taken["GZipMiddleware"] - taken["alone"]
        print(f"{taken['alone'] / taken['cookiegate']:.2f} × the pages alone; the gate adds {gate / gzip:.0%} of gzip")


if __name__ == "__main__":
    asyncio.run(main())
