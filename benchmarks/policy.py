"""What every engine of the comparison asks, one tag, script or style sheet at a time: the gate's own judge.

Each engine has a policy of its own, so that none finds answers that another has left in a cache.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.gate.judge import Withheld

HOME = "https://own.example/"
LIMIT = 1 << 20
SITE = Site(
    "Shop", services=("google-analytics", "google-tag-manager", "meta-pixel", "youtube"), unknown="allow",
    hosts=["own.example"],
)  # fmt: skip

# The tags that must be looked at, as selectors; ATTRIBUTES for those that any element can have.
LOADING = (
    "script", "img", "image", "feimage", "iframe", "frame", "link", "object", "embed", "source", "video", "audio",
    "track", "input[src]", "base", "meta[http-equiv]", "a[ping]", "area[ping]", "amp-analytics", "amp-pixel", "amp-ad",
    "amp-iframe",
)  # fmt: skip
ATTRIBUTES = (
    '[style*="url(" i]', "[data-privacy]", "[data-src]", "[data-srcset]", "[data-original]", "[data-lazy-src]",
    "[data-bg]",
)  # fmt: skip
SELECTOR = ", ".join((*LOADING, *ATTRIBUTES))
NAMES = frozenset(selector.partition("[")[0] for selector in LOADING)
ANYWHERE = frozenset(
    {"style", "ping", "data-privacy", "data-src", "data-srcset", "data-original", "data-lazy-src", "data-bg"}
)

_CSS_ADDRESS = re.compile(rb"(?i)url\(\s*+[\"']?([^\"')]++)|@import\s*+[\"']([^\"']++)").findall
_REFRESH_ADDRESS = re.compile(rb"(?i)url\s*+=\s*+[\"']?([^\"']++)").search


class Policy:
    """Decides for a visitor who was not asked; counts what it withheld. As in the middleware, a judge for each page."""

    def __init__(self) -> None:
        self.matcher = Matcher(SITE)
        self.withheld = 0
        self.judge = self.next_page()

    def next_page(self, document: Callable[[bytes], bytes] | None = None) -> Judge:
        """Begin a page; *document* gates one that stands inside an attribute."""
        self.judge = Judge(self.matcher, nobody_asked(SITE), page=HOME)
        if document:
            self.judge.document = self._withholds(document)
        return self.judge

    def _withholds(self, gate: Callable[[bytes], bytes]) -> Callable[[bytes], bool]:
        def withholds(document: bytes) -> bool:
            before = self.withheld
            gate(document)
            found, self.withheld = self.withheld > before, before
            return found

        return withholds

    def tag(self, name: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> str | None:
        """Return the slug for which a start tag is withheld with its element; None where it may leave."""
        judge = self.judge
        if name == b"base":
            return self._counted(judge.base(attributes) if b"href" in attributes else None)
        withheld = judge.element(name, attributes, foreign=foreign)
        if withheld is None and name == b"meta" and attributes.get(b"http-equiv", b"").lower() == b"refresh":
            match = _REFRESH_ADDRESS(attributes.get(b"content", b""))
            withheld = self._address(match[1]) if match else None
        return self._counted(withheld)

    def script(self, body: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> str | None:
        """Return the slug for which an inline script is withheld."""
        return self._counted(self.judge.script(body, attributes, foreign=foreign))

    def style(self, sheet: bytes) -> str | None:
        """Return the slug for which a style sheet, or a style attribute, is withheld."""
        if b"//" not in sheet:
            return None
        found = (self._address(url or imported) for url, imported in _CSS_ADDRESS(sheet))
        return self._counted(next(filter(None, found), None))

    def ping(self, addresses: bytes) -> str | None:
        """Return the slug for which a link's ping is withheld."""
        return self._counted(next(filter(None, map(self._address, addresses.split())), None))

    def attributes_only(self, attributes: Mapping[bytes, bytes]) -> list[bytes]:
        """Return the attributes that go while their element stays."""
        gone = []
        for name, judge in ((b"style", self.style), (b"ping", self.ping)):
            if name in attributes and judge(attributes[name]):
                gone.append(name)
        return gone

    def _address(self, url: bytes) -> Withheld | None:
        return self.judge.url(url.decode("utf-8", "replace"))

    def _counted(self, withheld: Withheld | None) -> str | None:
        if withheld is None:
            return None
        self.withheld += 1
        return withheld.slug


def marker(slug: str) -> str:
    """Return what stands for what is withheld."""
    return f"<!--privacy:{slug}-->"
