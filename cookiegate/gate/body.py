"""Where does the body begin? That is where the banner goes (WHATWG HTML 13.2.6.4.1 to 13.2.6.4.6)."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from cookiegate.gate.attributes import unescape
from cookiegate.gate.tag import Kind, Tag, attribute_values

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = frozenset(b"html head base basefont bgsound link meta title noscript noframes style script template".split())


_MARKS = frozenset(b"\xef\xbb\xbf"[start:end] for start in range(3) for end in range(start + 1, 4))


class Spot(Enum):
    """Where the banner stands relative to the tag in hand."""

    BEFORE = auto()
    AFTER = auto()
    NOWHERE = auto()  # a fragment or a frameset: nobody can be asked here


class Banner(Protocol):
    """Returns the question as HTML."""

    def __call__(self, *, based: bool, forms_forbidden: bool) -> bytes: ...


class BodyFinder:
    """Reads every tag from the first on until the body begins, written or implied."""

    def __init__(self, *, forms_forbidden: bool) -> None:
        self.page = False  # a doctype, <html or <body was seen
        self.based = False  # a <base> changes what our addresses mean
        self.forms_forbidden = forms_forbidden  # by the page's own Content-Security-Policy, header or <meta>
        self._templates = 0

    def see(self, tag: Tag, buf: bytes) -> Spot | None:
        """Return where the banner goes, once *tag* shows it."""
        if tag.kind is Kind.DOCTYPE:
            self.page = True
        elif tag.kind is Kind.START:
            return self._start(tag, buf)
        elif tag.kind is Kind.END:
            return self._end(tag.name)
        elif tag.kind is Kind.TEXT and not self._is_byte_order_mark(buf[tag.start : tag.end]):
            return self._implied()
        return None

    def _is_byte_order_mark(self, text: bytes) -> bool:
        """Before anything else a byte order mark is no text; a chunk may bring a part of it."""
        return not self.page and text.strip() in _MARKS

    def _implied(self) -> Spot | None:
        if self._templates:
            return None
        return Spot.BEFORE if self.page else Spot.NOWHERE

    def _start(self, tag: Tag, buf: bytes) -> Spot | None:
        name = tag.name
        if name == b"template":
            self._templates += 1
        elif self._templates:
            return None
        elif name == b"body":
            self.page = True
            return Spot.AFTER
        elif name == b"frameset":
            return Spot.NOWHERE
        elif name not in HEAD:
            return self._implied()
        else:
            self._note(tag, buf)
        return None

    def _note(self, tag: Tag, buf: bytes) -> None:
        if tag.name == b"html":
            self.page = True
        elif tag.name == b"base":
            self.based = True
        elif tag.name == b"meta":
            self.note_policy(attribute_values(buf, tag.attributes, tag.end))

    def note_policy(self, meta: Mapping[bytes, bytes]) -> None:
        """Heed a Content-Security-Policy in a ``<meta>`` with these attributes."""
        if meta.get(b"http-equiv", b"").strip().lower() == b"content-security-policy":
            self.forms_forbidden |= forbids_forms(unescape(meta.get(b"content", b"").decode("latin-1")))

    def _end(self, name: bytes) -> Spot | None:
        if name == b"template":
            self._templates = max(0, self._templates - 1)
        elif name in {b"body", b"html", b"br"}:
            return self._implied()
        return None


def forbids_forms(policies: str) -> bool:
    """Return whether a Content-Security-Policy stops a form to the page's own origin (CSP 3, ``form-action``).

    A sandboxed page without ``allow-same-origin`` sends it as a stranger (``Origin: null``), and is not believed.
    """
    return any(_forbids_forms(policy) for policy in policies.lower().split(","))


def _forbids_forms(policy: str) -> bool:
    directives: dict[str, set[str]] = {}
    for directive in policy.split(";"):
        name, *values = directive.split() or [""]
        directives.setdefault(name, set(values))  # CSP 3, 2.2.1: of several of one name the first counts
    targets, sandbox = directives.get("form-action"), directives.get("sandbox")
    if targets is not None and not targets & {"'self'", "*"}:
        return True
    return sandbox is not None and not sandbox >= {"allow-forms", "allow-same-origin"}
