"""Addresses in style sheets: each that is withheld gives way to one that leads nowhere (CSS Syntax 3, 4.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cookiegate.gate.grammar import many

if TYPE_CHECKING:
    from collections.abc import Callable

    from cookiegate.gate.places import Withheld

NOWHERE = b"about:invalid"
_NEWLINE = rb"\r\n|[\n\r\f]"
_ESCAPE = rb"\\(?:" + _NEWLINE + rb"|[^\n\r\f])"
# 1 is the body of url(…) without quotes; 2 what compares an attribute with the string that follows, which then loads
# nothing; 3 and 4 the string.
_TOKEN = re.compile(
    rb"/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
    rb"|(?<![\w\x80-\xff-])[uU][rR][lL]\([ \t\r\n\f]*+(?![\"'])(" + many(rb"[^)\\]++|\\.") + rb")\)?+"
    rb"|(\[[^\][\"'{}();=]*+=[ \t\r\n\f]*+)?(?:\"(" + many(rb"[^\"\\\n\r\f]++|" + _ESCAPE) + rb")\"?+"
    rb"|'(" + many(rb"[^'\\\n\r\f]++|" + _ESCAPE) + rb")'?+)"
    rb"|\\(?:[0-9a-fA-F]{1,6}(?:\r\n|[ \t\n\r\f])?+|.)[\w\x80-\xff-]*+",  # the rest of the name goes with it
    re.DOTALL,
).finditer  # fmt: skip
_UNESCAPED = re.compile(rb"\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[ \t\n\r\f])?|" + _NEWLINE + rb"|(.))", re.DOTALL).sub
_LOADS = re.compile(
    r"[\x00-\x20]*+(?:[/\\][\t\n\r]*+[/\\]|h[\t\n\r]*+t[\t\n\r]*+t[\t\n\r]*+p|data:)", re.IGNORECASE
).match
_NAMESPACE = re.compile(rb"@namespace\s[^;{}]*+\Z", re.IGNORECASE).search
_HOST = re.compile(rb"//([^/?#\"'() ]*+)").findall


def gated_style(
    css: bytes, *, judge: Callable[[str], Withheld | None], is_free: Callable[[bytes], bool], charset: str
) -> tuple[bytes | None, list[Withheld]]:
    """Return *css* with every withheld address replaced by one that leads nowhere, and what is withheld.

    A name whose letters are escapes (``\\75 rl(``) may hide what loads: then, if any host is named that *is_free*
    does not know, nothing leaves: None.
    """
    kept: list[bytes] = []
    withheld: list[Withheld] = []
    pos, escaped = 0, False
    for token in _TOKEN(css):
        group = token.lastindex or 0
        if not group or token[2] is not None:
            escaped |= token[0].startswith(b"\\") and unescaped(token[0])[:1].isalpha()
            continue
        start, end = token.span(group)
        address = unescaped(css[start:end]).decode(charset, "replace")
        if group in {3, 4} and not _LOADS(address):
            continue  # a string that is no address
        found = judge(address)
        if found and not _NAMESPACE(css[max(0, token.start() - 200) : token.start()]):
            withheld.append(found)
            kept += [css[pos:start], NOWHERE]
            pos = end
    gated = b"".join((*kept, css[pos:])) if kept else css
    if escaped and not all(map(is_free, _HOST(unescaped(gated)))):
        return None, withheld
    return gated, withheld


def unescaped(css: bytes) -> bytes:
    """Return *css* as it is read once its escapes are (CSS Syntax 3, 4.3.7)."""
    return _UNESCAPED(_character, css) if b"\\" in css else css


def _character(escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:
        return escape[2] or b""
    number = int(escape[1], 16)
    return chr(number if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else 0xFFFD).encode()
