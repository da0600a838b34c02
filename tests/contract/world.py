"""A small world to stand in: a site, apps, visitors and the wire."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY = "a-key-of-this-test-suite-32-bytes-and-longer"
OTHER_KEY = "another-key-of-this-test-suite-as-long-as-it"
NOW = 1_795_003_200.0  # 2026-11-18 12:00 UTC
ADDRESS = "203.0.113.77"

GA = "https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"
META = "https://connect.facebook.net/en_US/fbevents.js"
MAPS = "https://dapi.kakao.com/v2/maps/sdk.js"
HOTJAR = "https://static.hotjar.com/c/hotjar-1.js"
STRANGER = "https://cdn.stranger.example/x.js"
PURPOSES = ("necessary", "preferences", "analytics", "marketing")
EVERYTHING = {"necessary", "preferences", "analytics", "marketing"}

PAGE = (
    "<!doctype html><html><head><title>Tea</title>"
    f'<script async src="{GA}"></script><script src="{META}"></script>'
    "</head><body><h1>Tea</h1></body></html>"
)
NAVIGATE = {
    "accept": "text/html,*/*;q=0.8",
    "accept-encoding": "gzip, deflate",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
}
SAME_ORIGIN = {**NAVIGATE, "sec-fetch-site": "same-origin"}


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, *, days: float = 0, seconds: float = 0) -> None:
        self.now += days * 86_400 + seconds


class Answer:
    """A plain ASGI app that always says the same and remembers what it was asked."""

    def __init__(
        self,
        *chunks: bytes | str,
        content_type: str | None = "text/html; charset=utf-8",
        headers: Iterable[tuple[bytes | str, bytes | str]] = (),
        status: int = 200,
    ) -> None:
        self.chunks = [_bytes(chunk) for chunk in chunks] or [_bytes(PAGE)]
        self.headers = [(_bytes(name).lower(), _bytes(value)) for name, value in headers]
        if content_type is not None:
            self.headers.append((b"content-type", _bytes(content_type)))
        self.status = status
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    def heard(self, name: str) -> list[bytes]:
        """The values of one header of the last request, as the app received them."""
        return [value for key, value in self.scopes[-1]["headers"] if key.lower() == name.encode()]


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


async def _home(request: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)


async def _consent(request: Request) -> JSONResponse:
    consent = consent_of(request)
    granted = [purpose for purpose in PURPOSES if consent.allows(purpose)]
    return JSONResponse({"granted": granted, "id": consent.id})


def shop() -> Starlette:
    """A page with two services at ``/``, the visitor's consent as the app sees it at ``/consent``."""
    return Starlette(routes=[Route("/", _home, methods=["GET", "POST"]), Route("/consent", _consent)])


def a_site(**options: Any) -> Site:
    return Site(
        **{
            "name": "Shop",
            "hosts": ["shop.test", "*.shop.test", "localhost"],
            "services": ["google-analytics", "meta-pixel", "kakao-maps"],
            "unknown": "withhold",
            **options,
        }
    )


def gated(
    app: ASGIApp | None = None,
    *,
    clock: Callable[[], float] | None = None,
    keys: Iterable[str] = (KEY,),
    config: Mapping[str, Any] | None = None,
    **site: Any,
) -> CookieGateMiddleware:
    """*app* (or the shop) behind a gate; *site* overrides what the site declares."""
    values: dict[str, Any] = {
        "sites": [a_site(**site)],
        "secret_keys": list(keys),
        "clock": clock or Clock(),
        **(config or {}),
    }
    return CookieGateMiddleware(app or shop(), config=Config(**values))


@dataclass(frozen=True)
class Reply:
    """What came over the wire, undecoded."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str:
        """All lines of one header, joined; empty when there is none."""
        return ", ".join(self.all(name))

    @property
    def asks(self) -> bool:
        """Whether a banner stands in this page of the app."""
        return b"/_privacy/" in self.body


@dataclass
class Visitor:
    """A browser as far as a server can tell: headers, a cookie jar, forms."""

    app: ASGIApp
    base: str = "https://shop.test"
    cookies: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    root_path: str = ""

    def get(self, path: str = "/", headers: Mapping[str, str | bytes | None] | None = None) -> Reply:
        return self.send("GET", path, {**NAVIGATE, **(headers or {})})

    def choose(self, action: str, *purposes: str, **fields: str) -> Reply:
        """Post the real form, as the banner or the choices page would."""
        return self.post({"action": action, "purpose": list(purposes), "return_to": "/", **fields}, SAME_ORIGIN)

    def post(
        self,
        form: Mapping[str, str | list[str]] | bytes,
        headers: Mapping[str, str | bytes | None],
        path: str = "/_privacy/choices",
    ) -> Reply:
        body = form if isinstance(form, bytes) else _encoded(form)
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.send("POST", self.root_path + path, {**kind, **headers}, body)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | bytes | None] | list[tuple[str, bytes]],
        body: bytes = b"",
    ) -> Reply:
        lines: list[tuple[str, str | bytes | None]] = [*headers] if isinstance(headers, list) else list(headers.items())
        lines += list(self.always.items())
        if self.cookies and not any(name == "cookie" for name, _ in lines):
            lines.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        kept = [(name.encode(), _bytes(value)) for name, value in lines if value is not None]
        reply = asyncio.run(self._send(method, path, kept, body))
        self._keep_cookies(reply)
        return reply

    async def _send(self, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Reply:
        transport = httpx.ASGITransport(self.app, client=(ADDRESS, 40_000), root_path=self.root_path)
        async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
            for name in ("accept", "accept-encoding", "connection", "user-agent"):
                del client.headers[name]
            async with client.stream(method, path, headers=headers, content=body) as response:
                raw = b"".join([chunk async for chunk in response.aiter_raw()])
                lines = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in response.headers.raw]
                return Reply(response.status_code, lines, raw)

    def _keep_cookies(self, reply: Reply) -> None:
        for line in reply.all("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if re.search(r";\s*max-age=0", line, re.IGNORECASE):
                del self.cookies[name]

    def granted(self, headers: Mapping[str, str | bytes | None] | None = None) -> set[str]:
        """The purposes that the app is told are granted."""
        body = httpx.Response(200, content=self.get("/consent", headers).body).json()
        return set(body["granted"])

    @property
    def receipt(self) -> str:
        return self.cookies["__Host-privacy"]


def _encoded(form: Mapping[str, str | list[str]]) -> bytes:
    return httpx.Request("POST", "https://x", data=dict(form)).content


def http_scope(path: str = "/", method: str = "GET", headers: Mapping[str, str] | None = None) -> Scope:
    lines = [(b"host", b"shop.test"), *((k.encode(), v.encode()) for k, v in (headers or NAVIGATE).items())]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": lines,
        "client": (ADDRESS, 40_000),
        "server": ("shop.test", 443),
        "extensions": {},
    }


def drive(
    app: ASGIApp, scope: Scope, messages: Iterable[Message] = (), sent: list[Message] | None = None
) -> list[Message]:
    """Feed *messages* to one ASGI call and return everything it sends (live in *sent*)."""
    incoming = iter(messages)
    out: list[Message] = [] if sent is None else sent

    async def receive() -> Message:
        return next(incoming, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        out.append(message)

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    return out


def body_of(messages: Iterable[Message]) -> bytes:
    return b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")


def visit(answer: ASGIApp, *, give: Iterable[str] | None = (), **site: Any) -> Visitor:
    """A visitor of *answer* who has chosen *give* already; ``None`` has never been asked."""
    visitor = Visitor(gated(answer, **site))
    if give is not None:
        visitor.choose("save", *give)
    return visitor


def parsed(body: bytes) -> Any:
    """The tree that a browser builds, by an oracle that is not ours."""
    import html5lib

    return html5lib.parse(body, namespaceHTMLElements=False)
