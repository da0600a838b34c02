"""Inventory: what stands in pages, compared with what a site declares."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import translate
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from cookiegate.catalogue import catalogue
from cookiegate.cli.eye import Eye, agreeing, sparing_nothing
from cookiegate.cli.found import Found, Place, Status, Stray, Thing
from cookiegate.cli.reading import text_of
from cookiegate.consent.cookie import cookie_name
from cookiegate.gate.cookies import set_cookie_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cookiegate.cli.pages import Page
    from cookiegate.gate.places import Withheld
    from cookiegate.service import Service
    from cookiegate.site import Site

_GATED = re.compile(rb"<!--privacy:[a-z0-9-]+-->").findall


class Request(NamedTuple):
    """Something that a browser asked for: its address and what it was for, in the browser's words."""

    url: str
    kind: str


class Kept(NamedTuple):
    """A cookie that a browser kept."""

    name: str
    domain: str


class Visit(NamedTuple):
    """What a browser did on a page: *note* is not empty where it did not see the page to its end."""

    requests: Sequence[Request]
    cookies: Sequence[Kept]
    note: str = ""


class Inventory:
    """Takes page after page into what was *found*.

    Every page is judged twice: for somebody who agreed to everything, which shows what nobody declared; and once more
    sparing nothing, which shows the rest.
    """

    def __init__(self, site: Site) -> None:
        self.found = Found()
        self._site = site
        self._agreeing = Eye(agreeing(site))
        self._sparing_nothing = Eye(sparing_nothing(site))
        self._stranger = Status.UNKNOWN if site.unknown == "withhold" else Status.ALLOWED
        self._cookies = _CookieNames(site)

    def page(self, page: Page) -> None:
        """Take in a page as it was sent.

        Raises:
            Unreadable: the gate would withhold it whole.
        """
        label, found = page.target.label, self.found
        text = text_of(page)
        found.pages.append(label)
        gone = len(_GATED(text.body))
        if gone:
            found.notes.append(
                f"{label} was gated already: {gone} things were withheld before they could be seen here."
            )
        lines = _Lines(text.body)
        links = [value for name, value in page.headers if name == b"link"]
        self._compare(
            self._agreeing.markup(text, page.address),
            self._sparing_nothing.markup(text, page.address),
            lambda thing: Place(
                page=label, element=f"<{thing.element}>", line=lines.of(thing.offset), byte=thing.offset,
                host=thing.host, rule=thing.rule,
            ),
        )  # fmt: skip
        self._compare(
            self._agreeing.links(links, page.address),
            self._sparing_nothing.links(links, page.address),
            lambda thing: Place(page=label, element=thing.element, host=thing.host, rule=thing.rule),
        )
        for value in page.cookies:
            self._cookie(set_cookie_name(value).decode("latin-1"), Place(page=label, element="Set-Cookie"))

    def browsed(self, page: Page, visit: Visit) -> None:
        """Take in what a browser did on a page: only what its markup and headers did not say already."""
        label, home = page.target.label, page.address
        if visit.note:
            self.found.notes.append(f"{label} was not seen to its end in the browser: {visit.note}")
        known = self._seen_on(label)
        for request in visit.requests:
            place = Place(page=label, element=request.kind, by_scripts=True)
            bare = self._sparing_nothing.address(request.url, home)
            open_ = self._agreeing.address(request.url, home)
            if bare and (bare.slug, bare.host) not in known:
                self._compare(
                    [open_] if open_ else [], [bare],
                    lambda thing, place=place: replace(place, host=thing.host, rule=thing.rule),  # type: ignore[misc]
                )  # fmt: skip
        sent = {set_cookie_name(value).decode("latin-1") for value in page.cookies}
        for cookie in visit.cookies:
            self._browser_cookie(cookie, label, home, sent)

    def _seen_on(self, label: str) -> set[tuple[str, str]]:
        things = (*self.found.services.values(), *self.found.hosts.values())
        return {
            (thing.name if thing.service else "unknown", place.host)
            for thing in things for place in thing.places if place.page == label
        }  # fmt: skip

    def _compare(
        self, undeclared: Sequence[Withheld], everything: Sequence[Withheld], place: Callable[[Withheld], Place]
    ) -> None:
        """Enter *undeclared* as such; what was found on top of it is declared, or else it is kept."""
        wrong = {(thing.offset, thing.element) for thing in undeclared}
        entered = {(thing.offset, thing.element, thing.slug, thing.host) for thing in undeclared}
        for thing in undeclared:
            self._enter(thing, Status.UNDECLARED if thing.service else self._stranger, place(thing))
        for thing in everything:
            if (thing.offset, thing.element, thing.slug, thing.host) in entered:
                continue
            if thing.service and thing.slug in self._site.declared:
                self._enter(thing, Status.DECLARED, place(thing))
            elif (thing.offset, thing.element) not in wrong and (thing.service or thing.host):
                self._enter(thing, Status.KEPT, place(thing))

    def _enter(self, thing: Withheld, status: Status, place: Place) -> None:
        if thing.service:
            real = self._site.declared.get(thing.slug) or catalogue().get(thing.slug) or thing.service
            self.found.service(real, status, place)
        elif thing.slug == "unknown" and thing.host:
            self.found.host(thing.host, status, place)
        else:
            self.found.strays.append(Stray(place=place, why=thing.why))

    # -- cookies

    def _cookie(self, name: str, place: Place) -> None:
        services, status = self._cookies.of(name)
        if name:
            self.found.cookie(name, status, place, tuple(service.slug for service in services))
        for service in services if status is Status.UNDECLARED else ():
            self.found.service(service, status, replace(place, rule=f"cookie {name}"))

    def _browser_cookie(self, cookie: Kept, label: str, home: str, sent: set[str]) -> None:
        place = Place(page=label, element="cookie", by_scripts=True)
        domain = cookie.domain.lstrip(".")
        if f".{urlsplit(home).hostname}".endswith(f".{domain}"):
            if cookie.name not in sent:
                self._cookie(cookie.name, place)
            return
        owners = [thing for thing in self.found.services.values() if _loads_from(thing, label, domain)]
        status = min((thing.status for thing in owners), key=list(Status).index, default=Status.UNCLAIMED)
        services = tuple(thing.name for thing in owners)
        self.found.cookie(cookie.name, status, replace(place, host=domain), services)


def _loads_from(thing: Thing, page: str, domain: str) -> bool:
    return any(place.page == page and f".{place.host}".endswith(f".{domain}") for place in thing.places)


class _Lines:
    """Counts lines, going on from the last offset asked for."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0
        self._line = 1

    def of(self, offset: int) -> int:
        if offset < self._offset:
            self._offset, self._line = 0, 1
        self._line += self._body.count(b"\n", self._offset, offset)
        self._offset = offset
        return self._line


class _CookieNames:
    """Whose a first-party cookie is, by its name: a declared service's before one of the catalogue's."""

    def __init__(self, site: Site) -> None:
        self._declared = _patterns(site.declared.values())
        self._others = _patterns(catalogue().values())
        self._ours = {cookie_name(site, secure=secure) for secure in (True, False)}

    def of(self, name: str) -> tuple[tuple[Service, ...], Status]:
        """Return the services that set a cookie of that name, and what the site says of them."""
        if name in self._ours:
            return (), Status.KEPT
        for patterns, status in ((self._declared, Status.DECLARED), (self._others, Status.UNDECLARED)):
            services = tuple(service for fits, service in patterns if fits(name))
            if services:
                return services, Status.KEPT if all(service.keep for service in services) else status
        return (), Status.UNCLAIMED


def _patterns(services: Iterable[Service]) -> list[tuple[Callable[[str], object], Service]]:
    return [
        (re.compile(translate(cookie.name)).match, service)
        for service in services
        for cookie in service.cookies
        if not cookie.third_party
    ]
