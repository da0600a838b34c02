"""Link headers and early hints fetch and connect like <link> elements (RFC 8288, RFC 8297)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.gate.judge import Withheld

_ENTRY = re.compile(rb"\s*<([^>]*)>((?:[^,\"]|\"(?:[^\"\\]|\\.)*\")*)(?:,|$)").match
_RELATION = re.compile(rb";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE).search


def gated_link(value: bytes, judge: Callable[[Mapping[bytes, bytes]], Withheld | None]) -> tuple[bytes, list[Withheld]]:
    """Return a Link header's value without the entries that *judge* withholds, and those.

    *judge* is given the entry as a ``<link>`` element's attributes. What cannot be read ends the value: the rest
    does not leave.
    """
    kept: list[bytes] = []
    gone: list[Withheld] = []
    pos = 0
    while pos < len(value):
        entry = _ENTRY(value, pos)
        if entry is None:
            break
        relation = _RELATION(entry[2])
        rel = (relation[1] or relation[2] or b"") if relation else b""
        withheld = judge({b"rel": rel, b"href": entry[1].replace(b"&", b"&amp;")})
        if withheld:
            gone.append(withheld)
        else:
            kept.append(value[pos : entry.end()].strip(b", \t"))
        pos = entry.end()
    if not gone and pos >= len(value):
        return value, gone
    return b", ".join(kept), gone
