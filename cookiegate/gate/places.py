"""May this address be fetched? One visitor's answers, applied to hosts, paths and the services behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cookiegate.gate.url import UNREADABLE, Place, read_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.matcher import Match, Matcher
    from cookiegate.service import Service

_PLAIN_HOST = re.compile(r"(?!xn--)[a-z0-9-]+(?:\.(?!xn--)[a-z0-9-]+)*\.[a-z][a-z0-9-]*").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Something that does not leave the server: what, by which rule and why. Says nothing of the visitor."""

    slug: str
    rule: str
    why: str
    element: str = ""
    host: str = ""
    service: Service | None = None
    declared: bool = False
    offset: int = 0


class Places:
    """Judges the addresses on one page, whose own is *page*. *freed*: the page's author marked it necessary."""

    def __init__(self, matcher: Matcher, consent: Consent, *, page: str) -> None:
        self._matcher = matcher
        self._consent = consent
        self._site = consent.site
        self._page = page
        self._host = urlsplit(page).hostname or ""

    def read(self, url: str) -> Place:
        """Return where *url* leads from this page."""
        return read_url(url, self._page)

    def fetched(self, place: Place, *, freed: bool = False) -> Withheld | None:
        """Judge what is fetched from *place*."""
        if place is not UNREADABLE and not place.host and not place.own:
            return None  # data:, blob:, about:, mailto: …: nothing is fetched from a third party
        if self._matcher.kept(place):
            return None
        if self._is_own(place):
            return self._granted(self._matcher.own_path(place.path))
        match = self._matcher.place(place.host, place.path) or self._matcher.anywhere(place.path)
        if match:
            return None if freed and self._site.marks == "trusted" else self._granted(match, place.host)
        if freed or self._site.unknown == "allow":
            return None
        why = f"nobody declared {place.host or 'this address'}"
        return Withheld(slug="unknown", rule="unknown = 'withhold'", host=place.host, why=why)

    def named(self, place: Place) -> Withheld | None:
        """Judge an address that only a script would fetch: one that no service is known at may stand there."""
        if not place.host or self._matcher.kept(place):
            return None
        return self._granted(self._matcher.place(place.host, place.path), place.host)

    def connected(self, place: Place) -> Withheld | None:
        """Judge a connection; it is opened for some service at that host: one declared and granted is reason enough."""
        matches = self._matcher.at_host(place.host)
        if not matches or self._is_own(place) or self._matcher.kept(place):
            return self.fetched(place)
        declared = [match for match in matches if match.service.slug in self._site.declared]
        if any(self.allows(match.service) for match in declared):
            return None
        return self.first([*declared, *matches], place.host)

    def base(self, place: Place) -> Withheld | None:
        """Judge ``<base href>``: what follows is resolved against it, so it may not lead to a service."""
        if not self._is_own(place) and self._matcher.at_host(place.host):
            return Withheld(
                slug="base", rule=f"base {place.host}", host=place.host,
                why="a base at a service's host would turn the site's own addresses into the service's",
            )  # fmt: skip
        return self.fetched(place)

    def are_free_at(self, host: bytes) -> bool:
        """Return whether all that *host* (as written) names may be fetched; if not sure, not. See `path_words`."""
        name = host.decode("latin-1").lower()
        if not _PLAIN_HOST(name):
            return False
        if name == self._host or self._matcher.is_own(name):
            return True
        services = (match.service for match in self._matcher.at_host(name))
        return self._site.unknown == "allow" and all(map(self.allows, services))

    def path_words(self) -> tuple[bytes, ...] | None:
        """Return lower-case words of which one stands in every address that is withheld for its path alone.

        None where there is no telling: the page itself lies below such a path, so that a relative address may.
        """
        folder = urlsplit(self._page).path.lower()
        paths = [path for path, match in self._matcher.paths if not self.allows(match.service)]
        if any(folder.startswith(path) for path in paths):
            return None
        words = {path.strip("/").rpartition("/")[2] for path in paths}
        return tuple(word.encode() for word in words if not any(w != word and w in word for w in words))

    # -- services

    def allows(self, service: Service) -> bool:
        """Return whether a service may run: it is kept, or declared and granted."""
        return service.keep or (service.slug in self._site.declared and self._consent.allows_service(service))

    def first(self, matches: Iterable[Match], host: str = "") -> Withheld | None:
        """Return the first of *matches* whose service may not run."""
        return next((withheld for match in matches if (withheld := self._granted(match, host))), None)

    def _granted(self, match: Match | None, host: str = "") -> Withheld | None:
        if match is None or self.allows(match.service):
            return None
        service, declared = match.service, match.service.slug in self._site.declared
        return Withheld(
            slug=service.slug, rule=match.rule, host=host, service=service, declared=declared,
            why=f"{service.title} is for {service.purpose}, which is not granted" if declared
            else f'{service.title} is not declared: add "{service.slug}" to services',
        )  # fmt: skip

    def _is_own(self, place: Place) -> bool:
        return place.own or place.host == self._host or self._matcher.is_own(place.host)
