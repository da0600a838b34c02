"""An incremental, exact reader of HTML that stops only at the tags that matter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from cookiegate.gate import grammar
from cookiegate.gate.foreign import Foreign, self_closing
from cookiegate.gate.rawtext import RawText

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """What the reader stopped at."""

    START = auto()
    END = auto()
    RAW_END = auto()  # the end tag of an element whose content is text
    TEXT = auto()  # thorough reading only: something that is no tag and no white space
    DOCTYPE = auto()  # thorough reading only
    TOO_LONG = auto()  # a tag larger than the limit begins; nothing of it may be let out
    LONG_END = auto()  # … and ends


class State(Enum):
    """What the next byte belongs to."""

    DATA = auto()
    RAW = auto()
    COMMENT = auto()
    BOGUS_COMMENT = auto()
    CDATA = auto()
    PLAINTEXT = auto()
    LONG_TAG = auto()


@dataclass(slots=True)
class Tag:
    """One stop: offsets into `Tokenizer.buf`; *gone* is set by the reader's user who does not let the tag out."""

    kind: Kind
    name: bytes
    start: int
    attributes: int
    end: int
    foreign: bool = False
    closes: bool = False  # TOO_LONG: it is an end tag
    gone: bool = False


class Tokenizer:
    """Reads chunks of HTML as a scripting browser does (*scripting*) or as one without scripts.

    ``for tag in tokenizer.read(chunk)`` yields the tags of interest; afterwards all before `pos` is
    understood, and what follows it is held until more comes, at most *limit* bytes. A longer tag is reported
    as ``TOO_LONG`` and must be withheld; it has no effect on what follows, since no browser will see it.
    While *thorough* is set, every tag, text and doctype is reported.
    """

    def __init__(self, *, limit: int, scripting: bool = True) -> None:
        self.buf = b""
        self.pos = 0
        self.thorough = False
        self.state = State.DATA
        self._scripting = scripting
        self._limit = limit
        self._final = False
        self._held = bytearray()
        self._resume = 0  # in _held: where the attributes are not certainly complete; 0 where no tag is held
        self._raw = RawText(b"")
        self._long = Tag(Kind.LONG_END, b"", 0, 0, 0)
        self._quote = b""
        self._foreign = Foreign()
        self._steps = {
            State.DATA: self._data,
            State.RAW: self._raw_text,
            State.COMMENT: self._comment,
            State.BOGUS_COMMENT: self._bogus_comment,
            State.CDATA: self._cdata,
            State.PLAINTEXT: self._plaintext,
            State.LONG_TAG: self._long_tag,
        }

    @property
    def at_rest(self) -> bool:
        """Whether nothing is open: no tag, comment, raw text, svg or math."""
        return self.state is State.DATA and not self._held and not self._foreign.inside

    @property
    def held(self) -> int:
        """How many bytes wait for what follows them."""
        return len(self._held)

    @property
    def in_text(self) -> bool:
        """Whether an element is open whose content is text."""
        return self.state is State.RAW

    def holds_text(self, tag: Tag) -> bool:
        """Return whether the content of *tag*'s element is text up to its end tag."""
        if tag.foreign:
            return tag.name == b"script" and not self_closing(self.buf, tag.attributes, tag.end)
        return tag.name in grammar.RAW_TEXT and (self._scripting or tag.name != b"noscript")

    def read(self, data: bytes, *, final: bool = False) -> Iterator[Tag]:
        """Yield what matters in *data*; with *final* nothing more will come."""
        self._final = final
        self.pos = 0
        if self._held:
            self._held += data
            if not final and self._resume and not self._tag_complete() and len(self._held) <= self._limit:
                self.buf = b""
                return
            data = bytes(self._held)
            self._held.clear()
        self.buf = data
        while (tag := self._next()) is not None:
            yield tag
            self._take_effect(tag)
        if self.pos < len(data):
            self._held += data[self.pos :]

    def _next(self) -> Tag | None:
        self._resume = 0
        size = len(self.buf)
        while self.pos < size:
            before, state = self.pos, self.state
            tag = self._steps[state]()
            if tag is not None:
                return tag
            if self.pos == before and self.state is state:
                break  # more bytes are needed
        return None

    def _take_effect(self, tag: Tag) -> None:
        """Do what a browser does that has seen the tag; one that is gone has no effect, but for its own text."""
        self.pos = tag.end
        if tag.kind is Kind.START:
            if self.holds_text(tag):
                self._leave_foreign(tag)
                self._enter_raw(tag)
            elif tag.gone:
                return
            elif tag.foreign:
                self._foreign.start(tag.name, self.buf, tag.attributes, tag.end)
            else:
                self._started(tag)
        elif self._foreign.inside and (tag.kind is Kind.END or (tag.kind is Kind.LONG_END and tag.closes)):
            self._foreign.end(tag.name)

    def _started(self, tag: Tag) -> None:
        self._leave_foreign(tag)
        if tag.name == b"plaintext":
            self.state = State.PLAINTEXT
        elif tag.name in {b"svg", b"math"} and not self_closing(self.buf, tag.attributes, tag.end):
            self._foreign.enter(tag.name)

    def _leave_foreign(self, tag: Tag) -> None:
        if self._foreign.foreign and not tag.foreign and not tag.gone:
            self._foreign.leave()

    def _enter_raw(self, tag: Tag) -> None:
        self.state, self._raw = State.RAW, RawText(tag.name, tag.foreign)

    # -- one method for each state: moves pos, returns a stop, or does neither and waits for more bytes

    def _data(self) -> Tag | None:
        buf, pos = self.buf, self.pos
        if self._foreign.foreign:
            pos = grammar.LITERAL_TEXT(buf, pos).end()  # type: ignore[union-attr]
        elif self.thorough:
            pos = grammar.BLANK(buf, pos).end()  # type: ignore[union-attr]
        elif self._foreign.inside:
            pos = grammar.SKIP_INTEGRATION(buf, pos).end()  # type: ignore[union-attr]
        else:
            pos = grammar.SKIP_HTML(buf, pos).end()  # type: ignore[union-attr]
        self.pos = pos
        if pos >= len(buf):
            return None
        match = grammar.TAG(buf, pos)
        if match is None:
            return self._markup(pos)
        name, foreign = match[2].lower(), self._foreign.foreign
        if match[1]:
            return Tag(Kind.END, name, pos, match.start(3), match.end(), foreign)
        if foreign and self._foreign.breaks_out(name, buf, match.start(3), match.end()):
            foreign = False
        return Tag(Kind.START, name, pos, match.start(3), match.end(), foreign)

    def _markup(self, pos: int) -> Tag | None:
        """What is no whole tag: text, a comment, CDATA, a doctype, or something that the chunk's end cuts off."""
        buf = self.buf
        if grammar.TAG_NAME(buf, pos):
            return self._cut_tag(pos)
        opening = buf[pos : pos + 2]
        if opening == b"<!":
            return self._declaration(pos)
        if opening == b"<?" or (opening == b"</" and len(buf) > pos + 2):
            self.state, self.pos = State.BOGUS_COMMENT, pos + 2
        elif opening in {b"<", b"</"}:
            self._wait(pos)
        else:
            return Tag(Kind.TEXT, b"", pos, pos, grammar.LITERAL_TEXT(buf, pos).end())  # type: ignore[union-attr]
        return None

    def _declaration(self, pos: int) -> Tag | None:
        opening = self.buf[pos : pos + 9]
        if opening.startswith(b"<!--"):
            self._open_comment(pos)
        elif self._foreign.foreign and opening == b"<![CDATA[":
            self.state, self.pos = State.CDATA, pos + 9
        elif len(opening) < 9 and b">" not in opening and not self._final:
            return None
        else:
            self.state, self.pos = State.BOGUS_COMMENT, pos + 2
            if self.thorough and opening.lower() == b"<!doctype":
                return Tag(Kind.DOCTYPE, b"", pos, pos, self.pos)
        return None

    def _wait(self, pos: int) -> None:
        """Hold from *pos* on; at the end of the file browsers ignore what is unfinished."""
        self.pos = len(self.buf) if self._final else pos

    def _cut_tag(self, pos: int) -> Tag | None:
        end = grammar.TAG_NAME(self.buf, pos).end()  # type: ignore[union-attr]
        if len(self.buf) - pos > self._limit:
            return self._too_long(pos, end)
        self._resume = end - pos if end < len(self.buf) else 0
        self._wait(pos)
        return None

    def _tag_complete(self) -> bool:
        """Whether the held tag has its ``>``; attributes that are certainly complete are not read again."""
        self._resume = grammar.WHOLE_ATTRIBUTES(self._held, self._resume).end()  # type: ignore[union-attr]
        return self._held[self._resume : self._resume + 1] == b">"

    def _open_comment(self, pos: int) -> None:
        buf = self.buf
        for whole in (b"<!-->", b"<!--->"):
            if buf.startswith(whole, pos):
                self.pos = pos + len(whole)
                return
        if len(buf) - pos > 6 or self._final:
            self.state, self.pos = State.COMMENT, pos + 4

    def _comment(self) -> None:
        end = grammar.COMMENT_END(self.buf, self.pos)
        if end:
            self.state, self.pos = State.DATA, end.end()
        else:
            self._keep_tail(3, b"-")

    def _bogus_comment(self) -> None:
        end = self.buf.find(b">", self.pos)
        self.pos = len(self.buf) if end < 0 else end + 1
        if end >= 0:
            self.state = State.DATA

    def _cdata(self) -> None:
        end = self.buf.find(b"]]>", self.pos)
        if end >= 0:
            self.state, self.pos = State.DATA, end + 3
        else:
            self._keep_tail(2, b"]")

    def _plaintext(self) -> None:
        self.pos = len(self.buf)

    def _keep_tail(self, length: int, *starts: bytes) -> None:
        """Understand all but a tail that may be the beginning of an end."""
        size = len(self.buf)
        if self._final:
            self.pos = size
            return
        tail = max(self.pos, size - length)
        found = [at for at in (self.buf.find(start, tail) for start in starts) if at >= 0]
        self.pos = min(found, default=size)

    def _raw_text(self) -> Tag | None:
        raw = self._raw
        at, self.pos = raw.find_end(self.buf, self.pos)
        if at < 0:
            length, starts = raw.tail
            self._keep_tail(length, *starts)
            return None
        end = grammar.TAG(self.buf, at)
        if end is None:
            return self._cut_tag(at)
        self.state = State.DATA
        return Tag(Kind.RAW_END, raw.name, at, end.start(3), end.end(), raw.foreign)

    # -- a tag larger than the limit is read on without being held

    def _too_long(self, pos: int, end: int) -> Tag:
        closes = self.buf[pos + 1] == 0x2F
        name = self.buf[pos + 1 + closes : end].lower()
        self._long = Tag(Kind.LONG_END, name, pos, end, end, self._foreign.foreign, closes)
        self.state, self._quote = State.LONG_TAG, b""
        return Tag(Kind.TOO_LONG, name, pos, end, end, self._foreign.foreign, closes)

    def _long_tag(self) -> Tag | None:
        buf, pos = self.buf, self.pos
        if self._quote:
            at = buf.find(self._quote, pos)
            if at < 0:
                self.pos = len(buf)
                return None
            self._quote, pos = b"", at + 1
        self.pos = pos = grammar.WHOLE_ATTRIBUTES(buf, pos).end()  # type: ignore[union-attr]
        if buf[pos : pos + 1] == b">":
            return self._long_end(pos + 1)
        quote = grammar.OPEN_QUOTE(buf, pos)
        if quote:
            self._quote, self.pos = quote[1], quote.end()
        elif len(buf) - pos > self._limit:
            self.state = State.PLAINTEXT  # a name or a bare value without end: nothing more can be told
        return None

    def _long_end(self, end: int) -> Tag:
        tag, self.state = self._long, State.DATA
        if not tag.closes and not tag.foreign and self.holds_text(tag):
            self._enter_raw(tag)
        return Tag(Kind.LONG_END, tag.name, end, end, end, tag.foreign, tag.closes)
