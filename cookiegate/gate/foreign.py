"""Where are we in svg and math, where other rules say what is text and what is a tag?"""

from __future__ import annotations

from cookiegate.gate.grammar import ATTRIBUTES, MATHML_INTEGRATION, SVG_INTEGRATION

# A start tag of these leaves foreign content (WHATWG HTML 13.2.6.5).
BREAKOUT = frozenset(
    b"b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu "
    b"meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
# Names that only HTML has: their end tag closes an HTML parent, unless a namesake was opened inside.
HTML_ONLY = BREAKOUT | frozenset(
    b"a article aside button details dialog dir fieldset figcaption figure footer form header hgroup html label "
    b"main nav section select summary td th tr tbody thead tfoot option textarea noscript template".split()
)
HTML = b"html"


def attribute_values(buf: bytes, start: int, end: int) -> dict[bytes, bytes]:
    """Return a tag's attributes by lower-case name, values as written; of duplicates the first counts."""
    found: dict[bytes, bytes] = {}
    for match in ATTRIBUTES(buf, start, end):
        last = match.lastindex or 1
        found.setdefault(match[1].lower(), match[last] if last > 1 else b"")
    return found


def self_closing(buf: bytes, start: int, end: int) -> bool:
    """Return whether a tag's last slash closes it, and is not the end of an unquoted value."""
    if buf[end - 2] != 0x2F:
        return False
    last = None
    for last in ATTRIBUTES(buf, start, end):  # noqa: B007
        pass
    return last is None or last.end() <= end - 2


class Foreign:
    """The namespaces that are open: ``svg`` and ``math``, and ``html`` for an integration point in them."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._namesakes: dict[bytes, int] = {}

    @property
    def inside(self) -> bool:
        """Whether svg or math is open at all."""
        return bool(self._open)

    @property
    def foreign(self) -> bool:
        """Whether the next tag belongs to svg or math."""
        return bool(self._open) and self._open[-1] is not HTML

    def breaks_out(self, name: bytes, buf: bytes, start: int, end: int) -> bool:
        """Return whether this start tag leaves svg or math and is read as HTML."""
        if name in BREAKOUT:
            return True
        return name == b"font" and not {b"color", b"face", b"size"}.isdisjoint(attribute_values(buf, start, end))

    def leave(self) -> None:
        """Close svg and math up to the integration point or the HTML around them."""
        while self.foreign:
            self._open.pop()
        self._namesakes.clear()

    def enter(self, name: bytes) -> None:
        """``<svg>`` or ``<math>`` in HTML, not closed at once."""
        self._open.append(name)

    def start(self, name: bytes, buf: bytes, start: int, end: int) -> None:
        """A start tag inside svg or math that does not break out."""
        if self_closing(buf, start, end):
            return
        current = self._open[-1]
        if name == current:
            self._open.append(current)
        elif name in (SVG_INTEGRATION if current == b"svg" else MATHML_INTEGRATION):
            self._open.append(HTML)
        elif current == b"math" and name == b"annotation-xml":
            encoding = attribute_values(buf, start, end).get(b"encoding", b"").lower()
            if encoding in {b"text/html", b"application/xhtml+xml"}:
                self._open.append(HTML)
        elif name in HTML_ONLY:
            self._namesakes[name] = self._namesakes.get(name, 0) + 1

    def end(self, name: bytes) -> None:
        """An end tag while svg or math is open."""
        if not self.foreign:
            self._end_at_integration_point(name)
        elif name == self._open[-1]:
            self._open.pop()
        elif name in {b"p", b"br"}:
            self.leave()
        elif name in HTML_ONLY:
            if self._namesakes.get(name, 0):
                self._namesakes[name] -= 1
            else:
                self.leave()

    def _end_at_integration_point(self, name: bytes) -> None:
        around = self._open[-2]
        inside = SVG_INTEGRATION if around == b"svg" else MATHML_INTEGRATION | {b"annotation-xml"}
        if name in inside:
            self._open.pop()
        elif name in {b"body", b"html"}:
            self._open.clear()
