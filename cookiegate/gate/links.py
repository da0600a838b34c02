"""Link headers and early hints fetch and connect like <link> elements (RFC 8288, RFC 8297)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cookiegate.gate.grammar import many

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.gate.places import Withheld

# RFC 8288 B.2 and B.3: members may be empty, a parameter's value is a token or a quoted string.
_TARGET = re.compile(rb"<([^>]*+)>").match
_GAP = re.compile(rb"[\s,]*+").match
_PARAMETER = re.compile(
    rb"[ \t]*+;[ \t;]*+([^\s=;,\"]++)(?:[ \t]*+=[ \t]*+(?:\"(" + many(rb"[^\"\\]|\\.") + rb")\"|([^\s;,\"]*+)))?"
).match
_END = re.compile(rb"[\s;]*+(?:,|\Z)").match
_ESCAPED = re.compile(rb"\\(.)").sub


def gated_link(value: bytes, judge: Callable[[Mapping[bytes, bytes]], Withheld | None]) -> tuple[bytes, list[Withheld]]:
    """Return a Link header's value without the entries that *judge* withholds, and those.

    *judge* is given the entry as a ``<link>`` element's attributes. What cannot be read ends the value: the rest
    does not leave.
    """
    kept: list[bytes] = []
    gone: list[Withheld] = []
    pos = _GAP(value).end()  # type: ignore[union-attr]
    while pos < len(value):
        entry = _entry(value, pos)
        if entry is None:
            break
        attributes, end, following = entry
        withheld = judge(attributes)
        if withheld:
            gone.append(withheld)
        else:
            kept.append(value[pos:end])
        pos = _GAP(value, following).end()  # type: ignore[union-attr]
    if not gone and pos >= len(value):
        return value, gone
    return b", ".join(kept), gone


def _entry(value: bytes, pos: int) -> tuple[dict[bytes, bytes], int, int] | None:
    """The attributes of the member at *pos*, where they end and where its comma does; None if it cannot be read."""
    target = _TARGET(value, pos)
    if target is None:
        return None
    said: dict[bytes, list[bytes]] = {b"rel": [], b"imagesrcset": []}
    pos = target.end()
    while parameter := _PARAMETER(value, pos):
        quoted = parameter[2] is not None
        said.setdefault(parameter[1].lower(), []).append(
            _ESCAPED(rb"\1", parameter[2]) if quoted else parameter[3] or b""
        )
        pos = parameter.end()
    end = _END(value, pos)
    if end is None:
        return None
    # Of several the first counts, but not for every browser: all are judged.
    attributes = {
        b"rel": b" ".join(said[b"rel"]), b"href": target[1], b"imagesrcset": b", ".join(said[b"imagesrcset"]),
    }  # fmt: skip
    return {name: text.replace(b"&", b"&amp;") for name, text in attributes.items()}, pos, end.end()
