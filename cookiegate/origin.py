"""How the request came: scheme, host, port and address, as the visitor's side sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cookiegate.address import plain
from cookiegate.forwarded import elements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cookiegate.config import Config

    Sent = Mapping[bytes, bytes]  # headers by name, several lines as one

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\\\s]+)(?::([0-9]{1,5}))?").fullmatch
_HOP = re.compile(
    r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)|([0-9.]+)(?::[0-9]+)?"
).fullmatch
LONGEST_HOST = 260  # bytes: a host name has 253 at most, and a port
LONGEST_LINE = 4096  # bytes of a proxy's header that are looked at, from its end
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The request's origin (RFC 6454); *host* is lower case and empty where the request named none."""

    scheme: str
    host: str
    port: int

    @cached_property
    def secure(self) -> bool:
        """Whether a Secure cookie can be kept."""
        return self.scheme == "https"

    @cached_property
    def local(self) -> bool:
        """Whether this is the developer's own machine, the one place where plain http may say yes."""
        return self.host in {"localhost", "127.0.0.1", "[::1]"} or self.host.endswith(".localhost")

    @cached_property
    def can_keep(self) -> bool:
        """Whether a receipt can be kept here, and so a yes be given."""
        return self.secure or self.local

    @cached_property
    def netloc(self) -> str:
        """Host and, if it is not the scheme's own, port."""
        return self.host if DEFAULT_PORTS.get(self.scheme) == self.port else f"{self.host}:{self.port}"

    @cached_property
    def serialized(self) -> str:
        """As in the ``Origin`` header."""
        return f"{self.scheme}://{self.netloc}"


def origin_of(scope: Mapping[str, Any], sent: Sent, config: Config) -> Origin:
    """Return the origin of a request with these headers; forwarded protocols count from trusted proxies only."""
    host = sent.get(b"host", b"")
    return _origin(_scheme(scope, sent, config), host if len(host) <= LONGEST_HOST else b"")


@lru_cache(maxsize=1024)
def _origin(scheme: str, line: bytes) -> Origin:
    match = _HOST(line)
    if match is None or not _bracket_holds_address(match[1]):  # none, several or a hostile one: no site lists it
        return Origin(scheme=scheme, host="", port=DEFAULT_PORTS[scheme])
    port = int(match[2]) if match[2] else DEFAULT_PORTS[scheme]
    return Origin(scheme=scheme, host=match[1].decode("latin-1").lower().rstrip("."), port=port)


def _bracket_holds_address(host: bytes) -> bool:
    return not host.startswith(b"[") or _is_address(host[1:-1].decode("ascii"))


def address_of(scope: Mapping[str, Any], sent: Sent, config: Config) -> str:
    """Return the visitor's IP address: the peer's, or what trusted proxies say of whom they serve.

    The header is read from the right; each entry was written by the hop that its right neighbour names, so it
    counts as long as that hop is trusted. What is no address ends the reading. Empty where nothing is known
    (a Unix socket without a believed header).
    """
    address = plain((scope.get("client") or ("",))[0])
    if not _trusted(scope.get("client"), config):
        return address
    for hop in _hops(sent, config):
        if not _is_address(hop):
            break
        address = hop
        if not _in_networks(hop, config):
            break
    return address


def claims_a_proxy(scope: Mapping[str, Any], sent: Sent, config: Config) -> str | None:
    """Return the address of a private peer that sends a proxy's header and is not trusted, or None."""
    if b"x-forwarded-for" not in sent and b"forwarded" not in sent:
        return None
    client = scope.get("client")
    if not client or _trusted(client, config) or not _is_address(client[0]):
        return None
    return str(client[0]) if ip_address(client[0]).is_private else None


def _hops(sent: Sent, config: Config) -> Iterator[str]:
    """Yield whom each hop says that it serves, the nearest first."""
    line = _end_of(sent.get(config.proxy_header.lower().encode(), b""))
    if config.proxy_header == "Forwarded":
        return (_without_port(element.get("for", "")) for element in elements(line))
    return (_without_port(entry.strip()) for entry in reversed(line.split(",")))


def _end_of(value: bytes) -> str:
    """Return the line; of a long one its end: a visitor who sends much hides no proxy's words behind it."""
    line = value.decode("latin-1")
    return line if len(line) <= LONGEST_LINE else line[-LONGEST_LINE:].partition(",")[2]


def _without_port(hop: str) -> str:
    match = _HOP(hop)
    return plain(match[1] or match[2] or match[3]) if match else ""


def _scheme(scope: Mapping[str, Any], sent: Sent, config: Config) -> str:
    if config.https == "always":
        return "https"
    own = "https" if scope.get("scheme", "http") in {"https", "wss"} else "http"
    if not config.trusted_proxies or not _trusted(scope.get("client"), config):
        return own
    said = sent.get(b"forwarded" if config.proxy_header == "Forwarded" else b"x-forwarded-proto")
    if said is None:
        return own
    if config.proxy_header == "Forwarded":
        nearest = next(elements(_end_of(said))).get("proto", "")
        return own if not nearest else "https" if nearest.lower() == "https" else "http"
    return "https" if said.rpartition(b",")[2].strip().lower() == b"https" else "http"


def _trusted(client: tuple[str, int] | None, config: Config) -> bool:
    """Whether the peer is believed; a Unix socket (no address) if ``trusted_proxies`` names ``unix``."""
    if not config.trusted_proxies:
        return False
    host = client[0] if client else ""
    return _in_networks(host, config) if host else "unix" in config.trusted_proxies


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _in_networks(host: str, config: Config) -> bool:
    if not _is_address(host):
        return False
    address = ip_address(plain(host))
    return any(network != "unix" and address in network for network in config.trusted_proxies)
