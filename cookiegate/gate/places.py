"""May this address be fetched? One visitor's answers, applied to hosts, paths and the services behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cookiegate.gate.url import UNREADABLE, Place, read_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.index import Match
    from cookiegate.gate.matcher import Matcher
    from cookiegate.service import Service

_PORT = re.compile(r":[0-9]{1,5}\Z").sub
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
    also: tuple[Withheld, ...] = ()  # whatever else the same script or document belongs to


def unclear(what: str) -> Withheld:
    """Return that something is withheld because nobody can tell what it loads."""
    return Withheld(slug=what, rule=f"unclear {what}", why=f"what this {what} loads cannot be told")


def joined(found: Sequence[Withheld]) -> Withheld | None:
    """Return all that is withheld of one thing as one; None where nothing is."""
    every = [each for thing in found for each in (thing, *thing.also)]
    return replace(every[0], also=tuple(replace(each, also=()) for each in every[1:])) if every else None


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

    def fetched(self, place: Place, *, url: str, element: bytes = b"", freed: bool = False) -> Withheld | None:
        """Judge what *element* fetches from *place*, which *url* leads to."""
        if place is not UNREADABLE and not place.host and not place.own:
            return None  # data:, blob:, about:, mailto: …: nothing is fetched from a third party
        if self._matcher.kept(place):
            return None
        if self._is_own(place):
            return self._granted(self._matcher.own(place.host or self._host, place.path))
        trusted = freed and self._site.marks == "trusted"
        match = self._matcher.place(place.host, place.path) or self._matcher.anywhere(place.path)
        if match:
            return None if trusted else self._granted(match, place.host)
        if not trusted and (listed := self._listed(place, url, element)):
            return listed
        if freed or self._site.unknown == "allow":
            return None
        why = f"nobody declared {place.host or 'this address'}"
        return Withheld(slug="unknown", rule="unknown = 'withhold'", host=place.host, why=why)

    def _listed(self, place: Place, url: str, element: bytes) -> Withheld | None:
        rule = self._matcher.lists.rule(place, url, element, page_host=self._host)
        if rule is None:
            return None
        why = f'a filter list names it: put "https://{place.host}/*" under keep, or declare a service there'
        return Withheld(slug="listed", rule=rule, host=place.host, why=why)

    def named(self, url: str) -> Withheld | None:
        """Judge an address that only a script would fetch: one at which nobody is known may stand there."""
        place = self.read(url)
        if not place.host or self._matcher.kept(place):
            return None
        match = self._matcher.place(place.host, place.path)
        if match or self._is_own(place):
            return self._granted(match, place.host)
        return self._listed(place, url, b"img")

    def connected(self, url: str) -> Withheld | None:
        """Judge a connection; it is opened for some service at that host: one declared and granted is reason enough."""
        place = self.read(url)
        if self._is_own(place) or self._matcher.kept(place):
            return self.fetched(place, url=url, element=b"link")
        declared = [m for m in self._matcher.at_host(place.host) if m.service.slug in self._site.declared]
        if any(self.allows(match.service) for match in declared):
            return None
        # Known by its paths alone, a host may be connected to for something else.
        known = self._matcher.at_host(place.host) if self._matcher.at_whole_host(place.host) else ()
        withheld = self.first([*declared, *known], place.host)
        return withheld or self.fetched(place, url=url, element=b"link")

    def base(self, url: str) -> Withheld | None:
        """Judge ``<base href>``: what follows is resolved against it, so it may not lead to a service."""
        place = self.read(url)
        if not self._is_own(place) and self._matcher.at_host(place.host):
            return Withheld(
                slug="base", rule=f"base {place.host}", host=place.host,
                why="a base at a service's host would turn the site's own addresses into the service's",
            )  # fmt: skip
        return self.fetched(place, url=url)

    def are_free_at(self, host: bytes) -> bool:
        """Return whether all that *host* (as written) names may be fetched; if not sure, not. See `names_path`."""
        name = _PORT("", host.decode("latin-1").lower())
        if not _PLAIN_HOST(name):
            return False
        matches = self._matcher.at_host(name)
        if name == self._host or self._matcher.is_own(name):
            return self._is_free_home(name)
        unknown = self._site.unknown == "withhold" or self._site.lists
        return not unknown and all(self.allows(match.service) for match in matches)

    def _is_free_home(self, host: str) -> bool:
        declared = (match.service for match in self._matcher.at_host(host) if match.service.slug in self._site.declared)
        return all(map(self.allows, declared))

    @property
    def tell_paths(self) -> bool:
        """Whether a service that is known by its path must be named by it here.

        Not where the page itself lies in the same folder or below, or at a host of a declared service.
        """
        here = urlsplit(self._page).path.lower()
        return self._is_free_home(self._host) and all(map(self.allows, self._matcher.near(here)))

    def names_path(self, lowered: bytes) -> bool:
        """Return whether an address in *lowered* markup might lead to a path by which a service is known."""
        return self._matcher.names_path(lowered)

    # -- services

    def allows(self, service: Service) -> bool:
        """Return whether a service may run: it is kept, or declared and granted."""
        return service.keep or (service.slug in self._site.declared and self._consent.allows_service(service))

    def first(self, matches: Iterable[Match], host: str = "") -> Withheld | None:
        """Return the first of *matches* whose service may not run."""
        return next((withheld for match in matches if (withheld := self._granted(match, host))), None)

    def together(self, matches: Iterable[Match]) -> Withheld | None:
        """Return all of *matches*, found in one script or document, whose service may not run."""
        return joined([withheld for match in matches if (withheld := self._granted(match))])

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
