"""Is what was found in a script code, or does it only stand in a comment or a string (ECMAScript 12)?"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from cookiegate.gate.grammar import many

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUOTED = (
    rb"\"" + many(rb"[^\"\\\n\r]++|\\.") + rb"\"|'" + many(rb"[^'\\\n\r]++|\\.") + rb"'"
    + rb"|`" + many(rb"[^`\\$]++|\\.") + rb"`"
)  # fmt: skip
_LINE_END = rb"\xe2\x80[\xa8\xa9]"  # U+2028 and U+2029, besides the ASCII ones
_COMMENT = rb"//" + many(rb"[^\n\r\xe2]++|(?!" + _LINE_END + rb")\xe2") + rb"|/\*(?:[^*]++|\*(?!/))*+\*/"
# 1 is a comment, 2 a string, 3 what leaves it open where either begins: a regular expression, perhaps, a template.
_PARTS = re.compile(
    rb"(" + _COMMENT + rb")|(" + _QUOTED + rb")|([\"'`/]|<!--|-->|" + _LINE_END + rb")", re.DOTALL
).finditer
# What makes code or markup of a string.
_MAKES_CODE = re.compile(
    rb"eval|Function|setTimeout|setInterval|execScript|write|innerHTML|outerHTML|insertAdjacentHTML|srcdoc|javascript:"
    rb"|createContextualFragment|parseFromString|script|import|\.text\b"
).search


def is_code(script: bytes, positions: Iterable[int]) -> bool:
    """Return whether any of *positions* is outside of comments and strings; also where that cannot be told."""
    quiet = _quiet_spans(script)
    if quiet is None:
        return True
    starts = [start for start, _ in quiet]
    for position in positions:
        before = bisect_right(starts, position) - 1
        if before < 0 or position >= quiet[before][1]:
            return True
    return False


def code_of(script: bytes) -> bytes:
    """Return *script* without comments and strings but for names of members (``a["src"]``); whole if in doubt."""
    kept, pos = [], 0
    for part in _PARTS(script):
        if part[3] is not None:
            return script
        if script[part.start() - 1 : part.start()] != b"[":
            kept.append(script[pos : part.start()])
            pos = part.end()
    return b" ".join((*kept, script[pos:]))


def _quiet_spans(script: bytes) -> list[tuple[int, int]] | None:
    """Where comments stand, and strings unless code may be made of them; None where that is not plain to see."""
    strings_are_quiet = not _MAKES_CODE(script)
    spans = []
    for part in _PARTS(script):
        if part[3] is not None:
            return None
        if part[1] is not None or strings_are_quiet:
            spans.append(part.span())
    return spans
