"""One visitor's answers, applied to one tag, script or style sheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cookiegate.gate.attributes import candidates, embedded, foreign_text, refresh_address, unescape
from cookiegate.gate.loads import (
    AMP_PLACES,
    AMP_PURPOSES,
    CONNECTING,
    FETCHING,
    FOREIGN_LOADS,
    HANDLERS,
    INERT_TYPES,
    LOADS,
    is_loaded_later,
)  # fmt: skip
from cookiegate.gate.places import Places, Withheld, joined, unclear
from cookiegate.gate.styles import gated_style
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.matcher import Matcher

    Attributes = Mapping[bytes, bytes]

MARK = b"data-privacy"
DEEPEST = 3  # documents inside each other's attributes
# What these load may load more, so that it is judged where it stands inside the address itself.
DOCUMENTS = frozenset({b"iframe", b"frame", b"object", b"embed", b"script", b"link"})


_APART = re.compile(r"[\s()\"']+").split  # a list of addresses, url(…), a setting in JSON


class Part(NamedTuple):
    """An attribute that loads by itself: the tag leaves with this *value* (text, not escaped) instead."""

    attribute: bytes
    value: str
    withheld: Withheld


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
        self._parts: Mapping[bytes, Callable[[str], tuple[str, list[Withheld]]]] = {
            b"srcset": self._srcset, b"background": self._alone, b"poster": self._alone, b"ping": self._listed,
            b"attributionsrc": self._listed, b"style": self._style, b"srcdoc": self._srcdoc,
            **dict.fromkeys(HANDLERS, self._handler),
        }  # fmt: skip

    # -- whole elements

    def element(self, name: bytes, attributes: Attributes, *, foreign: bool = False) -> Withheld | None:
        """Judge a start tag by its mark and by what it is nothing without."""
        mark = self._mark(attributes)
        if mark and mark != NECESSARY and (withheld := self._marked(mark)):
            return withheld
        if name == b"base":
            address = attributes.get(b"href")
            return None if address is None else self.places.base(self._text(address))
        if name == b"meta":
            return self._meta(attributes)
        if name.startswith(b"amp-") and (withheld := self._amp(name)):
            return withheld
        if name == b"link":
            return self._relation(attributes) or self._loaded_later(attributes)
        loads = (FOREIGN_LOADS if foreign else LOADS).get(name, ())
        withheld = self._loading(name, attributes, loads) or self._candidates(attributes)
        return withheld or (self._loaded_later(attributes) if loads else None)

    def link(self, attributes: Attributes) -> Withheld | None:
        """Judge a link that is no element (a header's), all of it or not at all."""
        whole = self.element(b"link", attributes)
        return whole or next((part.withheld for part in self.parts(b"link", attributes)), None)

    def _loading(self, name: bytes, attributes: Attributes, loads: tuple[bytes, ...]) -> Withheld | None:
        for attribute in loads:
            if attribute in attributes:
                url = self._text(attributes[attribute])
                if withheld := self.url(url, element=name, freed=self._mark(attributes) == NECESSARY):
                    return withheld
        return None

    def _relation(self, attributes: Attributes) -> Withheld | None:
        relations = frozenset(self._text(attributes.get(b"rel")).lower().encode().split())
        connects = not relations.isdisjoint(CONNECTING)
        if connects and (withheld := self.places.connected(self._text(attributes.get(b"href")))):
            return withheld
        if relations.isdisjoint(FETCHING):
            return None
        gone = self._srcset(self._text(attributes.get(b"imagesrcset")))[1]
        return joined(gone) or self._loading(b"link", attributes, LOADS[b"link"])

    def _candidates(self, attributes: Attributes) -> Withheld | None:
        """An image of which no candidate is left is nothing."""
        if b"srcset" not in attributes or b"src" in attributes:
            return None
        left, gone = self._srcset(self._text(attributes[b"srcset"]))
        return None if left else joined(gone)

    def _meta(self, attributes: Attributes) -> Withheld | None:
        if self._text(attributes.get(b"http-equiv")).strip().lower() != "refresh":
            return None
        return self.refresh(self._text(attributes.get(b"content")))

    def _amp(self, name: bytes) -> Withheld | None:
        purpose, address = AMP_PURPOSES.get(name), AMP_PLACES.get(name)
        if purpose and (withheld := self._marked(purpose, f"<{name.decode()}>")):
            return withheld
        return self.url(address) if address else None

    def _loaded_later(self, attributes: Attributes) -> Withheld | None:
        """A service's address in ``data-src`` and its friends: a script of the page will load it."""
        for name, value in attributes.items():
            if name.startswith(b"data-") and name != MARK and (withheld := self._words(value)):
                return withheld
        return None

    def _words(self, value: bytes) -> Withheld | None:
        if b"//" not in value and b"&" not in value:
            return None
        words = [word.strip(",") for word in _APART(self._text(value)) if "//" in word]
        return next((withheld for word in words if (withheld := self.places.named(word))), None)

    # -- attributes that load by themselves

    def parts(self, name: bytes, attributes: Attributes, *, foreign: bool = False) -> Iterator[Part]:
        """Yield each attribute of a tag that may leave only with another value."""
        if self._mark(attributes) == NECESSARY and self._site.marks == "trusted":
            return
        freed = self._mark(attributes) == NECESSARY
        for attribute, value in attributes.items():
            judge = self._parts.get(attribute) or (foreign and self._foreign_part(attribute, value))
            if judge:
                gated, found = judge(self._text(value))
                withheld = joined(found)
                if withheld and not (freed and withheld.slug == "unknown"):
                    yield Part(attribute, gated, withheld)
            elif is_loaded_later(attribute) and name not in LOADS and (later := self._words(value)):
                yield Part(attribute, "", later)

    def _foreign_part(self, attribute: bytes, value: bytes) -> Callable[[str], tuple[str, list[Withheld]]] | None:
        """In svg, references may stand in any attribute, and an animation may set an address."""
        if attribute in {b"to", b"from", b"by", b"values"} and (b"//" in value or b"&" in value):
            return self._animated
        return self._style if b"(" in value else None

    def _animated(self, text: str) -> tuple[str, list[Withheld]]:
        found = [withheld for url in text.split(";") if (withheld := self.url(url.strip()))]
        return "" if found else text, found

    def _handler(self, text: str) -> tuple[str, list[Withheld]]:
        withheld = self.places.together(self._matcher.inline(text.encode("utf-8", "replace")))
        return ("", [withheld]) if withheld else (text, [])

    def _srcset(self, text: str) -> tuple[str, list[Withheld]]:
        judged = [(entry, self.url(url, element=b"img")) for url, entry in candidates(text)]
        gone = [withheld for _, withheld in judged if withheld]
        return (", ".join(entry for entry, withheld in judged if not withheld), gone) if gone else (text, gone)

    def _listed(self, text: str) -> tuple[str, list[Withheld]]:
        judged = [(url, self.url(url)) for url in text.split()]
        gone = [withheld for _, withheld in judged if withheld]
        return (" ".join(url for url, withheld in judged if not withheld), gone) if gone else (text, gone)

    def _alone(self, text: str) -> tuple[str, list[Withheld]]:
        withheld = self.url(text, element=b"img")
        return ("", [withheld]) if withheld else (text, [])

    def _style(self, text: str) -> tuple[str, list[Withheld]]:
        gated, withheld = self.style(text.encode("utf-8", "surrogatepass"), charset="utf-8")
        return (gated or b"").decode("utf-8", "surrogatepass"), withheld

    def _srcdoc(self, text: str) -> tuple[str, list[Withheld]]:
        gated, withheld = self._document(text.encode("utf-8", "replace"), charset="utf-8")
        return gated.decode("utf-8", "replace"), withheld

    # -- scripts and style sheets

    def is_inert(self, attributes: Attributes) -> bool:
        """Return whether a script element without address is data that nobody runs."""
        return bool(INERT_TYPES(self._kind(attributes)))

    def script(self, body: bytes, attributes: Attributes, *, foreign: bool = False) -> Withheld | None:
        """Judge an inline script by its fingerprints and by the addresses that it loads."""
        run = foreign_text(body) if foreign else body
        if run is None:
            return unclear("script")
        if self._mark(attributes) == NECESSARY and self._site.marks == "trusted":
            return None
        data = self._kind(attributes) in {"importmap", "speculationrules"}
        return self.places.together(self._matcher.inline(run, data=data))

    def runs_withheld(self, body: bytes) -> bool:
        """Return whether an inline script without a mark would be withheld."""
        return self.places.first(self._matcher.inline(body)) is not None

    def style(self, css: bytes, *, charset: str = "", foreign: bool = False) -> tuple[bytes | None, list[Withheld]]:
        """Return a style sheet without what is withheld of it; None in its place if it cannot be told apart."""
        run = foreign_text(css) if foreign else css
        if run is None:
            return None, [unclear("style")]
        free = self.places.are_free_at
        gated, withheld = gated_style(run, judge=self._style_url, is_free=free, charset=charset or self.charset)
        return gated, withheld if gated is not None else [*withheld, unclear("style")]

    def _style_url(self, url: str) -> Withheld | None:
        """An address in a style sheet; one that brings a style sheet along is judged by all that it mentions."""
        return self._embedded(url, b"link") if url.lstrip()[:5].lower() == "data:" else self.url(url)

    # -- addresses and the documents in them

    def url(self, url: str, *, freed: bool = False, element: bytes = b"") -> Withheld | None:
        """Judge one address that *element* loads. *freed*: the page's author marked it necessary."""
        place = self.places.read(url)
        if place.scheme in {"data", "javascript"} and element in DOCUMENTS:
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
        return joined(self._document(found.body, charset=found.charset)[1])

    def _document(self, markup: bytes, *, charset: str) -> tuple[bytes, list[Withheld]]:
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

    def _text(self, value: bytes | None) -> str:
        return unescape((value or b"").decode(self.charset, "replace"))

    def _kind(self, attributes: Attributes) -> str:
        return self._text(attributes.get(b"type")).strip().lower()

    def _mark(self, attributes: Attributes) -> str:
        return self._text(attributes[MARK]).strip() if MARK in attributes else ""

    def _marked(self, purpose: str, mark: str = "") -> Withheld | None:
        known = purpose in self._site.purposes
        if known and self._consent.allows(purpose):
            return None
        why = f"{purpose} is not granted" if known else f"the site has no purpose {purpose!r}"
        return Withheld(slug=purpose if known else "unknown", rule=mark or f'mark data-privacy="{purpose}"', why=why)
