"""A tag written anew where some of its attributes may not leave as they are; every other byte stays."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from cookiegate.gate.grammar import ATTRIBUTES, EQUALS
from cookiegate.gate.judge import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cookiegate.gate.judge import Part


def rewritten(buf: bytes, start: int, attributes: int, end: int, parts: Iterable[Part], charset: str) -> bytes:
    """Return the tag from *start* to *end*, whose attributes begin at *attributes*, with *parts* and unmarked.

    A new value stands where the first attribute of its name does, so that duplicates stay without effect. Marks
    and their duplicates go, without joining their neighbours.
    """
    kept, pos = [], start
    left = {part.attribute: part.value for part in parts}
    for match in ATTRIBUTES(buf, attributes, end):
        name = match[1].lower()
        if name in left:
            value = escape(left.pop(name)).encode(charset, "xmlcharrefreplace")
            kept += [buf[pos : match.end(1)], b'="', value, b'"']
        elif name == MARK and EQUALS(buf, match.end(), end):  # its neighbour would take up the '='
            kept += [buf[pos : match.end(1)], b'=""']
        elif name == MARK:
            kept.append(buf[pos : match.start() - _stands_alone(buf, match.start(), match.end())])
        else:
            continue
        pos = match.end()
    return b"".join((*kept, buf[pos:end]))


def _stands_alone(buf: bytes, start: int, end: int) -> bool:
    return buf[end : end + 1] in b"\t\n\f\r >" and buf[start - 1 : start].isspace()
