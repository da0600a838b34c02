"""What an ASGI scope says, and what of it the app may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cookiegate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    Scope = MutableMapping[str, Any]

CONSENT = "consent"  # in the scope's state, where Starlette's request.state finds it


def sent_headers(scope: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return the request's headers by name; several lines are one (RFC 9110 5.3, for cookies RFC 9113 8.2.3)."""
    headers = scope["headers"]
    sent = dict(headers)
    if len(sent) == len(headers):
        return sent
    lines: dict[bytes, list[bytes]] = {}
    for name, line in headers:
        lines.setdefault(name, []).append(line)
    return {name: (b"; " if name == b"cookie" else b", ").join(several) for name, several in lines.items()}


def path_below(path: str, prefix: str) -> str | None:
    """Return what of *path* is below *prefix*, or None where the request is the app's."""
    below = path.removeprefix(prefix)
    return below if below != path and below[:1] in {"", "/"} else None


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
    return {**scope, "headers": headers, "state": {**scope.get("state", {}), CONSENT: consent}}


def passed_over(scope: Scope) -> ConfigError | None:
    """Return why pages would leave past us, if they would: the app handles 500 or Exception outside of us."""
    handlers = getattr(scope.get("app"), "exception_handlers", None)
    if not handlers:
        return None
    if scope["type"] in {"lifespan", "http"} and (500 in handlers or Exception in handlers):
        return ConfigError(
            "The app has a handler for 500 or Exception, and Starlette runs it outside of added middleware, so its "
            "pages would leave ungated. Wrap the app instead of adding: app = CookieGateMiddleware(app, config=…)."
        )
    return None
