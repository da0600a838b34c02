"""What an ASGI scope says, and what of it the app may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cookiegate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    Scope = MutableMapping[str, Any]

ZEROCOPY = "http.response.zerocopysend"  # would send a page past us
CONSENT = "consent"  # in the scope's state, where Starlette's request.state finds it


def path_below(scope: Mapping[str, Any], prefix: str) -> str | None:
    """Return the path below *prefix*, or None where the request is the app's."""
    path = path_of(scope)
    return path.removeprefix(prefix) if path == prefix or path.startswith(f"{prefix}/") else None


def path_of(scope: Mapping[str, Any]) -> str:
    """Return the path below the server's root path."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def address_bar(scope: Mapping[str, Any]) -> str:
    """Return path and query as the browser sent them."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = b"?" + scope["query_string"] if scope.get("query_string") else b""
    return (path.partition(b"?")[0] + query).decode("latin-1")


def inner_scope(scope: Scope, headers: Sequence[tuple[bytes, bytes]], consent: object) -> Scope:
    """Return the app's own copy: with the consent, and without what it may not see."""
    extensions = scope.get("extensions") or {}
    return {
        **scope,
        "headers": headers,
        "extensions": {name: value for name, value in extensions.items() if name != ZEROCOPY},
        "state": {**scope.get("state", {}), CONSENT: consent},
    }


def passed_over(scope: Scope) -> ConfigError | None:
    """Return why pages would leave past us, if they would: the app handles 500 or Exception outside of us."""
    handlers = getattr(scope.get("app"), "exception_handlers", None) or {}
    if scope["type"] in {"lifespan", "http"} and (500 in handlers or Exception in handlers):
        return ConfigError(
            "The app has a handler for 500 or Exception, and Starlette runs it outside of added middleware, so its "
            "pages would leave ungated. Wrap the app instead of adding: app = CookieGateMiddleware(app, config=…)."
        )
    return None
