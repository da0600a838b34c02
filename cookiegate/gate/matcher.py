"""Tag, URL, inline script, cookie → Service; compiled once per site."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from cookiegate.gate.index import Index, catalogue_index
from cookiegate.gate.lists import Lists
from cookiegate.gate.url import REMEMBERED_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cookiegate.gate.index import Entry, Match
    from cookiegate.gate.url import Place
    from cookiegate.service import Service
    from cookiegate.site import Site


LONGEST_HOST = 253  # characters, RFC 1035 3.1


class Matcher:
    """Knows every service of the catalogue and those that *site* declares, which win over the catalogue's."""

    def __init__(self, site: Site) -> None:
        catalogue, own = catalogue_index(), Index(site.declared.values())
        self._declared = site.declared
        self._known = (own, catalogue)
        self.paths = self._ranked(own.paths, catalogue.paths)
        self._cookies = [
            (re.compile(translate(cookie.name).encode()).match, service)
            for service in site.declared.values()
            for cookie in service.cookies
            if not cookie.third_party
        ]
        self._own_hosts = tuple(host for host in (*site.hosts, *site.own_hosts) if host != "*")
        self._keep = tuple(_keep_rule(address) for address in site.keep)
        self._folders = tuple((_folder_of(path), match.service) for path, match in self.paths)
        self._nears = re.compile("|".join(re.escape(folder) for folder, _ in self._folders)).match
        self._starts = re.compile("|".join(re.escape(start) for start, _ in self.paths)).match
        self._path_word = _path_word(frozenset(path for path, match in self.paths if not match.service.keep))
        self._named_before = lru_cache(maxsize=4096)(self._names_path)
        self.lists = Lists(site.lists)
        self._fingerprints = catalogue.fingerprints.extended(own.fingerprints)
        self.inline = lru_cache(maxsize=256)(self._inline)
        self._services_of = lru_cache(maxsize=1024)(self._find_services)
        self.at_host = lru_cache(maxsize=1024)(self._at_host)
        self._at = lru_cache(maxsize=4096)(self._entries)
        self._place = lru_cache(maxsize=4096)(self._find_place)
        self.is_own = lru_cache(maxsize=4096)(self._is_own)

    def _ranked(self, own: Iterable[Entry], catalogue: Iterable[Entry]) -> tuple[Entry, ...]:
        """Both together, the longest path first; of equal ones the site's."""
        others = (entry for entry in catalogue if entry[1].service.slug not in self._declared)
        return tuple(sorted((*own, *others), key=lambda entry: -len(entry[0])))

    def _entries(self, host: str) -> tuple[Entry, ...]:
        own, catalogue = (index.hosts.get(host, ()) for index in self._known)
        return self._ranked(own, catalogue) if own or catalogue else ()

    def _inline(self, script: bytes, *, data: bool = False) -> tuple[Match, ...]:
        found = self._fingerprints.find(script, self.place, data=data)
        return tuple(match._replace(service=self._declared.get(match.service.slug, match.service)) for match in found)

    def _is_own(self, host: str) -> bool:
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
        if self._starts(path):
            return next(match for start, match in self.paths if path.startswith(start))
        found = self.place(host, path)
        return found if found and found.service.slug in self._declared else None

    def place(self, host: str, path: str) -> Match | None:
        """Return the service at *host* and *path*: the nearest parent host, then the longest path, wins."""
        return (self._place if len(path) <= REMEMBERED_LENGTH else self._find_place)(host, path)

    def _find_place(self, host: str, path: str) -> Match | None:
        for parent in _with_parents(host):
            for start, match in self._at(parent):
                if path.startswith(start):
                    return match
        return None

    def anywhere(self, path: str) -> Match | None:
        """Return the catalogue's service that is known by a *path* on whatever host it is installed."""
        found = (match for start, match in self.paths if path.startswith(start)) if self._starts(path) else ()
        return next((match for match in found if match.service.slug not in self._declared), None)

    def near(self, path: str) -> list[Service]:
        """Return the services that a page at *path* can name by less than their whole path."""
        if not self._nears(path):
            return []
        return [service for folder, service in self._folders if path.startswith(folder)]

    def names_path(self, lowered: bytes) -> bool:
        """Return whether an address in *lowered* markup might lead to a path by which a service is known."""
        return (self._named_before if len(lowered) <= REMEMBERED_LENGTH else self._names_path)(lowered)

    def _names_path(self, lowered: bytes) -> bool:
        return bool(self._path_word(lowered))

    def at_whole_host(self, host: str) -> tuple[Match, ...]:
        """Return every service that is known at *host* whatever the path."""
        found = (entry for parent in _with_parents(host) for entry in self._at(parent))
        return tuple(match for start, match in found if not start)

    def _at_host(self, host: str) -> tuple[Match, ...]:
        """Return every service known at *host*, at any of its paths."""
        return tuple(match for parent in _with_parents(host) for _, match in self._at(parent))

    def cookie(self, name: bytes) -> tuple[Service, ...]:
        """Return the declared services that set a first-party cookie of that name."""
        return (self._services_of if len(name) <= REMEMBERED_LENGTH else self._find_services)(name)

    def _find_services(self, name: bytes) -> tuple[Service, ...]:
        return tuple(service for fits, service in self._cookies if fits(name))


def _folder_of(path: str) -> str:
    """The folder in which *path* can be named by its last part alone; every page knows what lies at the root."""
    folder = path.rstrip("/").rpartition("/")[0]
    return f"{folder}/" if folder else path


def _with_parents(host: str) -> Iterable[str]:
    labels = host[-LONGEST_HOST:].split(".")  # a browser finds none that is longer, and we need not go through it
    return (".".join(labels[cut:]) for cut in range(len(labels) - 1))


def _host_fits(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


@lru_cache(maxsize=64)
def _path_word(paths: frozenset[str]) -> Callable[[bytes], re.Match[bytes] | None]:
    """Search lower-case markup for the last two parts of any of *paths*, and for dots that could lead there."""
    words = {"/".join(path.strip("/").split("/")[-2:]).encode() for path in paths}
    firsts = bytes({word[0] for word in words})
    return re.compile(
        rb"[/\"'= ,(\t\n](?=[." + re.escape(firsts) + rb"])(?:\.\.?/|"
        + b"|".join(map(re.escape, sorted(words))) + rb")"
    ).search  # fmt: skip


def _keep_rule(address: str) -> tuple[str, str, Callable[[str], bool]]:
    host, _, path = address.partition("://")[2].lower().partition("/")
    return address, host, _path_rule(f"/{path}")


def _path_rule(path: str) -> Callable[[str], bool]:
    start = path.removesuffix("*")
    return (lambda found: found.startswith(start)) if path.endswith("*") else (lambda found: found == start)
