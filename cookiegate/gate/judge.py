"""One visitor's answers, applied to one tag, address, script or cookie."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from cookiegate.gate.url import UNREADABLE, Place, read_url
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
LISTS = frozenset({b"srcset", b"imagesrcset"})
# Relations of <link> for which a browser fetches or connects (HTML 4.6.7, Resource Hints).
FETCHING = frozenset(
    b"stylesheet preload modulepreload prefetch prerender icon apple-touch-icon apple-touch-icon-precomposed "
    b"mask-icon manifest".split()
)
# Script types that no browser runs and no loader revives: data, templates, other consent tools' parking place.
INERT_TYPES = re.compile(
    rb"text/plain|text/(?:x-)?(?:html|template|markdown|[a-z]*-?(?:template|tmpl|handlebars|mustache|jquery-tmpl))"
    rb"|(?:application|text)/(?:[a-z0-9.+-]+\+)?json|application/xml|text/xml|math/tex(?:;.*)?|x-shader/.*"
).fullmatch
CONNECTING = frozenset({b"preconnect", b"dns-prefetch"})  # to a host, whatever path is asked for later
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


class Judge:
    """Says for one response what may leave; made of the site's matcher and the visitor's consent."""

    def __init__(self, matcher: Matcher, consent: Consent, *, page: str, charset: str = "utf-8") -> None:
        self._matcher = matcher
        self._consent = consent
        self._site = consent.site
        self._page = page
        self._host = urlsplit(page).hostname or ""
        self._charset = charset

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
                withheld = self._connection(unescape(self._text(attributes.get(b"href"))))
                if withheld:
                    return withheld
            loads = loads if not relations.isdisjoint(FETCHING) else ()
        for attribute in loads:
            for url in self._urls(attribute, attributes.get(attribute)):
                withheld = self.url(url, freed=mark == NECESSARY, document=name in DOCUMENTS)
                if withheld:
                    return withheld
        return self._lazy(attributes) or self._srcdoc(name, attributes)

    def base(self, attributes: Mapping[bytes, bytes]) -> Withheld | None:
        """Judge ``<base href>``: what follows is resolved against it, so it may not lead to a service."""
        place = self._place(unescape(self._text(attributes.get(b"href"))))
        if not self._is_own(place) and self._matcher.at_host(place.host):
            return Withheld(
                slug="base", rule=f"base {place.host}", host=place.host,
                why="a base at a service's host would turn the site's own addresses into the service's",
            )  # fmt: skip
        return self._judge_place(place, freed=False)

    def is_inert(self, attributes: Mapping[bytes, bytes]) -> bool:
        """Return whether a script element without address is data that nobody runs."""
        kind = unescape(self._text(attributes.get(b"type"))).strip().lower().encode()
        return bool(INERT_TYPES(kind))

    def script(self, body: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> Withheld | None:
        """Judge an inline script by its fingerprints and by the addresses that it loads."""
        if foreign:
            if b"<" in body.replace(b"<![CDATA[", b""):
                return Withheld(slug="script", rule="svg script", why="markup inside a script in svg cannot be judged")
            body = unescape(body.decode("latin-1")).encode("latin-1", "replace")
        if self._mark(attributes) == NECESSARY and self._site.marks == "trusted":
            return None
        kind = self._text(attributes.get(b"type")).strip().lower()
        data = kind in {"importmap", "speculationrules"}
        return self._all_granted(self._matcher.inline(body, data=data))

    # -- addresses

    def url(self, url: str, *, freed: bool = False, document: bool = False) -> Withheld | None:
        """Judge one address. *freed*: the page's author marked it necessary; *document*: it may hold a script."""
        place = self._place(url)
        if place.scheme in {"data", "javascript"} and document:
            return self._embedded(url)
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
        return Withheld(
            slug="unknown",
            rule="unknown = 'withhold'",
            host=place.host,
            why=f"nobody declared {place.host or 'this address'}",
        )

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
        return self._all_granted([*declared, *matches])

    def _embedded(self, url: str) -> Withheld | None:
        """A script or a document inside the address itself is judged like an inline one."""
        text = unquote_to_bytes(url.encode("utf-8", "surrogatepass"))
        head, comma, body = text.partition(b",")
        if comma and head.rstrip().lower().endswith(b";base64"):
            try:
                text = b64decode(body, validate=False)
            except (Base64Error, ValueError):
                return Withheld(slug="data", rule="data address", why="its Base64 cannot be read")
        return self._all_granted(self._matcher.inline(text, data=True))

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
        return next((withheld for match in matches if (withheld := self._granted(match))), None)

    # -- attributes

    def _text(self, value: bytes | None) -> str:
        return (value or b"").decode(self._charset, "surrogateescape" if self._charset == "utf-8" else "replace")

    def _urls(self, attribute: bytes, value: bytes | None) -> Iterator[str]:
        if value is None:
            return
        text = unescape(self._text(value))
        if attribute not in LISTS:
            yield text
            return
        for candidate in text.split():
            yield candidate.strip(",")

    def _relations(self, attributes: Mapping[bytes, bytes]) -> frozenset[bytes]:
        return frozenset(unescape(self._text(attributes.get(b"rel"))).lower().encode().split())

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
            if name.startswith(b"data-") and name != MARK and b"//" in value:
                for url in self._urls(b"srcset", value):
                    place = self._place(url)
                    withheld = place.host and self._granted(self._matcher.place(place.host, place.path), place.host)
                    if withheld and not self._matcher.kept(place):
                        return withheld
        return None

    def _srcdoc(self, name: bytes, attributes: Mapping[bytes, bytes]) -> Withheld | None:
        if name != b"iframe" or b"srcdoc" not in attributes:
            return None
        body = unescape(self._text(attributes[b"srcdoc"])).encode("utf-8", "surrogateescape")
        return self._all_granted(self._matcher.inline(body, data=True))
