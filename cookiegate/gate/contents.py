"""Elements that are judged by their content, once it is whole: scripts, style sheets, noscript, doubtful text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from cookiegate.gate.parts import rewritten
from cookiegate.gate.places import Withheld
from cookiegate.gate.tag import attribute_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.gate.judge import Judge
    from cookiegate.gate.tag import Tag
    from cookiegate.service import Service


class Placeholder(Protocol):
    """Returns what stands where a frame was withheld; nothing for one that nobody was to see."""

    def __call__(
        self, service: Service | None, attributes: Mapping[bytes, bytes], *, forms_forbidden: bool
    ) -> bytes: ...


def marker(slug: str) -> bytes:
    """What stands where something was: never nothing, so that its neighbours cannot join into live markup."""
    return b"<!--privacy:" + slug.encode("ascii", "replace") + b"-->"


class Contents:
    """Judges whole elements; *report* hears what is withheld, *noscript* gates a noscript's content (or can not)."""

    def __init__(
        self,
        judge: Judge,
        *,
        report: Callable[[Withheld], None],
        noscript: Callable[[bytes, int], bytes | None],
    ) -> None:
        self._judge = judge
        self._report = report
        self._noscript = noscript

    def gated(self, opening: Tag, element: bytes, closing: bytes) -> bytes:
        """Return what may leave of *element*, which stands before its end tag *closing*.

        *opening* is its start tag: `start` in the page, the other offsets in the element.
        """
        body = element[opening.end :]
        if b"<" in body and opening.doubtful and not opening.foreign:
            self.report_doubtful(opening.name, opening.start)
            return marker("doubtful")
        attributes = attribute_values(element, opening.attributes, opening.end)
        if opening.name == b"script" and not self._judge.is_inert(attributes):
            withheld = self._judge.script(body, attributes, foreign=opening.foreign)
            if withheld:
                self._note(opening, withheld)
                return marker(withheld.slug)
        elif opening.name == b"style":
            styled = self._style(opening, body, attributes)
            if styled is None:
                return marker("style")
            body = styled
        elif opening.name == b"noscript" and not opening.foreign:
            body = self._gated_noscript(opening, body)
        return self._head(opening, element, attributes) + body + closing

    def _style(self, opening: Tag, css: bytes, attributes: Mapping[bytes, bytes]) -> bytes | None:
        """Return the style sheet as it may leave; None for one in svg, where references would have to be kept."""
        if self._judge.is_trusted(attributes):
            return css
        gated, withheld = self._judge.style(css, foreign=opening.foreign, freed=self._judge.frees(attributes))
        for thing in withheld:
            self._note(opening, thing)
        if not withheld:
            return css
        return None if opening.foreign else gated

    def _gated_noscript(self, opening: Tag, markup: bytes) -> bytes:
        """Gate what a browser without scripts reads as markup and any other as text.

        Where the two readings part (something stays open at the end), they would not agree on what follows
        either: then nothing of the content leaves.
        """
        gated = self._noscript(markup, opening.start + opening.end)
        if gated is not None:
            return gated
        why = "it does not end where a browser without scripts would see its end"
        self._note(opening, Withheld(slug="noscript", rule="noscript", why=why))
        return marker("noscript")

    def _head(self, opening: Tag, element: bytes, attributes: Mapping[bytes, bytes]) -> bytes:
        parts = list(self._judge.parts(opening.name, attributes, foreign=opening.foreign))
        for part in parts:
            self._note(opening, part.withheld)
        return rewritten(element, 0, opening.attributes, opening.end, parts, self._judge.charset)

    # -- what is said of it

    def _note(self, opening: Tag, withheld: Withheld) -> None:
        self._report(replace(withheld, element=opening.name.decode("latin-1"), offset=opening.start))

    def report_doubtful(self, name: bytes, offset: int) -> None:
        """Say that a tag or text goes which browsers may read in two ways."""
        why = "browsers may read it in two ways, so it was dropped or made plain"
        self._report(
            Withheld(slug="doubtful", rule="two readings", why=why, element=name.decode("latin-1"), offset=offset)
        )

    def report_too_large(self, name: bytes, offset: int, why: str) -> None:
        """Say that something goes which is larger than ``gate_memory``."""
        self._report(
            Withheld(slug="oversized", rule="gate_memory", why=why, element=name[:40].decode("latin-1"), offset=offset)
        )
