"""Where does a tag end that comes in pieces? Each byte is looked at once (WHATWG HTML 13.2.5.8, 13.2.5.32 to .39)."""

from __future__ import annotations

import re
from enum import Enum, auto

from cookiegate.gate.grammar import SPACE


class Part(Enum):
    """What of a tag the next byte belongs to."""

    TAG_NAME = auto()
    BETWEEN = auto()
    NAME = auto()
    AFTER_NAME = auto()
    BEFORE_VALUE = auto()
    BARE_VALUE = auto()
    QUOTED = auto()


_SPACES = re.compile(rb"[" + SPACE + rb"]*+").match
_RUN = {
    Part.TAG_NAME: re.compile(rb"[^" + SPACE + rb"/>]*+").match,
    Part.BETWEEN: re.compile(rb"[" + SPACE + rb"/]*+").match,
    Part.NAME: re.compile(rb"[^" + SPACE + rb"/>=]*+").match,
    Part.AFTER_NAME: _SPACES,
    Part.BEFORE_VALUE: _SPACES,
    Part.BARE_VALUE: re.compile(rb"[^" + SPACE + rb">]*+").match,
}
_AFTER = {
    Part.TAG_NAME: {},
    Part.BETWEEN: {b"/": Part.BETWEEN},
    Part.NAME: {b"=": Part.BEFORE_VALUE, b"/": Part.BETWEEN},
    Part.AFTER_NAME: {b"=": Part.BEFORE_VALUE, b"/": Part.BETWEEN},
    Part.BEFORE_VALUE: {b'"': Part.QUOTED, b"'": Part.QUOTED},
    Part.BARE_VALUE: {},
}
_ELSE = {
    Part.TAG_NAME: Part.BETWEEN,
    Part.BETWEEN: Part.NAME,
    Part.NAME: Part.AFTER_NAME,
    Part.AFTER_NAME: Part.NAME,
    Part.BEFORE_VALUE: Part.BARE_VALUE,
    Part.BARE_VALUE: Part.BETWEEN,
}


class TagEnd:
    """Searches one tag from its name on; give it the pieces in order."""

    def __init__(self) -> None:
        self._part = Part.TAG_NAME
        self._quote = b""

    def search(self, buf: bytes, pos: int) -> int:
        """Return the index behind the tag's ``>``, or -1 if all of *buf* from *pos* on belongs to the tag."""
        size = len(buf)
        while pos < size:
            if self._part is Part.QUOTED:
                at = buf.find(self._quote, pos)
                if at < 0:
                    return -1
                self._part, pos = Part.BETWEEN, at + 1
                continue
            pos = _RUN[self._part](buf, pos).end()  # type: ignore[union-attr]
            byte = buf[pos : pos + 1]
            if byte == b">":
                return pos + 1
            if byte:
                self._part = _AFTER[self._part].get(byte, _ELSE[self._part])
                self._quote = byte
                pos += 1
        return -1
