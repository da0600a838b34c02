"""CookieGateMiddleware: decide, ask, call, gate, record. Order only, no rules."""

from __future__ import annotations

import secrets
import sys
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from cookiegate.config import Config
from cookiegate.consent.consent import Consent
from cookiegate.consent.cookie import receipts_sent, set_cookie
from cookiegate.consent.receipt import MAX_VALUE
from cookiegate.consent.signals import sends_gpc
from cookiegate.cookie import sent_cookies
from cookiegate.debug.endpoints import health_page
from cookiegate.errors import ConfigError, CookieGateError
from cookiegate.gate.exchange import Exchange
from cookiegate.gate.response import ResponseGate
from cookiegate.inspection import Inspection
from cookiegate.notice.addresses import Addresses
from cookiegate.notice.answers import Asked
from cookiegate.notice.banner import PageNotice
from cookiegate.notice.endpoints import GPC, REFUSED, gpc_statement, respond
from cookiegate.origin import origin_of
from cookiegate.remembering import Remembering
from cookiegate.scope import CONSENT, inner_scope, passed_over, path_below, path_of, sent_headers
from cookiegate.stages import Stages, compile_stages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from starlette.requests import HTTPConnection
    from starlette.types import Receive, Scope, Send

    App = Callable[[Any, Any, Any], Awaitable[None]]  # each framework has types of its own for the same messages
    Serve = Callable[[Stages, Exchange, Scope, Receive, Send], Awaitable[None]]


class CookieGateMiddleware:
    """Withholds what a visitor did not agree to, and asks.

    Wrap the whole app, ``app = CookieGateMiddleware(app, config=…)``: then nothing leaves beside it, error pages
    included. Under ``app.add_middleware`` it refuses to start where the app's own error handlers would.

    Raises:
        CookieGateError: *config* is no `Config`, or its records cannot be opened. Added to an app, it is told at
            lifespan start-up instead.
    """

    def __init__(self, app: App, *, config: Config | None = None) -> None:
        self.app = app
        self._failure: CookieGateError | None = None
        self._refused_forms = 0
        try:
            self._config = _checked(config)
            self._stages = compile_stages(self._config)
            self._stages_at = lru_cache(maxsize=1024)(self._find_stages)
            self._remembering = Remembering(self._config)
            self._inspection = Inspection(self._config)
        except CookieGateError as failure:
            if not _built_by_framework():  # wrapped: stop the import
                raise
            self._failure = failure  # added: our caller builds us inside lifespan and swallows what we raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        failure = self._failure or passed_over(scope)
        if failure:
            await _refuse_to_start(failure, scope, receive, send)
        elif scope["type"] == "http":
            await self._remembered(self._http, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._remembered(self._websocket, scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._remembering.start()
            elif message["type"] == "lifespan.shutdown.complete":
                self._remembering.stop()
            await send(message)

        await self.app(scope, receive, told)

    async def _remembered(self, serve: Serve, scope: Scope, receive: Receive, send: Send) -> None:
        self._remembering.start()
        stages, exchange = self._decide(scope)
        consent = exchange.consent
        if consent.forged:
            self._remembering.misuse(exchange, "forged receipt")
        if stages.known and self._remembering.keeps(consent):
            answer = partial(serve, stages, exchange, scope)
            await self._remembering.around(answer, exchange, receive, send)
        else:
            await serve(stages, exchange, scope, receive, send)

    async def _http(self, stages: Stages, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        asked = path_of(scope)
        path = GPC if asked == GPC else path_below(asked, self._config.prefix)
        if path is None:
            inner = inner_scope(scope, stages.gate.request_headers(exchange), exchange.consent)
            await self.app(inner, receive, ResponseGate(send, stages.gate, exchange))
        elif path == "/health":
            await health_page(await self._remembering.health(exchange.now))(scope, receive, send)
        elif not stages.known:
            await PlainTextResponse("No site is declared for this host.", 404)(scope, receive, send)
        elif path == GPC:
            await gpc_statement()(scope, receive, send)
        elif path == "/debug" and exchange.method in {"GET", "HEAD"} and not self._inspection.off:
            await self._debug_page(scope, stages, exchange, receive, send)
        else:
            await self._own_page(path, stages, exchange, Request(scope, receive), send)

    async def _websocket(self, stages: Stages, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        async def gated(message: MutableMapping[str, Any]) -> None:
            if message["type"] in {"websocket.accept", "websocket.http.response.start"}:
                headers = [(name.lower(), value) for name, value in message.get("headers", ())]
                message = {**message, "headers": stages.gate.allowed_headers(headers, exchange)}
            await send(message)

        inner = inner_scope(scope, stages.gate.request_headers(exchange), exchange.consent)
        await self.app(inner, receive, gated)

    def _decide(self, scope: Scope) -> tuple[Stages, Exchange]:
        config, sent, now = self._config, sent_headers(scope), self._config.clock()
        origin = origin_of(scope, sent, config)
        stages = self._stages_at(origin.host)
        cookies = sent_cookies(sent.get(b"cookie", b""))
        consent = stages.nobody
        if stages.known:
            consent = stages.decisions.decide(
                receipts_sent(stages.site, cookies, secure=origin.secure) if origin.can_keep else (),
                signal=sends_gpc(sent),
                child=bool(config.is_child(scope)),
                now=now,
            )
        silent = stages.gate.observing or not origin.can_keep
        notice = PageNotice(scope, origin, consent, config.prefix, renderings=stages.renderings, silent=silent)
        return stages, Exchange(scope, sent, cookies, origin, consent, notice, now)

    def _find_stages(self, host: str) -> Stages:
        site = self._config.site_for(host) if host else None
        return self._stages[site.name if site else None]

    async def _own_page(self, path: str, stages: Stages, exchange: Exchange, request: Request, send: Send) -> None:
        origin, now = exchange.origin, exchange.now
        outcome = await respond(
            Asked(
                request=request,
                path=path,
                consent=exchange.consent,
                language=exchange.notice.language,
                addresses=Addresses.of(request.scope, self._config.prefix, origin),
                origin=origin.serialized,
                can_keep=origin.can_keep,
                now=now,
                new_id=partial(secrets.token_urlsafe, 16),
                hears=partial(stages.gate.hears, now),
                hear=partial(stages.gate.reported.hear, now=now),
                variant=partial(stages.gate.shared_variant, exchange),
                fits=lambda consent: len(stages.receipts.write(consent)) <= MAX_VALUE,
            )
        )
        self._refused_forms += outcome.happened == REFUSED  # without the sender's address: the sender is the victim
        if outcome.consent:
            receipt = stages.receipts.write(outcome.consent)
            cookie = set_cookie(outcome.consent, receipt, secure=origin.secure, now=now)
            cleared = stages.gate.clearing(exchange._replace(consent=outcome.consent))
            outcome.response.raw_headers.extend([(b"set-cookie", cookie), *cleared])
        await outcome.response(request.scope, request.receive, send)

    async def _debug_page(self, scope: Scope, stages: Stages, exchange: Exchange, receive: Receive, send: Send) -> None:
        response = await self._inspection.answer(
            scope,
            exchange,
            stages.gate,
            addresses=Addresses.of(scope, self._config.prefix, exchange.origin),
            records=partial(self._remembering.health, exchange.now, fresh=True),
            refused_forms=self._refused_forms,
            misuse=partial(self._remembering.misuse, exchange),
            looked=partial(self._remembering.note_access, exchange),
        )
        await response(scope, receive, send)


def consent_of(connection: HTTPConnection | Mapping[str, Any]) -> Consent:
    """Return the visitor's consent from a request, a websocket or an ASGI scope.

    Raises:
        CookieGateError: the connection did not come through the middleware.
    """
    scope = getattr(connection, "scope", connection)
    consent = scope.get("state", {}).get(CONSENT)
    if not isinstance(consent, Consent):
        raise CookieGateError(
            "This connection did not pass CookieGateMiddleware. Wrap the app: "
            "app = CookieGateMiddleware(app, config=…)."
        )
    return consent


def _built_by_framework() -> bool:
    """Whether Starlette makes us, in ``build_middleware_stack`` (two frames up: it, ``__init__``, this)."""
    caller = str(sys._getframe(2).f_globals.get("__name__", ""))
    return caller.startswith(("starlette.", "fastapi."))


def _checked(config: Config | None) -> Config:
    if not isinstance(config, Config):
        raise ConfigError(f"config = {config!r}: pass config=Config.load('cookiegate.toml') or config=Config(…).")
    return config


async def _refuse_to_start(failure: CookieGateError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        raise failure
    await receive()
    await send({"type": "lifespan.startup.failed", "message": f"cookiegate: {failure}"})
