"""Which pages a shared cache may keep, once it asked which variant its visitor is shown.

A cache cannot read the signed receipt, so it asks us (``GET {prefix}/variant``), keys on the answer, and says it back
in ``Privacy-Variant`` when it fetches the page. Only to a cache that named the right variant is a page said to be
shareable, and only in fields that browsers ignore: one that never heard of variants is given no page to share.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from cookiegate.consent.cookie import cookie_name
from cookiegate.gate.caching import directives
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cookiegate.gate.exchange import Exchange
    from cookiegate.service import Service
    from cookiegate.site import Site

    Header = tuple[bytes, bytes]

PRIVATE = b"private"  # the variant of visitors whose pages may be their own; no response is ever shared under it
NAMED = b"privacy-variant"
_FORBIDS = frozenset({b"private", b"no-store", b"no-cache"})
_LONGEST = 31_536_000  # seconds: a year


class Sharing:
    """Which visitors of one site are shown what all of their choice are shown."""

    def __init__(self, site: Site, services: Callable[[bytes], Sequence[Service]]) -> None:
        self._site = site
        self._services = services
        self._ignored = tuple(re.compile(translate(name).encode()).match for name in site.shared_cache_ignores)

    def impersonal(self, exchange: Exchange) -> bool:
        """Return whether the request carries nothing by which the app could know this one visitor.

        A cookie of the app's may be a session; a denied service's is being cleared, by headers for this visitor alone.
        """
        if exchange.method not in {"GET", "HEAD"} or any(name == b"authorization" for name, _ in exchange.headers):
            return False
        receipt = cookie_name(self._site, secure=exchange.origin.secure).encode()
        return all(cookie.name == receipt or self._tells_nothing(cookie.name, exchange) for cookie in exchange.cookies)

    def _tells_nothing(self, cookie: bytes, exchange: Exchange) -> bool:
        if any(ignored(cookie) for ignored in self._ignored):
            return True
        services = self._services(cookie)
        return any(exchange.consent.allows_service(service) for service in services) and not any(
            service.keep or service.purpose == NECESSARY for service in services
        )


def permission(
    headers: Sequence[Header], held: Sequence[Header], asked: Sequence[Header], variant: bytes | None
) -> list[Header]:
    """Return what a shared cache is told of a page with the app's *headers*, of which *held* leave.

    *asked* are the request's headers. X-Accel-Expires is nginx's; Surrogate-Control that of Varnish and CDNs.
    """
    if variant is None:
        return []
    named = [value for name, value in asked if name == NAMED]
    seconds = lifetime(headers) if variant != PRIVATE and named == [variant] else 0
    if not seconds or any(name == b"set-cookie" for name, _ in held):
        return [(NAMED, variant)]
    return [
        (NAMED, variant),
        (b"surrogate-control", b"max-age=%d" % seconds),
        (b"x-accel-expires", b"%d" % seconds),
    ]


def lifetime(headers: Sequence[Header]) -> int:
    """Return for how many seconds the app lets shared caches keep a page: s-maxage, or max-age of a public one.

    0 where it varies by anything but its encoding: our variant tells apart what we did to it, not what the app did.
    """
    said = directives(headers) or {}
    varies = {part.strip().lower() for name, value in headers if name == b"vary" for part in value.split(b",")}
    if not _FORBIDS.isdisjoint(said) or varies - {b"", b"accept-encoding"}:
        return 0
    seconds = said.get(b"s-maxage") or (said.get(b"max-age") if b"public" in said else None)
    return min(int(seconds), _LONGEST) if seconds and seconds.isdigit() and len(seconds) < 20 else 0
