"""Cookie and Set-Cookie: keep, withhold, clear."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cookiegate.cookie import SentCookie

    Header = tuple[bytes, bytes]

MAX_CLEARING = 2048  # bytes of Set-Cookie that one response may spend on clearing
MAX_ROUNDS = 3
DISTINCTIVE = 8  # bytes of a value below which many visitors hold the same one
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 5.6.2
_ADDRESS = re.compile(r"[0-9.]+|\[.*").fullmatch


def visible(headers: Sequence[Header], denied: Callable[[bytes], bool]) -> list[Header]:
    """Return the request's headers without the cookies that may not be read; untouched lines stay as they are."""
    shown: list[Header] = []
    for name, line in headers:
        if name == b"cookie":
            pairs = line.split(b";")
            kept = [pair for pair in pairs if not denied(pair.partition(b"=")[0].strip(b" \t"))]
            if not kept:
                continue
            line = line if len(kept) == len(pairs) else b";".join(kept).strip(b" \t")
        shown.append((name, line))
    return shown


def set_cookie_name(value: bytes) -> bytes:
    """Return the name in a Set-Cookie value as browsers read it (RFC 6265bis 5.6): empty if it has none."""
    pair = value.partition(b";")[0]
    name, equals, _ = pair.partition(b"=")
    return name.strip(b" \t") if equals else b""


class Clearing:
    """Tells the browser to delete cookies of denied services, at every page that they are sent to.

    One that comes back after three rounds is out of reach, and *unreachable* hears of it. Rounds are counted by name
    and value, the last few thousand of them, in this process only: no visitor is told apart.
    """

    def __init__(self, unreachable: Callable[[str], None]) -> None:
        self._rounds: OrderedDict[int, int] = OrderedDict()
        self._unreachable = unreachable

    def headers(self, cookies: Iterable[SentCookie], *, host: str, path: str, secure: bool) -> list[Header]:
        """Return the Set-Cookie headers that clear *cookies*: name × domain × path, within 2 KB."""
        clearable = [cookie for cookie in cookies if _TOKEN(cookie.name)]
        for cookie in clearable:
            self._count(cookie)
        names = dict.fromkeys(cookie.name for cookie in clearable)
        cleared: list[Header] = []
        size = 0
        if not names:
            return cleared
        for scope in _scopes(host, path):
            for name in names:
                value = name + b"=; Max-Age=0" + scope + (b"; Secure" if secure else b"")
                size += len(value)
                if size > MAX_CLEARING:
                    return cleared
                cleared.append((b"set-cookie", value))
        return cleared

    def _count(self, cookie: SentCookie) -> None:
        if len(cookie.value) < DISTINCTIVE:
            return
        key = hash(cookie.pair)
        rounds = self._rounds.pop(key, 0) + 1
        self._rounds[key] = rounds
        if len(self._rounds) > 4096:
            self._rounds.popitem(last=False)
        if rounds == MAX_ROUNDS + 1:
            self._unreachable(cookie.name.decode("ascii", "replace"))


def _scopes(host: str, path: str) -> Iterator[bytes]:
    """Every Path and Domain under which a cookie that was sent here can have been set, likely ones first.

    Scripts set theirs on the registrable domain: each parent with a dot is tried, public suffixes are ignored by
    browsers.
    """
    domains = [b""]
    if not _ADDRESS(host):
        labels = host.split(".")
        parents = (".".join(labels[cut:]) for cut in range(len(labels) - 1))
        domains += [b"; Domain=" + parent.encode("ascii", "ignore") for parent in parents]
    segments = [segment for segment in path.split("/") if segment]
    for depth in range(len(segments) + 1):
        where = "/" + "/".join(segments[:depth])
        if not re.fullmatch(r"[!-:<-~]+", where):
            return
        for domain in domains:
            yield b"; Path=" + where.encode("ascii") + domain
