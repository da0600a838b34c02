"""One visitor's answers, applied to one tag, address, script or cookie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cookiegate.gate.attributes import CONNECTING, FETCHING, INERT_TYPES, addresses, embedded, foreign_script, unescape
from cookiegate.gate.url import UNREADABLE, Place, read_url
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.matcher import Match, Matcher
    from cookiegate.service import Service

MARK = b"data-privacy"

# Attributes that make a browser fetch, by element; lists of candidates stand in LISTS.
LOADS: Mapping[bytes, tuple[bytes, ...]] = {
    b"script": (b"src",),
    b"img": (b"src", b"srcset"),
    b"image": (b"src", b"srcset"),
    b"iframe": (b"src",),
    b"frame": (b"src",),
    b"link": (b"href", b"imagesrcset"),
    b"object": (b"data",),
    b"embed": (b"src",),
    b"source": (b"src", b"srcset"),
    b"video": (b"src", b"poster"),
    b"audio": (b"src",),
    b"track": (b"src",),
    b"input": (b"src",),
}
FOREIGN_LOADS: Mapping[bytes, tuple[bytes, ...]] = {
    b"script": (b"href", b"xlink:href", b"src"),
    b"image": (b"href", b"xlink:href"),
    b"feimage": (b"href", b"xlink:href"),
}
DEEPEST = 3  # documents inside each other's addresses
DOCUMENTS = frozenset({b"iframe", b"frame", b"object", b"embed", b"script"})


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


class Judge:
    """Says for one response what may leave; made of the site's matcher and the visitor's consent.

    *document*, set by whoever gates with this judge, returns whether gating a document's bytes would withhold any
    of it. Without it a document inside an attribute is judged like a script, by all that it mentions.
    """

    document: Callable[[bytes], bool] | None = None

    def __init__(self, matcher: Matcher, consent: Consent, *, page: str, charset: str = "utf-8") -> None:
        self._matcher = matcher
        self._consent = consent
        self._site = consent.site
        self._page = page
        self._host = urlsplit(page).hostname or ""
        self._charset = charset
        self._depth = 0

    # -- tags

    def element(self, name: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool) -> Withheld | None:
        """Judge a start tag by its mark and by all that it loads."""
        mark = self._mark(attributes)
        if mark and mark != NECESSARY and (withheld := self._marked(mark)):
            return withheld
        loads = (FOREIGN_LOADS if foreign else LOADS).get(name, ())
        if name == b"link":
            relations = self._relations(attributes)
            if not relations.isdisjoint(CONNECTING):
                withheld = self._connection(self._text(attributes.get(b"href")))
                if withheld:
                    return withheld
            loads = loads if not relations.isdisjoint(FETCHING) else ()
        for attribute in loads:
            for url in self._urls(attribute, attributes):
                withheld = self.url(url, freed=mark == NECESSARY, element=name)
                if withheld:
                    return withheld
        return self._lazy(attributes) or self._srcdoc(name, attributes)

    def base(self, attributes: Mapping[bytes, bytes]) -> Withheld | None:
        """Judge ``<base href>``: what follows is resolved against it, so it may not lead to a service."""
        place = self._place(self._text(attributes.get(b"href")))
        if not self._is_own(place) and self._matcher.at_host(place.host):
            return Withheld(
                slug="base", rule=f"base {place.host}", host=place.host,
                why="a base at a service's host would turn the site's own addresses into the service's",
            )  # fmt: skip
        return self._judge_place(place, freed=False)

    def is_inert(self, attributes: Mapping[bytes, bytes]) -> bool:
        """Return whether a script element without address is data that nobody runs."""
        return bool(INERT_TYPES(self._kind(attributes)))

    def script(self, body: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> Withheld | None:
        """Judge an inline script by its fingerprints and by the addresses that it loads."""
        run = foreign_script(body) if foreign else body
        if run is None:
            return Withheld(slug="script", rule="svg script", why="markup inside a script in svg cannot be judged")
        if self._mark(attributes) == NECESSARY and self._site.marks == "trusted":
            return None
        data = self._kind(attributes) in {"importmap", "speculationrules"}
        return self._all_granted(self._matcher.inline(run, data=data))

    # -- addresses

    def url(self, url: str, *, freed: bool = False, element: bytes = b"") -> Withheld | None:
        """Judge one address that *element* loads. *freed*: the page's author marked it necessary."""
        place = self._place(url)
        if place.scheme in {"data", "javascript"} and element in DOCUMENTS:
            return self._embedded(url, element)
        return self._judge_place(place, freed=freed)

    def _place(self, url: str) -> Place:
        return read_url(url, self._page)

    def _judge_place(self, place: Place, *, freed: bool) -> Withheld | None:
        if place is not UNREADABLE and not place.host and not place.own:
            return None  # data:, blob:, about:, mailto: …: nothing is fetched from a third party
        if self._matcher.kept(place):
            return None
        if self._is_own(place):
            return self._granted(self._matcher.own_path(place.path))
        match = self._matcher.place(place.host, place.path)
        if match:
            return None if freed and self._site.marks == "trusted" else self._granted(match, place.host)
        if freed or self._site.unknown == "allow":
            return None
        why = f"nobody declared {place.host or 'this address'}"
        return Withheld(slug="unknown", rule="unknown = 'withhold'", host=place.host, why=why)

    def _is_own(self, place: Place) -> bool:
        return place.own or place.host == self._host or self._matcher.is_own(place.host)

    def _connection(self, url: str) -> Withheld | None:
        """A connection is opened for some service at that host: one that was declared and may run is reason enough."""
        place = self._place(url)
        matches = self._matcher.at_host(place.host)
        if not matches or self._is_own(place) or self._matcher.kept(place):
            return self._judge_place(place, freed=False)
        declared = [match for match in matches if match.service.slug in self._site.declared]
        if any(self.service(match.service) for match in declared):
            return None
        return next((gone for match in (*declared, *matches) if (gone := self._granted(match, place.host))), None)

    def _embedded(self, url: str, element: bytes) -> Withheld | None:
        """A script or a document inside the address itself is judged like one that stands in the page."""
        found = embedded(url)
        if found is None:
            return Withheld(slug="data", rule="data address", why="what stands in the address cannot be read")
        if found.document and element != b"script":
            return self._document(found.body, found.charset)
        return self._all_granted(self._matcher.inline(found.body, data=True))

    def _document(self, markup: bytes, charset: str) -> Withheld | None:
        """Judge a document inside an attribute by what it mentions and, where we can, by gating it."""
        withheld = self._all_granted(self._matcher.inline(markup, data=True))
        if withheld or self.document is None:
            return withheld
        if self._depth == DEEPEST:
            return Withheld(slug="unknown", rule="document", why=f"more than {DEEPEST} documents inside each other")
        outer, self._charset = self._charset, charset
        self._depth += 1
        try:
            gone = self.document(markup)
        finally:
            self._charset, self._depth = outer, self._depth - 1
        why = "something in the document that it brings along is withheld"
        return Withheld(slug="unknown", rule="document", why=why) if gone else None

    # -- services

    def service(self, service: Service) -> bool:
        """Return whether a service may run: it is kept, or declared and granted."""
        return service.keep or (service.slug in self._site.declared and self._consent.allows_service(service))

    def _granted(self, match: Match | None, host: str = "") -> Withheld | None:
        if match is None or self.service(match.service):
            return None
        service, declared = match.service, match.service.slug in self._site.declared
        return Withheld(
            slug=service.slug, rule=match.rule, host=host, service=service, declared=declared,
            why=f"{service.title} is for {service.purpose}, which is not granted" if declared
            else f'{service.title} is not declared: add "{service.slug}" to services',
        )  # fmt: skip

    def _all_granted(self, matches: Iterable[Match]) -> Withheld | None:
        gone = [withheld for match in matches if (withheld := self._granted(match))]
        return replace(gone[0], also=tuple(gone[1:])) if gone else None

    # -- attributes

    def _text(self, value: bytes | None) -> str:
        return unescape((value or b"").decode(self._charset, "replace"))

    def _urls(self, attribute: bytes, attributes: Mapping[bytes, bytes]) -> Iterable[str]:
        return addresses(attribute, self._text(attributes[attribute])) if attribute in attributes else ()

    def _kind(self, attributes: Mapping[bytes, bytes]) -> str:
        return self._text(attributes.get(b"type")).strip().lower()

    def _relations(self, attributes: Mapping[bytes, bytes]) -> frozenset[bytes]:
        return frozenset(self._text(attributes.get(b"rel")).lower().encode().split())

    def _mark(self, attributes: Mapping[bytes, bytes]) -> str:
        return self._text(attributes.get(MARK)).strip()

    def _marked(self, mark: str) -> Withheld | None:
        known = mark in self._site.purposes
        if known and self._consent.allows(mark):
            return None
        why = f"{mark} is not granted" if known else f"the site has no purpose {mark!r}"
        return Withheld(slug=mark if known else "unknown", rule=f'mark data-privacy="{mark}"', why=why)

    def _lazy(self, attributes: Mapping[bytes, bytes]) -> Withheld | None:
        """A service's address in ``data-src`` and its friends: a script of the page will load it."""
        for name, value in attributes.items():
            if name.startswith(b"data-") and name != MARK and (b"//" in value or b"&" in value):
                for word in self._text(value).split():
                    place = self._place(word.strip(",")) if "//" in word else UNREADABLE
                    withheld = place.host and self._granted(self._matcher.place(place.host, place.path), place.host)
                    if withheld and not self._matcher.kept(place):
                        return withheld
        return None

    def _srcdoc(self, name: bytes, attributes: Mapping[bytes, bytes]) -> Withheld | None:
        if name != b"iframe" or b"srcdoc" not in attributes:
            return None
        return self._document(self._text(attributes[b"srcdoc"]).encode("utf-8", "replace"), "utf-8")
