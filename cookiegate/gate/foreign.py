"""Where are we in svg and math, where other rules say what is text and what is a tag (WHATWG HTML 13.2.6.5)?"""

from __future__ import annotations

from typing import NamedTuple

from cookiegate.gate.grammar import RAW_TEXT
from cookiegate.gate.skipping import DRAWINGS
from cookiegate.gate.tag import attribute_values, self_closing

# A start tag of these leaves foreign content.
BREAKOUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu "
    b"meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
VOID = frozenset(
    b"area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split()
)
SVG_POINTS = frozenset({b"desc", b"title", b"foreignobject"})
MATHML_POINTS = frozenset({b"mi", b"mo", b"mn", b"ms", b"mtext"})
# Names that nobody gives an HTML element: such an end tag without its start is a slip inside the drawing.
DRAWING = frozenset(
    b"animate animatemotion animatetransform circle clippath defs ellipse feblend fecolormatrix fecomponenttransfer "
    b"fecomposite feconvolvematrix fediffuselighting fedisplacementmap fedropshadow feflood fefunca fefuncb fefuncg "
    b"fefuncr fegaussianblur femerge femergenode femorphology feoffset fepointlight fespecularlighting fespotlight "
    b"fetile feturbulence filter g line lineargradient marker mask metadata mpath path pattern polygon polyline "
    b"radialgradient rect set stop switch symbol text textpath tspan use view mfrac mroot mrow msqrt mstyle msub "
    b"msubsup msup mtable mtd mtr munder munderover mover semantics annotation".split()
)
SVG, MATH, HTML = b"svg", b"math", b"html"
DEEPEST = 512  # open elements; browsers stop nesting at about the same depth


class Open(NamedTuple):
    """An open element: *space* is its namespace; at a *point* of integration HTML begins again."""

    name: bytes
    space: bytes
    point: bool = False


class Foreign:
    """The elements that are open since svg or math began.

    Of svg and math the list is exact. Of HTML inside a point of integration it may hold some that browsers closed
    on their own, never fewer than are open: there we are `unsure`. Where an end tag could be read in two ways, it
    is made plain: closed explicitly before, or dropped.
    """

    def __init__(self) -> None:
        self._open: list[Open] = []

    @property
    def inside(self) -> bool:
        """Whether svg or math is open at all."""
        return bool(self._open)

    @property
    def unsure(self) -> bool:
        """Whether the next bytes may be HTML's or, if browsers closed more than we know, svg's or math's."""
        return bool(self._open) and self._open[-1].space is HTML

    @property
    def too_deep(self) -> bool:
        """Whether more is open than can be followed."""
        return len(self._open) > DEEPEST

    def reads_html(self, name: bytes, buf: bytes, start: int, end: int) -> bool:
        """Return whether a start tag here is read as HTML; in svg and math some break out."""
        if not self._open or self._open[-1].space is HTML:
            return True
        top = self._open[-1]
        if top.point and not (top.name in MATHML_POINTS and name in {b"mglyph", b"malignmark"}):
            return True
        if name in BREAKOUT or (top.name == b"annotation-xml" and name == SVG):
            return True
        return name == b"font" and not {b"color", b"face", b"size"}.isdisjoint(attribute_values(buf, start, end))

    def start_foreign(self, name: bytes, buf: bytes, start: int, end: int) -> None:
        """A start tag that belongs to svg or math."""
        if self_closing(buf, start, end):
            return
        space = self._open[-1].space
        point = name in (SVG_POINTS if space is SVG else MATHML_POINTS)
        if space is MATH and name == b"annotation-xml":
            encoding = attribute_values(buf, start, end).get(b"encoding", b"").lower()
            point = encoding in {b"text/html", b"application/xhtml+xml"}
        self._open.append(Open(name, space, point))

    def start_html(self, name: bytes, buf: bytes, start: int, end: int) -> None:
        """A start tag that is read as HTML, and whose content is markup."""
        if name not in {SVG, MATH} or not (self._open and self._open[-1].name == b"annotation-xml"):
            self.break_out()
        if name in {SVG, MATH}:
            if not self_closing(buf, start, end):
                self._open.append(Open(name, SVG if name == SVG else MATH))
        elif self._open and name not in VOID:
            self._open.append(Open(name, HTML))

    def break_out(self) -> bytes:
        """Close svg and math up to a point of integration or the HTML around them; return end tags that do so."""
        low = len(self._open)
        while low and self._open[low - 1].space is not HTML and not self._open[low - 1].point:
            low -= 1
        return self._closed(low)

    def end(self, name: bytes, *, stray: bool = True) -> bytes | None:
        """Close what the end tag closes. Return what must stand before it; None if it must not stand at all.

        *stray*: an end tag of a drawing may belong to an element of HTML around it.
        """
        html = self._html_on_top()
        if html:
            for at in range(len(self._open) - 1, len(self._open) - 1 - html, -1):
                if self._open[at].name == name:
                    del self._open[at]
                    return b""
            if not any(element.name == name for element in self._open if element.space is not HTML):
                return b""  # a point of integration hides all that is outside: every browser ignores the tag
            closers = b"".join(b"</" + element.name + b">" for element in reversed(self._open[-html:]))
            del self._open[-html:]
            return closers + (self.end(name, stray=stray) or b"")
        return self._end_foreign(name, stray=stray)

    def _end_foreign(self, name: bytes, *, stray: bool) -> bytes | None:
        run = len(self._open)
        while run and self._open[run - 1].space is not HTML:
            run -= 1
            if self._open[run].name == name:
                del self._open[run:]
                return b""
        points = [at for at in range(run, len(self._open)) if self._open[at].point]
        low = points[-1] + 1 if points else run
        if name in {b"p", b"br"}:  # these leave svg and math, in browsers since 2021
            return self._close(low, name) if low < len(self._open) else b""
        if name in RAW_TEXT:  # such an element of HTML cannot be open around us: its content is text
            return b""
        if points or (run and all(element.name != name for element in self._open[:run])):
            return b""  # nothing of that name is within reach: every browser ignores the tag
        if run == 0 and name in DRAWING:
            return None if stray or name not in DRAWINGS else b""
        return self._close(run, name)

    def _close(self, first: int, name: bytes) -> bytes:
        """The tag may close an element around svg or math: close these before, so that it does that or nothing."""
        closers = self._closed(first)
        return closers + ((self.end(name) or b"") if self._open else b"")

    def _closed(self, first: int) -> bytes:
        within = [element.name for element in self._open[first:]]
        del self._open[first:]
        return (b"</" + within[0] + b">") * within.count(within[0]) if within else b""

    def _html_on_top(self) -> int:
        count = 0
        for element in reversed(self._open):
            if element.space is not HTML:
                break
            count += 1
        return count
