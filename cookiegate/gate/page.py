"""Which response is a page, and in which character set?"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

from webencodings import lookup

from cookiegate.gate.grammar import any_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from webencodings import Encoding

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


_XML = re.compile(rb"(?:text|application)/xml|text/xsl|[^;\s]+\+xml").fullmatch
_TYPE = re.compile(rb"[\t\n\f\r ]*([^\s;(]*)").match  # as browsers cut it: "text/html charset=utf-8" is text/html
# `attachment filename=x` is none: what is no token, Chromium shows as a page (measured).
_ATTACHED = re.compile(rb"attachment[ \t]*(?:;.*)?", re.DOTALL).fullmatch
_CHARSET = re.compile(rb";[ \t]*charset[ \t]*=[ \t]*[\"']?([^\s\"';,]+)", re.IGNORECASE).findall
# MIME Sniffing 5.1: what an unlabelled body is looked at for.
_UNLABELLED = frozenset({b"", b"*/*", b"text", b"unknown/unknown", b"application/unknown", b"*"})
_LOOKS_LIKE_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\v\f\r ]*<(?:!--|(?:!" + any_case(b"doctype") + rb"[ ]" + any_case(b"html") + rb"|"
    + any_case(b"html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|img|link|noscript|svg")
    + rb")[\t\n\f\r />])"
).match  # fmt: skip
_LOOKS_LIKE_XML = re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\v\f\r ]*<\?xml").match
SNIFF = 1445  # bytes that browsers look at
_ASCII = bytes(range(128))


def content_of(headers: Headers) -> Content:
    """Return what a response is, by all its Content-Type lines: one that says text/html makes it a page."""
    return _content_of(tuple([entry for entry in headers if entry[0] in _TELLING]))


_TELLING = frozenset({b"content-type", b"content-disposition", b"x-content-type-options"})


@lru_cache(maxsize=256)
def _content_of(headers: Headers) -> Content:
    said = [(name, value.strip().lower()) for name, value in headers]
    disposed = [value for name, value in said if name == b"content-disposition"]
    if disposed and all(map(_ATTACHED, disposed)):
        return Content(Form.OTHER)
    lines = [value for name, value in said if name == b"content-type"]
    types = [match[1] for line in lines for part in line.split(b",") if (match := _TYPE(part))] or [b""]
    charset = _charset(lines)
    if b"text/html" in types:
        return Content(Form.PAGE, charset)
    if b"text/vnd.turbo-stream.html" in types:
        return Content(Form.FRAGMENT, charset)
    if any(_XML(kind) for kind in types):
        return Content(Form.XML, charset)
    # Of several lines browsers heed the first (Fetch 3.5).
    sniffed = next((value for name, value in said if name == b"x-content-type-options"), b"") != b"nosniff"
    unlabelled = all(kind in _UNLABELLED or b"/" not in kind for kind in types)
    return Content(Form.UNLABELLED, charset) if sniffed and unlabelled else Content(Form.OTHER)


def _charset(lines: Sequence[bytes]) -> str | None:
    """The character set of all lines together; where they name several, nobody knows which a browser follows."""
    found = {_codec(label.decode("latin-1")) for line in lines for label in _CHARSET(line)}
    return found.pop() if len(found) == 1 else "" if found else None


def _codec(label: str) -> str | None:
    """Python's name of the character set that browsers find by *label* (Encoding Standard 4.2)."""
    found = lookup(label)
    if found:
        return _readable(found)
    try:
        namesake = lookup(codecs.lookup(label).name.replace("_", "-"))
    except (LookupError, ValueError):
        return None
    # Browsers ignore the label, but whoever wrote the page meant a set that we know: not to be read as ASCII?
    return None if namesake and _readable(namesake) else ""


def _readable(encoding: Encoding) -> str:
    """Python's name of *encoding*; empty unless ASCII is itself in it, with no state between bytes."""
    if encoding.name.startswith("iso-2022"):  # escape sequences lead out of ASCII
        return ""
    # x-user-defined is ASCII and private characters, which stand in no address that leads anywhere.
    name: str = "ascii" if encoding.name == "x-user-defined" else encoding.codec_info.name
    try:
        return name if _ASCII.decode(name) == _ASCII.decode("ascii") else ""
    except (LookupError, UnicodeError):  # "replacement" is no codec
        return ""


def looks_like_xml(start: bytes) -> bool:
    """Return whether browsers take an unlabelled body that begins so for XML (MIME Sniffing 7.1)."""
    return bool(_LOOKS_LIKE_XML(start))


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
