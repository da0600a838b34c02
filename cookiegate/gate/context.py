"""Where are we in the page, as far as it changes how the next bytes are read (WHATWG HTML 13.2.6)?"""

from __future__ import annotations

from cookiegate.gate import grammar, skipping
from cookiegate.gate.foreign import VOID, Foreign
from cookiegate.gate.tag import Tag, self_closing


class Context:
    """The open svg, math, select and frameset; *scripting* says whose reading of noscript it is."""

    def __init__(self, *, scripting: bool) -> None:
        self._scripting = scripting
        self._foreign = Foreign()
        self._in_select = False
        self._in_frameset = False
        self._drawn = False  # an HTML element has the name of a drawing's: its end tag may stand in a drawing

    @property
    def foreign(self) -> bool:
        """Whether svg or math is open."""
        return self._foreign.inside

    @property
    def too_deep(self) -> bool:
        """Whether more is open than can be followed."""
        return self._foreign.too_deep

    @property
    def at_rest(self) -> bool:
        """Whether nothing is open that changes the reading."""
        return not self._foreign.inside and not self._in_select

    @property
    def doubtful(self) -> bool:
        """Whether browsers may disagree here on what is text: HTML inside svg, and select and frameset.

        In select and frameset older and newer browsers ignore different start tags.
        """
        return self._in_select or self._in_frameset or self._foreign.unsure

    @property
    def skip(self) -> skipping.Skip | None:
        """What runs over all that does not matter here; None for plain HTML."""
        if self._foreign.inside:
            return skipping.LITERAL_TEXT
        if self._in_select:
            return skipping.select()
        return skipping.without_drawings() if self._in_frameset or self._drawn else None

    def reads_foreign(self, name: bytes, buf: bytes, start: int, end: int) -> bool:
        """Return whether a start tag here belongs to svg or math."""
        return self._foreign.inside and not self._foreign.reads_html(name, buf, start, end)

    def holds_text(self, tag: Tag, buf: bytes) -> bool:
        """Return whether the content of *tag*'s element is text up to its end tag."""
        if tag.name not in grammar.RAW_TEXT or tag.mixed:
            return False
        if tag.foreign:
            return not self_closing(buf, tag.attributes, tag.end)
        return self._scripting or tag.name != b"noscript"

    def start(self, tag: Tag, buf: bytes) -> None:
        """An element begins whose content is markup; one that is gone has no effect."""
        opened = (tag.name, buf, tag.attributes, tag.end)
        if tag.gone or tag.mixed:
            if self._foreign.unsure and tag.name not in VOID:
                self._foreign.start_html(*opened)  # its end tag will come
        elif tag.foreign:
            self._foreign.start_foreign(*opened)
        elif self._foreign.inside or tag.name in {b"svg", b"math"}:
            self._foreign.start_html(*opened)
        else:
            self._start_html(tag.name)

    def _start_html(self, name: bytes) -> None:
        if name == b"select":
            self._in_select = not self._in_select  # one in another closes it
        elif name == b"input":
            self._in_select = False
        elif name == b"frameset":
            self._in_frameset = True
        elif name in skipping.DRAWINGS:
            self._drawn = True

    def end(self, name: bytes) -> bytes | None:
        """Close what an end tag closes in svg and math; see `Foreign.end` for what it returns."""
        return self._foreign.end(name, stray=self._drawn) if self._foreign.inside else b""

    def end_select(self) -> None:
        """Leave ``<select>``."""
        self._in_select = False

    def closers(self, tag: Tag) -> bytes:
        """Return the end tags that must stand in for *tag*, gone, if it would have ended svg or math."""
        return b"" if tag.foreign else self._foreign.break_out()
