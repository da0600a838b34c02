"""What every engine of the comparison asks, one tag, script or style sheet at a time: the gate's own judge.

Each engine has a policy of its own, so that none finds answers that another has left in a cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.places import Withheld
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
    "amp-iframe", "amp-img",
)  # fmt: skip
ATTRIBUTES = (
    '[style*="url(" i]', "[data-privacy]", "[data-src]", "[data-srcset]", "[data-original]", "[data-lazy-src]",
    "[data-bg]", "[background]", "[attributionsrc]",
)  # fmt: skip
SELECTOR = ", ".join((*LOADING, *ATTRIBUTES))
NAMES = frozenset(selector.partition("[")[0] for selector in LOADING)
ANYWHERE = frozenset(
    "style ping data-privacy data-src data-srcset data-original data-lazy-src data-bg background attributionsrc"
    .split()
)  # fmt: skip
INSIDE = Withheld(slug="unknown", rule="document", why="withheld inside")


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
            self.judge.gate = self._gating(document)
        return self.judge

    def _gating(self, gate: Callable[[bytes], bytes]) -> Callable[[bytes], tuple[bytes, list[Withheld]]]:
        def gated(document: bytes) -> tuple[bytes, list[Withheld]]:
            before = self.withheld
            out = gate(document)
            found, self.withheld = self.withheld - before, before
            return out, [INSIDE] * found

        return gated

    def tag(self, name: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> str | None:
        """Return the slug for which a start tag is withheld with its element; None where it may leave."""
        return self._counted(self.judge.element(name, attributes, foreign=foreign))

    def script(self, body: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> str | None:
        """Return the slug for which an inline script is withheld."""
        return self._counted(self.judge.script(body, attributes, foreign=foreign))

    def style(self, sheet: bytes) -> bytes:
        """Return a style sheet as it may leave."""
        if b"//" not in sheet and b"\\" not in sheet:
            return sheet
        gated, withheld = self.judge.style(sheet)
        self.withheld += len(withheld)
        return gated or b""

    def sheet(self, sheet: bytes) -> str | None:
        """Return the slug for which a style sheet goes where none of it can be changed."""
        return "style" if self.style(sheet) != sheet else None

    def parts(self, name: bytes, attributes: Mapping[bytes, bytes]) -> list[tuple[bytes, str]]:
        """Return the attributes that change while their element stays, with their new values."""
        found = [(part.attribute, part.value) for part in self.judge.parts(name, attributes)]
        self.withheld += len(found)
        return found

    def _counted(self, withheld: Withheld | None) -> str | None:
        if withheld is None:
            return None
        self.withheld += 1
        return withheld.slug


def marker(slug: str) -> str:
    """Return what stands for what is withheld."""
    return f"<!--privacy:{slug}-->"
