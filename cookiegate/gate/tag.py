"""A tag as it stands in the page: where it is, what it is called, which attributes it has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from cookiegate.gate.grammar import ATTRIBUTES


class Kind(Enum):
    """What the reader stopped at."""

    START = auto()
    END = auto()
    RAW_END = auto()  # the end tag of an element whose content is text
    TEXT = auto()  # thorough reading only: something that is no tag and no white space
    DOCTYPE = auto()  # thorough reading only
    WITHHOLD = auto()  # nothing may be let out from here on (a tag beyond the limit, CDATA of two readings) …
    RESUME = auto()  # … up to here


@dataclass(slots=True)
class Tag:
    """One stop: offsets into `Tokenizer.buf`; *gone* is set by the reader's user who does not let the tag out.

    *mixed*: in svg and math, its content is text to some readers and markup to others; without its tag to nobody.
    *doubtful*: old and new browsers, or our list of open elements, may not agree whether the content is text.
    *before* must be written before an end tag for every browser to read on as we do; None: the tag must not stand.
    """

    kind: Kind
    name: bytes
    start: int
    attributes: int
    end: int
    foreign: bool = False
    closes: bool = False  # WITHHOLD: it is an end tag
    doubtful: bool = False
    gone: bool = False
    mixed: bool = False
    before: bytes | None = b""


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
