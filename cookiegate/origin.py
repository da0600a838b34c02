"""How the request came: scheme, host and port as the visitor's browser sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.config import Config

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\\\s]+)(?::([0-9]{1,5}))?").fullmatch
_FORWARDED_PROTO = re.compile(rb'proto="?([A-Za-z]+)', re.IGNORECASE).search
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The request's origin (RFC 6454); *host* is lower case and empty where the request named none."""

    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        """Whether a Secure cookie can be kept."""
        return self.scheme == "https"

    @property
    def local(self) -> bool:
        """Whether this is the developer's own machine, the one place where plain http may say yes."""
        return self.host in {"localhost", "127.0.0.1", "[::1]"} or self.host.endswith(".localhost")

    @property
    def can_keep(self) -> bool:
        """Whether a receipt can be kept here, and so a yes be given."""
        return self.secure or self.local

    @property
    def netloc(self) -> str:
        """Host and, if it is not the scheme's own, port."""
        return self.host if DEFAULT_PORTS.get(self.scheme) == self.port else f"{self.host}:{self.port}"

    @property
    def serialized(self) -> str:
        """As in the ``Origin`` header."""
        return f"{self.scheme}://{self.netloc}"


def origin_of(scope: Mapping[str, Any], config: Config) -> Origin:
    """Return the origin of an HTTP or WebSocket request; forwarded protocols count from trusted proxies only."""
    scheme = _scheme(scope, config)
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    match = _HOST(hosts[0]) if len(hosts) == 1 else None
    if match is None:  # none, several or a hostile one: no site lists it
        return Origin(scheme=scheme, host="", port=DEFAULT_PORTS[scheme])
    port = int(match[2]) if match[2] else DEFAULT_PORTS[scheme]
    return Origin(scheme=scheme, host=match[1].decode("latin-1").lower().rstrip("."), port=port)


def _scheme(scope: Mapping[str, Any], config: Config) -> str:
    if config.https == "always":
        return "https"
    own = "https" if scope.get("scheme", "http") in {"https", "wss"} else "http"
    if not _trusted(scope.get("client"), config):
        return own
    for name, value in reversed(scope["headers"]):
        if config.proxy_header == "Forwarded" and name == b"forwarded":
            found = _FORWARDED_PROTO(value.rpartition(b",")[2])
            return "https" if found and found[1].lower() == b"https" else own
        if config.proxy_header != "Forwarded" and name == b"x-forwarded-proto":
            return "https" if value.rpartition(b",")[2].strip().lower() == b"https" else "http"
    return own


def _trusted(client: tuple[str, int] | None, config: Config) -> bool:
    if not client or not config.trusted_proxies:
        return False
    try:
        address = ip_address(client[0])
    except ValueError:
        return False
    return any(address in network for network in config.trusted_proxies)
