"""Addresses as browsers read them (WHATWG URL): the only door to ada_url, kept shut for plain ones."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

_ABSOLUTE = re.compile(
    r"(?:(https?):)?//([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*)(?::[0-9]+)?(/[^?#]*)?"
).match
_PLAIN = re.compile(r"[!-\[\]-~]*").fullmatch  # no control, space, backslash or letter beyond ASCII
_UNTIDY = re.compile(r"[%@]|/\.|xn--", re.IGNORECASE).search
_SCHEME = re.compile(r"[\x00-\x20]*h\s*t\s*t\s*p\s*s?\s*:", re.IGNORECASE).match
_RELATIVE = re.compile(r"(?!//)[^:]*").fullmatch


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


def read_url(url: str, page: str) -> Place:
    """Return where *url* leads from *page* (the page's absolute address); `UNREADABLE` where nowhere."""
    if _PLAIN(url):
        match = _ABSOLUTE(url)
        if match and not _UNTIDY(url):
            return Place((match[1] or page.partition(":")[0]).lower(), match[2].lower(), (match[3] or "/").lower())
        if url.startswith("/") and _RELATIVE(url) and not _UNTIDY(url):
            return Place("", "", re.split(r"[?#]", url, maxsplit=1)[0].lower(), own=True)
    return _read_any(url, page)


def _read_any(url: str, page: str) -> Place:
    from ada_url import URL  # slow to import and seldom needed

    try:
        found, home = URL(url, page), URL(page)
    except ValueError:
        return UNREADABLE
    if found.host == home.host and _SCHEME(url):
        # "https:/host" is a path on a page of that scheme and a host on any other. A proxy may hide the page's
        # scheme from us, so it is read as a host.
        with suppress(ValueError):
            found = URL(url)
    host = found.hostname.rstrip(".")
    own = found.host == home.host and bool(host)
    return Place(found.protocol.rstrip(":"), host, unquote(found.pathname).lower(), own=own)
