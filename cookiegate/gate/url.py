"""Addresses as browsers read them (WHATWG URL): the only door to ada_url, kept shut for plain ones."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

# What needs no reading: ASCII without control, space, backslash or percent sign, up to a query or fragment. All
# else (user names, empty ports, odd hosts, dot segments) is ada's to read; a half-read host could be any host.
_PATH = r"[!\"$&->@-\[\]-~]*+"
_ABSOLUTE = re.compile(
    r"(?:(https?):)?//((?:[a-z0-9-]++\.)+[a-z][a-z0-9-]*)(?::[0-9]+)?(?=[/?#]|\Z)(" + _PATH + r")(?=[?#]|\Z)",
    re.ASCII | re.IGNORECASE,
).match
_RELATIVE = re.compile(r"(?!//|\.)([!\"$&-9;->@-\[\]-~]++)(?=[?#]|\Z)").match  # and no colon: that may end a scheme
_SCHEME = re.compile(r"[\x00-\x20]*+h[\t\n\r]*+t[\t\n\r]*+t[\t\n\r]*+p[\t\n\r]*+s?+[\t\n\r]*+:", re.IGNORECASE).match
_SURROGATES = re.compile("[\ud800-\udfff]")


REMEMBERED_LENGTH = 512  # characters: a longer address is read again each time


class Place(NamedTuple):
    """Where an address leads: *host* is lower case, without a last dot, empty where the scheme has none.

    *path* is lower case and percent-decoded, so that no spelling escapes a pattern. *own* says that the
    address is relative: it leads to the page's own host.
    """

    scheme: str
    host: str
    path: str
    own: bool = False


UNREADABLE = Place("", "", "")
_DATA = Place("data", "", "")


def read_url(url: str, page: str) -> Place:
    """Return where *url* leads from *page* (the page's absolute address); `UNREADABLE` where nowhere."""
    if url.startswith("data:"):
        return _DATA
    absolute = _read_absolute if len(url) <= REMEMBERED_LENGTH else _read_absolute.__wrapped__
    return absolute(url, page.partition(":")[0]) or _read_relative(url, page) or _read_any(url, page)


@lru_cache(maxsize=4096)
def _read_absolute(url: str, scheme: str) -> Place | None:
    match = _ABSOLUTE(url)
    if match is None or "/." in match[3]:
        return None
    host = match[2].lower()
    if host.startswith("xn--") or ".xn--" in host:
        return None
    return Place((match[1] or scheme).lower(), host, match[3].lower() or "/")


def _read_relative(url: str, page: str) -> Place | None:
    match = _RELATIVE(url)
    if match is None or "/." in match[1]:
        return None
    if url.startswith("/"):
        return Place("", "", match[1].lower(), own=True)
    folder = _folder(page)
    return Place("", "", folder + match[1].lower(), own=True) if folder else None


@lru_cache(maxsize=1024)
def _folder(page: str) -> str | None:
    """The page's path up to its last slash; None where it must be tidied first."""
    path = "/" + page.partition("://")[2].partition("/")[2]
    plain = re.fullmatch(r"[!\"$-\[\]-~]*", path) and "/." not in path and "%2e" not in path.lower()
    return unquote(re.split(r"[?#]", path, maxsplit=1)[0].rpartition("/")[0]).lower() + "/" if plain else None


def _read_any(url: str, page: str) -> Place:
    from ada_url import URL  # slow to import and seldom needed

    # A browser decodes a page before it reads an address: bytes that are no character are U+FFFD by then. Never
    # "?", which would end the host.
    url = _SURROGATES.sub("\ufffd", url)
    try:
        found, home = URL(url, page), URL(page)
    except ValueError:
        return UNREADABLE
    host, home_host = found.host, home.host
    if host == home_host and _SCHEME(url):
        # "https:/host" is a path on a page of that scheme and a host on any other. A proxy may hide the page's
        # scheme from us, so it is read as a host.
        with suppress(ValueError):
            found = URL(url)
            host = found.host
    return Place(
        found.protocol.rstrip(":"), found.hostname.rstrip("."), unquote(found.pathname).lower(),
        own=host == home_host and bool(host),
    )  # fmt: skip
