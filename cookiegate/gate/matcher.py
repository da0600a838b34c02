"""Tag, URL, inline script, cookie → Service; compiled once per site."""

from __future__ import annotations

import re
from collections import defaultdict
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from cookiegate.catalogue import catalogue
from cookiegate.gate.attributes import unescape
from cookiegate.gate.grammar import many
from cookiegate.gate.lists import Lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cookiegate.gate.url import Place
    from cookiegate.service import Service
    from cookiegate.site import Site


LONGEST_HOST = 253  # characters, RFC 1035 3.1


class Match(NamedTuple):
    """A service and the rule that found it, in words for the log."""

    service: Service
    rule: str


class Fingerprint(NamedTuple):
    """What gives an inline script away."""

    found_in: Callable[[bytes], re.Match[bytes] | None]
    match: Match


_WORDS = re.compile(rb"[A-Za-z_$][\w$]+").findall
_TOKENS = re.compile(r"[\w$-]+|[\"'`]|\s+|.").findall
# An address in a script: behind // or at the beginning of a string; 1 is not empty where a call takes it directly.
# Whatever may stand in a host is one: only those that are known matter.
_MENTIONED = re.compile(
    rb"(\(\s*+)?(?:[\"'`](?i:https?:|wss?:)?(?://)?|//)(?:(?<=//)" + many(rb"[^/?#@\\\s\"'`<>]*+@") + rb")?"
    rb"([\w-]*+\.[\w.-]++)(?::[0-9]++)?(/[^\s\"'`<>\\?#]*+)?"
).findall
_ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|u\{0*+([1-9A-Fa-f][0-9A-Fa-f])\}|(/))")
# What makes markup of a string: then its character references are read too.
_WRITERS = (b"write", b"HTML", b"html", b"srcdoc", b"parseFromString", b"ContextualFragment")

# A script that only mentions an address loads nothing; one that has a word of these, or calls with it, may.
LOADER_WORDS = frozenset(
    b"Audio EventSource Image SharedWorker WebSocket WebTransport Worker XMLHttpRequest ajax append appendChild "
    b"assign axios createElement document fetch from get getScript href iframe import importScripts innerHTML "
    b"insertAdjacentHTML insertBefore load loadScript location open outerHTML post prepend register replace request "
    b"script sendBeacon setAttribute src srcdoc url write writeln".split()
)


class Matcher:
    """Knows every service of the catalogue and those that *site* declares, which win over the catalogue's."""

    def __init__(self, site: Site) -> None:
        services: Mapping[str, Service] = {**catalogue(), **site.declared}
        self._declared = site.declared
        self._hosts: dict[str, list[tuple[str, Match]]] = defaultdict(list)
        self._own_paths: list[tuple[str, Match]] = []
        self._fingerprints: dict[bytes, list[Fingerprint]] = defaultdict(list)
        for service in services.values():
            self._add_places(service)
            for text in service.inline:
                self._fingerprints[_index_word(text)].append(_fingerprint(text, service))
        for paths in (*self._hosts.values(), self._own_paths):
            paths.sort(key=lambda entry: (len(entry[0]), entry[1].service.slug in site.declared), reverse=True)
        self._cookies = [
            (re.compile(translate(cookie.name).encode()).match, service)
            for service in site.declared.values()
            for cookie in service.cookies
            if not cookie.third_party
        ]
        self._host_words = frozenset(_host_word(host) for host in self._hosts)
        self._own_hosts = tuple(host for host in (*site.hosts, *site.own_hosts) if host != "*")
        self._keep = tuple(_keep_rule(address) for address in site.keep)
        self.lists = Lists(site.lists)
        self.inline = lru_cache(maxsize=256)(self._inline)
        self.cookie = lru_cache(maxsize=1024)(self._cookie)

    def _add_places(self, service: Service) -> None:
        for pattern in service.hosts:
            host, slash, path = pattern.partition("/")
            match = Match(
                service, f"catalogue host {pattern}" if service.slug not in self._declared else f"host {pattern}"
            )
            if host:
                self._hosts[host].append((slash + path, match))
            else:
                self._own_paths.append((slash + path, match))

    def is_own(self, host: str) -> bool:
        """Return whether *host* is one of the site's."""
        return any(_host_fits(host, pattern) for pattern in self._own_hosts)

    def kept(self, place: Place) -> str | None:
        """Return the ``keep`` entry that leaves *place* alone."""
        for address, host, fits in self._keep:
            if _host_fits(place.host, host) and fits(place.path):
                return address
        return None

    def own(self, host: str, path: str) -> Match | None:
        """Return the service that is declared by a *path* on the site's own hosts, or by one of these hosts."""
        for start, match in self._own_paths:
            if path.startswith(start):
                return match
        found = self.place(host, path)
        return found if found and found.service.slug in self._declared else None

    def place(self, host: str, path: str) -> Match | None:
        """Return the service at *host* and *path*: the nearest parent host, then the longest path, wins."""
        for parent in _with_parents(host):
            for start, match in self._hosts.get(parent, ()):
                if path.startswith(start):
                    return match
        return None

    def at_host(self, host: str) -> tuple[Match, ...]:
        """Return every service known at *host*, whatever the path."""
        return tuple(match for parent in _with_parents(host) for _, match in self._hosts.get(parent, ()))

    def _cookie(self, name: bytes) -> tuple[Service, ...]:
        """Return the declared services that set a first-party cookie of that name."""
        return tuple(service for fits, service in self._cookies if fits(name))

    def _inline(self, script: bytes, *, data: bool = False) -> tuple[Match, ...]:
        """Return the services whose fingerprint or loaded address stands in *script*.

        In *data* (an import map, a data URL's document) every address counts; in a script only where there is
        a word that loads.
        """
        found: dict[str, Match] = {}
        for text in _readings(script, markup=data):
            words = set(_WORDS(text))
            for word in words & self._fingerprints.keys():
                for fingerprint in self._fingerprints[word]:
                    if fingerprint.found_in(text):
                        found.setdefault(fingerprint.match.service.slug, fingerprint.match)
            if not self._host_words.isdisjoint((b"", *map(bytes.lower, words))):
                for match in self._mentioned(text, everywhere=data or not words.isdisjoint(LOADER_WORDS)):
                    found.setdefault(match.service.slug, match)
        return tuple(found.values())

    def _mentioned(self, text: bytes, *, everywhere: bool) -> Iterator[Match]:
        for called, host, path in set(_MENTIONED(text)):
            if called or everywhere:
                match = self.place(host.decode().lower().strip("."), path.decode("latin-1").lower() or "/")
                if match:
                    yield match


def _with_parents(host: str) -> Iterable[str]:
    labels = host[-LONGEST_HOST:].split(".")  # a browser finds none that is longer, and we need not go through it
    return (".".join(labels[cut:]) for cut in range(len(labels) - 1))


def _host_fits(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _keep_rule(address: str) -> tuple[str, str, Callable[[str], bool]]:
    host, _, path = address.partition("://")[2].lower().partition("/")
    return address, host, _path_rule(f"/{path}")


def _path_rule(path: str) -> Callable[[str], bool]:
    start = path.removesuffix("*")
    return (lambda found: found.startswith(start)) if path.endswith("*") else (lambda found: found == start)


def _readings(script: bytes, *, markup: bool) -> list[bytes]:
    """The script as it stands and, where it hides characters, as it will be read."""
    readings = [script]
    if b"\\" in script:
        readings.append(_ESCAPED.sub(lambda m: m[4] or bytes((int(m[1] or m[2] or m[3], 16),)), script))
    if b"%" in script and b"unescape" in script:
        readings.append(unquote_to_bytes(readings[-1]))
    if b"&" in readings[-1] and (markup or any(word in script for word in _WRITERS)):
        readings.append(unescape(readings[-1].decode("latin-1")).encode("latin-1", "replace"))
    return [text for number, text in enumerate(readings) if text not in readings[:number]]


def _host_word(host: str) -> bytes:
    """A word that every script has which names *host*; nothing where the host has no words."""
    words: list[bytes] = _WORDS(host.encode())
    return max(words[:-1] or words, key=len, default=b"")


def _fingerprint(text: str, service: Service) -> Fingerprint:
    """Compile ``fbq(`` or ``gtag("config", "AW-``: whole words, any quotes, any white space."""
    parts = [part for part in _TOKENS(text) if not part.isspace()]
    pattern = r"\s*+".join("[\"'`]" if part in "\"'`" else re.escape(part) for part in parts)
    before = r"(?<![\w$])" if re.match(r"[\w$]", text) else ""
    after = r"(?![\w$])" if re.search(r"[\w$]$", text) else ""
    search = re.compile((before + pattern + after).encode()).search
    return Fingerprint(search, Match(service, f"inline fingerprint {text}"))


def _index_word(text: str) -> bytes:
    words: list[bytes] = _WORDS(text.encode())
    return max(words, key=len)
