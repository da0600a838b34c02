"""One visitor's answers, applied to one tag, script or style sheet."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from cookiegate.gate.attributes import candidates, embedded, foreign_text, refresh_address, unescape
from cookiegate.gate.loads import (
    AMP_PLACES,
    AMP_PURPOSES,
    CONNECTING,
    FETCHING,
    FOREIGN_LOADS,
    INERT_TYPES,
    LOADS,
    MARK,
)  # fmt: skip
from cookiegate.gate.parts import Parts
from cookiegate.gate.places import Places, Withheld, joined, unclear
from cookiegate.gate.styles import gated_style
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.matcher import Matcher
    from cookiegate.gate.parts import Gated

    Attributes = Mapping[bytes, bytes]

DEEPEST = 3  # documents inside each other's attributes
# What these load may load more, so that it is judged where it stands inside the address itself.
DOCUMENTS = frozenset({b"iframe", b"frame", b"object", b"embed", b"script", b"link"})


_PICTURE = re.compile(r"\s*data:(?:image|font)/", re.IGNORECASE).match  # loads nothing more as what it is there
_APART = re.compile(r"[\s()\"']+").split  # a list of addresses, url(…), a setting in JSON


class Judge:
    """Says for one response what may leave; made of the site's matcher and the visitor's consent.

    *gate*, set by whoever gates with this judge, returns a document gated and what it withholds of it. Without it
    no document inside an attribute leaves.
    """

    gate: Callable[[bytes], tuple[bytes, list[Withheld]]] | None = None

    def __init__(self, matcher: Matcher, consent: Consent, *, page: str, charset: str = "utf-8") -> None:
        self.places = Places(matcher, consent, page=page)
        self._matcher = matcher
        self._consent = consent
        self._site = consent.site
        self.charset = charset
        self._depth = 0
        self.parts = Parts(self).of

    # -- whole elements

    def element(self, name: bytes, attributes: Attributes, *, foreign: bool = False) -> Withheld | None:
        """Judge a start tag by its mark and by what it is nothing without."""
        mark = self._mark(attributes)
        freed = mark == NECESSARY
        if mark and not freed and (withheld := self._marked(mark)):
            return withheld
        if name == b"base":
            address = attributes.get(b"href")
            return None if address is None else self.places.base(self.text(address))
        if name == b"meta":
            return self._meta(attributes)
        if name.startswith(b"amp-") and (withheld := self._amp(name)):
            return withheld
        if name == b"link":
            return self._relation(attributes, freed=freed) or self._loaded_later(attributes)
        loads = (FOREIGN_LOADS if foreign else LOADS).get(name, ())
        withheld = self._loading(name, attributes, loads, freed=freed) or self._candidates(attributes, freed=freed)
        return withheld or (self._loaded_later(attributes) if loads else None)

    def link(self, attributes: Attributes) -> Withheld | None:
        """Judge a link that is no element (a header's), all of it or not at all."""
        whole = self.element(b"link", attributes)
        return whole or next((part.withheld for part in self.parts(b"link", attributes)), None)

    def _loading(
        self, name: bytes, attributes: Attributes, loads: tuple[bytes, ...], *, freed: bool
    ) -> Withheld | None:
        for attribute in loads:
            if attribute in attributes:
                url = self.text(attributes[attribute])
                if withheld := self.url(url, element=name, freed=freed):
                    return withheld
        return None

    def _relation(self, attributes: Attributes, *, freed: bool) -> Withheld | None:
        relations = frozenset(self.text(attributes.get(b"rel")).lower().encode().split())
        connects = not relations.isdisjoint(CONNECTING)
        if connects and (withheld := self.places.connected(self.text(attributes.get(b"href")))):
            return withheld
        if relations.isdisjoint(FETCHING):
            return None
        gone = self.srcset(self.text(attributes.get(b"imagesrcset")), freed=freed)[1]
        return joined(gone) or self._loading(b"link", attributes, LOADS[b"link"], freed=freed)

    def _candidates(self, attributes: Attributes, *, freed: bool) -> Withheld | None:
        """An image of which no candidate is left is nothing."""
        if b"srcset" not in attributes or b"src" in attributes:
            return None
        left, gone = self.srcset(self.text(attributes[b"srcset"]), freed=freed)
        return None if left else joined(gone)

    def srcset(self, text: str, *, freed: bool) -> Gated:
        """Return a list of candidates without those that are withheld, and these."""
        judged = [(entry, self.url(url, element=b"img", freed=freed)) for url, entry in candidates(text)]
        gone = [withheld for _, withheld in judged if withheld]
        return (", ".join(entry for entry, withheld in judged if not withheld), gone) if gone else (text, gone)

    def _meta(self, attributes: Attributes) -> Withheld | None:
        if self.text(attributes.get(b"http-equiv")).strip().lower() != "refresh":
            return None
        return self.refresh(self.text(attributes.get(b"content")))

    def _amp(self, name: bytes) -> Withheld | None:
        purpose, address = AMP_PURPOSES.get(name), AMP_PLACES.get(name)
        if purpose and (withheld := self._marked(purpose, f"<{name.decode()}>")):
            return withheld
        return self.url(address) if address else None

    def _loaded_later(self, attributes: Attributes) -> Withheld | None:
        """A service's address in ``data-src`` and its friends: a script of the page will load it."""
        for name, value in attributes.items():
            if name.startswith(b"data-") and name != MARK and (withheld := self.words(value)):
                return withheld
        return None

    def words(self, value: bytes) -> Withheld | None:
        """Judge every address in a value that only a script of the page would read."""
        if b"//" not in value and b"&" not in value:
            return None
        words = [word.strip(",") for word in _APART(self.text(value)) if "//" in word]
        return next((withheld for word in words if (withheld := self.places.named(word))), None)

    # -- scripts and style sheets

    def is_inert(self, attributes: Attributes) -> bool:
        """Return whether a script element without address is data that nobody runs."""
        return bool(INERT_TYPES(self._kind(attributes)))

    def script(self, body: bytes, attributes: Attributes, *, foreign: bool = False) -> Withheld | None:
        """Judge an inline script by its fingerprints and by the addresses that it loads."""
        run = foreign_text(body) if foreign else body
        if run is None:
            return unclear("script")
        if self.is_trusted(attributes):
            return None
        data = self._kind(attributes) in {"importmap", "speculationrules"}
        return self.places.together(self._matcher.inline(run, data=data))

    def runs_withheld(self, body: bytes) -> bool:
        """Return whether an inline script without a mark would be withheld."""
        return self.places.first(self._matcher.inline(body)) is not None

    def style(
        self, css: bytes, *, charset: str = "", foreign: bool = False, freed: bool = False
    ) -> tuple[bytes | None, list[Withheld]]:
        """Return a style sheet without what is withheld of it; None in its place if it cannot be told apart."""
        run = foreign_text(css) if foreign else css
        if run is None:
            return None, [unclear("style")]
        judge, free = partial(self._style_url, freed=freed), self.places.are_free_at
        gated, withheld = gated_style(run, judge=judge, is_free=free, charset=charset or self.charset)
        return gated, withheld if gated is not None else [*withheld, unclear("style")]

    def _style_url(self, url: str, *, freed: bool) -> Withheld | None:
        """An address in a style sheet; one that brings a style sheet along is judged by all that it mentions."""
        brings = url.lstrip()[:5].lower() == "data:" and not _PICTURE(url)
        return self._embedded(url, b"link") if brings else self.url(url, freed=freed)

    # -- addresses and the documents in them

    def url(self, url: str, *, freed: bool = False, element: bytes = b"") -> Withheld | None:
        """Judge one address that *element* loads. *freed*: the page's author marked it necessary."""
        place = self.places.read(url)
        if (
            place.scheme in {"data", "javascript"}
            and element in DOCUMENTS
            and not (element == b"link" and _PICTURE(url))
        ):
            return self._embedded(url, element)
        return self.places.fetched(place, url=url, element=element, freed=freed)

    def refresh(self, content: str) -> Withheld | None:
        """Judge ``<meta http-equiv=refresh>`` or a ``Refresh`` header: nobody clicked, and yet the browser goes."""
        address = refresh_address(content)
        return self.url(address) if address else None

    def _embedded(self, url: str, element: bytes) -> Withheld | None:
        """A script or a document inside the address itself is judged like one that stands in the page."""
        found = embedded(url)
        if found is None:
            return Withheld(slug="data", rule="data address", why="what stands in the address cannot be read")
        mentioned = self.places.together(self._matcher.inline(found.body, data=True))
        if mentioned or not found.document or element in {b"script", b"link"}:
            return mentioned
        return joined(self.document(found.body, charset=found.charset)[1])

    def document(self, markup: bytes, *, charset: str) -> tuple[bytes, list[Withheld]]:
        """Return a document that stands inside an attribute as it may leave; nothing of one too deep inside others."""
        if self._depth == DEEPEST or self.gate is None:
            return b"", [unclear("document")]
        outer, self.charset = self.charset, charset
        self._depth += 1
        try:
            return self.gate(markup)
        finally:
            self.charset, self._depth = outer, self._depth - 1

    # -- attributes

    def text(self, value: bytes | None) -> str:
        """Return an attribute's value as a browser reads it."""
        return unescape((value or b"").decode(self.charset, "replace"))

    def _kind(self, attributes: Attributes) -> str:
        return self.text(attributes.get(b"type")).strip().lower()

    def is_trusted(self, attributes: Attributes) -> bool:
        """Return whether the page's author freed an element, and the site lets authors free any service."""
        return self._site.marks == "trusted" and self.frees(attributes)

    def frees(self, attributes: Attributes) -> bool:
        """Return whether the page's author marked an element necessary: that frees whom nobody knows."""
        return self._mark(attributes) == NECESSARY

    def _mark(self, attributes: Attributes) -> str:
        return self.text(attributes[MARK]).strip() if MARK in attributes else ""

    def _marked(self, purpose: str, mark: str = "") -> Withheld | None:
        known = purpose in self._site.purposes
        if known and self._consent.allows(purpose):
            return None
        why = f"{purpose} is not granted" if known else f"the site has no purpose {purpose!r}"
        return Withheld(slug=purpose if known else "unknown", rule=mark or f'mark data-privacy="{purpose}"', why=why)
