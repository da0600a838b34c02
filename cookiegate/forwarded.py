"""The ``Forwarded`` header (RFC 7239), read from the right: what is left of a trusted proxy's words may be anybody's.

A proxy appends to what a visitor sent, so a quote that the visitor opened must not swallow the proxy's own element.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAIR = re.compile(r'[ \t]*([!#$%&\'*+.^`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))[ \t]*(?:;|$)', re.ASCII)


def elements(line: str) -> Iterator[dict[str, str]]:
    """Yield the parameters of each element, the last element first; an empty one for what is no element."""
    end, quoted = len(line), False
    for at in range(len(line) - 1, -1, -1):
        if line[at] == '"' and not _is_escaped(line, at):
            quoted = not quoted
        elif line[at] == "," and not quoted:
            yield _parameters(line[at + 1 : end])
            end = at
    yield _parameters(line[:end])


def _parameters(element: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(element.rstrip()):
        pair = _PAIR.match(element, at)
        if pair is None or pair[1].lower() in found:  # each stands there once (RFC 7239, 4)
            return {}
        found[pair[1].lower()] = pair[2] if pair[2] is not None else pair[3]
        at = pair.end()
    return found


def _is_escaped(line: str, at: int) -> bool:
    before = line[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
