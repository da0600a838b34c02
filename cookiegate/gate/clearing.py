"""Clearing: how a browser is told to delete cookies."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cookiegate.cookie import SentCookie

    Header = tuple[bytes, bytes]

MAX_CLEARING = 2048  # bytes that one response may spend on clearing, header names included
MAX_ROUNDS = 3
DISTINCTIVE = 8  # bytes of a value below which many visitors hold the same one
DEEPEST = 8  # segments of a path that are tried
REMEMBERED = 4096
_LINE = len(b"set-cookie: \r\n")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}").fullmatch  # RFC 9110 5.6.2
_ADDRESS = re.compile(r"[0-9.]+|\[.*").fullmatch
_DOMAIN = re.compile(r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*").fullmatch
_PATH = re.compile(r"[!-:<-~]+").fullmatch
_HOST_ONLY = b"__host-"  # browsers take such a cookie on "/" alone and with no Domain (RFC 6265bis 4.1.3.2)
# A cookie of a partition (CHIPS) is another one than its namesake outside: only what says Partitioned, and so Secure,
# deletes it (measured in Chromium 156). In a frame elsewhere browsers heed nothing but SameSite=None.
_PARTITIONED = "; SameSite=None; Partitioned"


class Clearing:
    """Tells the browser to delete cookies of denied services, at every page that they are sent to.

    One that comes back after three rounds is out of reach, and *unreachable* hears of it. Rounds are counted by name
    and value, the last few thousand of them, in this process only: no visitor is told apart. What came back often
    waits behind the others, so that it never keeps them from being cleared.
    """

    def __init__(self, unreachable: Callable[[str], None]) -> None:
        self._rounds: OrderedDict[int, int] = OrderedDict()
        self._unreachable = unreachable

    def headers(self, cookies: Iterable[SentCookie], *, host: str, path: str, secure: bool) -> list[Header]:
        """Return the Set-Cookie headers that clear *cookies*: name × domain × path × Partitioned, within 2 KB."""
        clearable = sorted((cookie for cookie in cookies if _TOKEN(cookie.name)), key=self._rounds_of)
        names = [*dict.fromkeys(cookie.name for cookie in clearable)][: MAX_CLEARING // _LINE]
        values = _values(names, [*_scopes(host, path, secure=secure)])
        cleared = [(b"set-cookie", value) for value in _within(values, MAX_CLEARING)]
        done = {value.partition(b"=")[0] for _, value in cleared}
        for cookie in clearable:
            if cookie.name in done:
                self._count(cookie)
        return cleared

    def _rounds_of(self, cookie: SentCookie) -> int:
        return self._rounds.get(hash(cookie.pair), 0)

    def _count(self, cookie: SentCookie) -> None:
        if len(cookie.value) < DISTINCTIVE:
            return
        key = hash(cookie.pair)
        rounds = self._rounds.pop(key, 0) + 1
        self._rounds[key] = rounds
        if len(self._rounds) > REMEMBERED:
            self._rounds.popitem(last=False)
        if rounds == MAX_ROUNDS + 1:
            self._unreachable(cookie.name.decode("ascii"))


def _values(names: list[bytes], scopes: list[bytes]) -> Iterator[bytes]:
    for scope in scopes:
        of_the_host = scope.startswith(b"; Path=/;") and b"; Domain=" not in scope
        for name in names:
            if of_the_host or not name.lower().startswith(_HOST_ONLY):
                yield name + b"=; Max-Age=0" + scope


def _within(values: Iterable[bytes], size: int) -> Iterator[bytes]:
    for value in values:
        size -= _LINE + len(value)
        if size < 0:
            return
        yield value


def _scopes(host: str, path: str, *, secure: bool) -> Iterator[bytes]:
    """Every Path, Domain and partition under which a cookie that was sent here can have been set, likely ones first.

    Scripts set theirs on the registrable domain: each parent with a dot is tried, public suffixes are ignored by
    browsers.
    """
    domains = ["", *(f"; Domain={parent}" for parent in _parents(host))]
    root, *deeper = _paths(path)
    for paths in ([root], deeper):
        for more in ("; Secure", f"; Secure{_PARTITIONED}") if secure else ("",):
            for where in paths:
                for domain in domains:
                    yield f"; Path={where}{domain}{more}".encode("ascii")


def _parents(host: str) -> list[str]:
    if _ADDRESS(host) or not _DOMAIN(host):
        return []
    labels = host.split(".")
    return [".".join(labels[cut:]) for cut in range(len(labels) - 1)]


def _paths(path: str) -> Iterator[str]:
    segments = [segment for segment in path.split("/") if segment]
    for depth in range(min(len(segments), DEEPEST) + 1):
        where = "/" + "/".join(segments[:depth])
        if not _PATH(where):
            return
        yield where
