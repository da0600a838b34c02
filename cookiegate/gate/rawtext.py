"""Where does an element end whose content is text? Script data has states of its own (WHATWG HTML 13.2.5.4)."""

from __future__ import annotations

from dataclasses import dataclass

from cookiegate.gate import grammar

_CDATA = b"<![CDATA["


def holds_plain_text(buf: bytes, pos: int, name: bytes) -> bool | None:
    """Return whether an element of svg or math holds nothing but text from *pos* to its end tag, or one CDATA section.

    None where *buf* ends before it can be told. The section may hold nothing that HTML would read in another way.
    """
    mark = buf.find(b"<", pos)
    head = buf[mark : mark + len(_CDATA)]
    if mark < 0 or (len(head) < len(_CDATA) and _CDATA.startswith(head)):
        return None
    if buf.startswith(_CDATA, mark):
        end = buf.find(b"]]>", mark)
        following = buf.find(b"<", end) if end >= 0 else -1
        if following < 0:
            return None
        inside, around = buf[mark:end], buf[pos:mark] + buf[end + 3 : following]
        if b"<!--" in inside or grammar.RAW_END[name](inside) or around.strip():
            return False
        mark = following
    if len(buf) < mark + len(name) + 3:
        return None
    end_tag = grammar.RAW_END[name](buf, mark)
    return end_tag is not None and end_tag.start() == mark


@dataclass(slots=True)
class RawText:
    """The open element; *escaped* is 1 after ``<!--`` and 2 after ``<!--<script``. *foreign*: a script in svg."""

    name: bytes
    foreign: bool = False
    escaped: int = 0

    def find_end(self, buf: bytes, pos: int) -> tuple[int, int]:
        """Return where the end tag begins, or -1, and up to where *buf* is understood from *pos* on."""
        if self.name == b"script" and not self.foreign:
            return self._find_script_end(buf, pos)
        match = grammar.RAW_END[self.name](buf, pos)
        at = match.start() if match else -1
        return at, max(at, pos)

    @property
    def tail(self) -> tuple[int, tuple[bytes, ...]]:
        """How long the beginning of an end can be at the end of a chunk, and with what it starts."""
        return len(self.name) + 2, (b"<", b"-") if self.escaped else (b"<",)

    def _find_script_end(self, buf: bytes, pos: int) -> tuple[int, int]:
        while True:
            search = grammar.SCRIPT_ESCAPED if self.escaped else grammar.SCRIPT_DATA
            match = search(buf, pos)
            if match is None:
                return -1, pos
            if not self.escaped:
                if match[0] != b"<!--":
                    return match.start(), match.start()
                self.escaped, pos = 1, match.start() + 2  # its dashes may already belong to '-->'
                continue
            if match[1] is None:
                self.escaped = 0
            elif match[1] and self.escaped == 1:
                return match.start(), match.start()
            else:
                self.escaped = 1 if match[1] else 2
            pos = match.end()
