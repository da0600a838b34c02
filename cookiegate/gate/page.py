"""Which response is a page, and in which character set?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

from webencodings import lookup

from cookiegate.gate.grammar import any_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    Headers = Sequence[tuple[bytes, bytes]]


class Form(Enum):
    """What a browser makes of a response's body."""

    PAGE = auto()
    FRAGMENT = auto()  # gated like a page, but nobody is asked there
    XML = auto()  # may run scripts and is not tokenised here: a policy limits its hosts
    UNLABELLED = auto()  # a page if its bytes look like one
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Content:
    """What a response is, and in which character set, as Python names it.

    *charset* is None where the header names none that browsers know: they would then look for one in the page. It
    is empty where it names one that we do not read.
    """

    form: Form
    charset: str | None = None


_XML = re.compile(rb"(?:text|application)/xml|[^;\s]+\+xml").fullmatch
_CHARSET = re.compile(rb";[ \t]*charset[ \t]*=[ \t]*[\"']?([^\s\"';,]+)", re.IGNORECASE).search
# MIME Sniffing 5.1: what an unlabelled body is looked at for.
_UNLABELLED = frozenset({b"", b"*/*", b"text", b"unknown/unknown", b"application/unknown", b"*"})
_LOOKS_LIKE_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:!--|(?:!" + any_case(b"doctype") + rb"[ ]" + any_case(b"html") + rb"|"
    + any_case(b"html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|img|link|noscript|svg")
    + rb")[\t\n\f\r />])"
).match  # fmt: skip
SNIFF = 1445  # bytes that browsers look at
# Character sets of the Encoding Standard in which a byte below 0x80 may mean something else than in ASCII.
_STATEFUL = frozenset({"utf-16le", "utf-16be", "iso-2022-jp", "replacement"})


def content_of(headers: Headers) -> Content:
    """Return what a response is, by all its Content-Type lines: one that says text/html makes it a page."""
    said = tuple((name, value.strip().lower()) for name, value in headers if name in _TELLING)
    return _content_of(said)


_TELLING = frozenset({b"content-type", b"content-disposition", b"x-content-type-options"})


@lru_cache(maxsize=256)
def _content_of(said: Headers) -> Content:
    if any(name == b"content-disposition" and value.startswith(b"attachment") for name, value in said):
        return Content(Form.OTHER)
    lines = [value for name, value in said if name == b"content-type"]
    types = [part.split(b";")[0].strip() for line in lines for part in line.split(b",")] or [b""]
    charset = next((_charset(line) for line in lines if _CHARSET(line)), None)
    if b"text/html" in types:
        return Content(Form.PAGE, charset)
    if b"text/vnd.turbo-stream.html" in types:
        return Content(Form.FRAGMENT, charset)
    if any(_XML(kind) for kind in types):
        return Content(Form.XML, charset)
    sniffed = (b"x-content-type-options", b"nosniff") not in said
    return Content(Form.UNLABELLED, charset) if sniffed and _UNLABELLED.issuperset(types) else Content(Form.OTHER)


def _charset(line: bytes) -> str | None:
    """The character set that browsers find by the label (Encoding Standard 4.2)."""
    match = _CHARSET(line)
    found = lookup(match[1].decode("latin-1")) if match else None
    if found is None:
        return None
    if found.name == "x-user-defined":  # ASCII, and private characters that stand in no address
        return "ascii"
    name: str = found.codec_info.name
    return name if found.name not in _STATEFUL and _reads_ascii(name) else ""


def _reads_ascii(codec: str) -> bool:
    """Older releases of webencodings know sets that the standard has given up since: none slips through."""
    try:
        return _ASCII.decode(codec) == _ASCII.decode("ascii")
    except (LookupError, UnicodeError):
        return False


_ASCII = bytes(range(128))


def looks_like_html(start: bytes) -> bool:
    """Return whether browsers take an unlabelled body that begins so for HTML (MIME Sniffing 7.1)."""
    return bool(_LOOKS_LIKE_HTML(start))


def unreadable(start: bytes, charset: str | None) -> str | None:
    """Return why a page's bytes may mean something else to a browser than to us, or None.

    A UTF-16 byte order mark beats every label. Where the header names no character set, browsers may find
    ISO-2022-JP by its escape bytes, in which markup hides.
    """
    if charset == "":
        return "its character set is none in which markup can be read byte for byte"
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "it begins with a UTF-16 byte order mark"
    return None


def hides_markup(piece: bytes, charset: str | None) -> bool:
    """Return whether *piece* has escape bytes that a browser may follow, the header naming no character set."""
    return charset is None and b"\x1b" in piece
