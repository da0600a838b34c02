"""CookieGateMiddleware: decide, ask, call, gate. Order only, no rules."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from cookiegate.config import Config
from cookiegate.consent.consent import Consent
from cookiegate.consent.cookie import receipts_sent, set_cookie
from cookiegate.consent.decide import decide, nobody_asked
from cookiegate.consent.receipt import Receipts
from cookiegate.consent.signals import sends_gpc
from cookiegate.cookie import sent_cookies
from cookiegate.errors import ConfigError, CookieGateError
from cookiegate.gate.gate import Exchange, Gate
from cookiegate.gate.response import ResponseGate
from cookiegate.gate.selfcheck import check_gate
from cookiegate.notice.banner import Addresses, PageNotice
from cookiegate.notice.endpoints import GPC, Asked, gpc_statement, respond
from cookiegate.origin import Origin, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cookiegate.site import Site


ZEROCOPY = "http.response.zerocopysend"  # would send a page past us


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """What is compiled once for one site."""

    site: Site
    receipts: Receipts
    gate: Gate
    nobody: Consent  # what is granted to somebody whom nobody asked
    known: bool = True  # False: no site lists the host


class CookieGateMiddleware:
    """Withholds what a visitor did not agree to, and asks.

    Wrap the whole app, ``app = CookieGateMiddleware(app, config=…)``: then nothing leaves beside it, error pages
    included. Under ``app.add_middleware`` it refuses to start where the app's own error handlers would.

    Raises:
        ConfigError: *config* is no `Config`. Added to an app, it is told at lifespan start-up instead.
    """

    def __init__(self, app: ASGIApp, *, config: Config | None = None) -> None:
        self.app = app
        self._failure: CookieGateError | None = None
        try:
            self._config, self._stages = _compile(config)
        except CookieGateError as failure:
            if not hasattr(app, "app"):  # wrapped: stop the import
                raise
            self._failure = failure  # added: our caller builds us inside lifespan and swallows what we raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        failure = self._failure or _outside(scope)
        if failure:
            await _refuse_to_start(failure, scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        stages, exchange = self._decide(scope)
        path = _own_path(scope, self._config.prefix)
        if path is None:
            inner = _inner_scope(scope, stages.gate, exchange)
            await self.app(inner, receive, ResponseGate(send, stages.gate, exchange))
        elif not stages.known:
            await PlainTextResponse("No site is declared for this host.", 404)(scope, receive, send)
        elif path == GPC:
            await gpc_statement()(scope, receive, send)
        else:
            await self._own_page(path, stages, exchange, Request(scope, receive), send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        stages, exchange = self._decide(scope)

        async def gated(message: MutableMapping[str, Any]) -> None:
            if message["type"] in {"websocket.accept", "websocket.http.response.start"}:
                headers = [(name.lower(), value) for name, value in message.get("headers", ())]
                gated = stages.gate.gated_headers(headers, exchange)
                message = {**message, "headers": headers if stages.gate.observing else gated}
            await send(message)

        await self.app(_inner_scope(scope, stages.gate, exchange), receive, gated)

    def _decide(self, scope: Scope) -> tuple[Stages, Exchange]:
        config, origin, now = self._config, origin_of(scope, self._config), self._config.clock()
        site = config.site_for(origin.host) if origin.host else None
        stages = self._stages[site.name if site else None]
        cookies = tuple(sent_cookies(scope["headers"]))
        consent = stages.nobody
        if stages.known:
            consent = decide(
                stages.site,
                values=receipts_sent(stages.site, cookies, secure=origin.secure) if origin.can_keep else (),
                read=stages.receipts.read,
                signal=sends_gpc(scope["headers"]),
                child=config.is_child(scope),
                now=now,
            )
        notice = PageNotice(
            consent,
            headers=scope["headers"],
            method=scope.get("method", "GET"),
            origin=origin,
            addresses=self._addresses(scope, origin),
            back=partial(_address, scope),
            silent=stages.gate.observing or not origin.can_keep,
        )
        return stages, Exchange(
            consent=consent,
            origin=origin,
            path=scope["path"],
            method=scope.get("method", "GET"),
            headers=scope["headers"],
            cookies=cookies,
            notice=notice,
            now=now,
        )

    def _addresses(self, scope: Scope, origin: Origin) -> Addresses:
        root = quote(scope.get("root_path", "")) + self._config.prefix
        return Addresses(root=root, prefix=self._config.prefix, netloc=origin.netloc)

    async def _own_page(self, path: str, stages: Stages, exchange: Exchange, request: Request, send: Send) -> None:
        origin, now = exchange.origin, exchange.now
        outcome = await respond(
            Asked(
                request=request,
                path=path,
                consent=exchange.consent,
                language=exchange.notice.language,
                addresses=self._addresses(request.scope, origin),
                origin=origin.serialized,
                can_keep=origin.can_keep,
                now=now,
                new_id=partial(secrets.token_urlsafe, 16),
            )
        )
        if outcome.consent:
            receipt = stages.receipts.write(outcome.consent)
            cookie = set_cookie(outcome.consent, receipt, secure=origin.secure, now=now)
            cleared = stages.gate.clearing(replace(exchange, consent=outcome.consent))
            outcome.response.raw_headers.extend([(b"set-cookie", cookie), *cleared])
        await outcome.response(request.scope, request.receive, send)


def consent_of(connection: HTTPConnection | Mapping[str, Any]) -> Consent:
    """Return the visitor's consent from a request, a websocket or an ASGI scope.

    Raises:
        CookieGateError: the connection did not come through the middleware.
    """
    scope = getattr(connection, "scope", connection)
    consent = scope.get("state", {}).get("consent")
    if not isinstance(consent, Consent):
        raise CookieGateError(
            "This connection did not pass CookieGateMiddleware. Wrap the app: "
            "app = CookieGateMiddleware(app, config=…)."
        )
    return consent


def _compile(config: Config | None) -> tuple[Config, dict[str | None, Stages]]:
    """Return the stages by site name; under None those for a host that no site lists."""
    if not isinstance(config, Config):
        raise ConfigError(f"config = {config!r}: pass config=Config.load('cookiegate.toml') or config=Config(…).")
    check_gate()
    stages: dict[str | None, Stages] = {}
    for site in config.sites:
        receipts = Receipts(config.secret_keys, site_name=site.name)
        gate = Gate(site, edition=version("cookiegate"))
        stages[site.name] = Stages(site=site, receipts=receipts, gate=gate, nobody=nobody_asked(site))
    return config, {**stages, None: replace(stages[config.sites[0].name], known=False)}


def _outside(scope: Scope) -> CookieGateError | None:
    """Starlette runs handlers for 500 and Exception outside added middleware: their pages would pass ungated."""
    handlers = getattr(scope.get("app"), "exception_handlers", None) or {}
    if scope["type"] in {"lifespan", "http"} and (500 in handlers or Exception in handlers):
        return ConfigError(
            "The app has a handler for 500 or Exception, and Starlette runs it outside of added middleware, so its "
            "pages would leave ungated. Wrap the app instead of adding: app = CookieGateMiddleware(app, config=…)."
        )
    return None


async def _refuse_to_start(failure: CookieGateError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        raise failure
    await receive()
    await send({"type": "lifespan.startup.failed", "message": f"cookiegate: {failure}"})


def _inner_scope(scope: Scope, gate: Gate, exchange: Exchange) -> Scope:
    """The app's own copy of the scope: with the consent, without what it may not see."""
    extensions = scope.get("extensions") or {}
    return {
        **scope,
        "headers": gate.request_headers(exchange),
        "extensions": {name: value for name, value in extensions.items() if name != ZEROCOPY},
        "state": {**scope.get("state", {}), "consent": exchange.consent},
    }


def _own_path(scope: Scope, prefix: str) -> str | None:
    """Return the path below our prefix, or None where the request is the app's."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    if path == GPC:
        return path
    return path.removeprefix(prefix) if path == prefix or path.startswith(f"{prefix}/") else None


def _address(scope: Scope) -> str:
    """Return path and query as the browser sent them."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = b"?" + scope["query_string"] if scope.get("query_string") else b""
    return (path.partition(b"?")[0] + query).decode("latin-1")
