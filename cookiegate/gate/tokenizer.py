"""An incremental, exact reader of HTML that stops only at the tags that matter."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from cookiegate.gate import grammar, skipping
from cookiegate.gate.context import Context
from cookiegate.gate.rawtext import RawText, holds_plain_text
from cookiegate.gate.tag import Kind, Tag, self_closing
from cookiegate.gate.tagend import TagEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Skip = Callable[[bytes, int], int]


def _skip_html(buf: bytes, pos: int) -> int:
    return skipping.HTML(buf, pos).end()  # type: ignore[union-attr]


class State(Enum):
    """What the next byte belongs to."""

    DATA = auto()
    RAW = auto()
    COMMENT = auto()
    BOGUS_COMMENT = auto()
    PLAINTEXT = auto()
    LONG_TAG = auto()
    DOUBTFUL_CDATA = auto()


class Tokenizer:
    """Reads chunks of HTML as a scripting browser does (*scripting*) or as one without scripts.

    ``for tag in tokenizer.read(chunk)`` yields the tags of interest; afterwards all before `pos` is
    understood, and what follows it is held until more comes, at most *limit* bytes. What cannot be held has no
    effect on what follows, since no browser will see it. While *thorough* is set, every tag, text and doctype is
    reported. *skip* returns where the next construct is in HTML, from some offset on, that must be looked at.
    """

    def __init__(self, *, limit: int, scripting: bool = True, skip: Skip = _skip_html) -> None:
        self.buf = b""
        self.pos = 0
        self.thorough = False
        self.state = State.DATA
        self._skip_html = skip
        self._limit = limit
        self._final = False
        self._held = bytearray()
        self._tag_end: TagEnd | None = None  # of the tag that is held
        self._long = Tag(Kind.RESUME, b"", 0, 0, 0)
        self._raw = RawText(b"")
        self._context = Context(scripting=scripting)
        self._steps = {
            State.DATA: self._data,
            State.RAW: self._raw_text,
            State.COMMENT: self._comment,
            State.BOGUS_COMMENT: self._bogus_comment,
            State.PLAINTEXT: self._plaintext,
            State.LONG_TAG: self._long_tag,
            State.DOUBTFUL_CDATA: self._doubtful_cdata,
        }

    @property
    def at_rest(self) -> bool:
        """Whether nothing is open: no tag, comment, raw text, svg, math or select."""
        return self.state is State.DATA and not self._held and self._context.at_rest

    @property
    def held(self) -> int:
        """How many bytes wait for what follows them."""
        return len(self._held)

    @property
    def in_text(self) -> bool:
        """Whether an element is open whose content is text."""
        return self.state is State.RAW

    def closers(self, tag: Tag) -> bytes:
        """Return the end tags that must stand in for *tag*, gone, if it would have ended svg or math."""
        return self._context.closers(tag)

    def holds_text(self, tag: Tag) -> bool:
        """Return whether the content of *tag*'s element is text up to its end tag."""
        return self._context.holds_text(tag, self.buf)

    def read(self, data: bytes, *, final: bool = False) -> Iterator[Tag]:
        """Yield what matters in *data*; with *final* nothing more will come."""
        self._final = final
        self.pos = 0
        if self._held:
            if self._still_in_tag(data):
                self._held += data
                self.buf = b""
                return
            self._held += data
            data, self._held = bytes(self._held), bytearray()
        self.buf = data
        while (tag := self._next()) is not None:
            yield tag
            self._take_effect(tag)
        if self.pos < len(data):
            self._held += data[self.pos :]

    def _still_in_tag(self, data: bytes) -> bool:
        """Whether *data* only goes on with the tag that is held, within the limit."""
        tag_end, self._tag_end = self._tag_end, None
        if tag_end is None or tag_end.search(data, 0) >= 0:
            return False
        self._tag_end = tag_end
        return not self._final and len(self._held) + len(data) <= self._limit

    def _next(self) -> Tag | None:
        size = len(self.buf)
        while self.pos < size:
            before, state = self.pos, self.state
            tag = self._steps[state]()
            if tag is not None:
                return tag
            if self.pos == before and self.state is state:
                break  # more bytes are needed
        return None

    # -- what a browser does that has seen a tag

    def _take_effect(self, tag: Tag) -> None:
        self.pos = tag.end
        if tag.kind is Kind.START:
            self._started(tag)
        elif tag.kind is Kind.END and tag.name == b"select":
            self._context.end_select()
        if self._context.too_deep:
            self.state = State.PLAINTEXT

    def _started(self, tag: Tag) -> None:
        """An element begins; one that is gone has no effect but for its own text, which goes with it."""
        if self.holds_text(tag):
            self.state, self._raw = State.RAW, RawText(tag.name, tag.foreign)
            return
        self._context.start(tag, self.buf)
        if tag.name == b"plaintext" and not tag.foreign and not tag.gone:
            self.state = State.PLAINTEXT

    # -- one method for each state: moves pos, returns a stop, or does neither and waits for more bytes

    def _data(self) -> Tag | None:
        buf = self.buf
        if self._context.too_deep:
            self.state = State.PLAINTEXT
            return Tag(Kind.WITHHOLD, b"svg", self.pos, self.pos, self.pos)
        pos = self.pos = self._skip(buf, self.pos)
        if pos >= len(buf):
            return None
        match = grammar.TAG(buf, pos)
        if match is None:
            return self._markup(pos)
        name, start, end = match[2].lower(), match.start(3), match.end()
        if match[1]:
            return Tag(Kind.END, name, pos, start, end, before=self._context.end(name))
        foreign = self._context.reads_foreign(name, buf, start, end)
        tag = Tag(Kind.START, name, pos, start, end, foreign, doubtful=self._context.doubtful)
        return self._foreign_text(tag) if foreign and name in grammar.RAW_TEXT else tag

    def _foreign_text(self, tag: Tag) -> Tag | None:
        """An element of svg or math whose name tells readers who know no svg that its content is text.

        Such a reader looks ahead for things to load. Content that the two would read in two ways is `mixed`.
        """
        if self_closing(self.buf, tag.attributes, tag.end):
            return tag
        plain = holds_plain_text(self.buf, tag.end, tag.name)
        if plain is None and not self._final and len(self.buf) - tag.start <= self._limit:
            self._wait(tag.start)
            return None
        tag.mixed = not (b"<" not in self.buf[tag.end :] if plain is None else plain)
        return tag

    def _skip(self, buf: bytes, pos: int) -> int:
        """Return where the next tag is that must be looked at."""
        skip = self._context.skip
        if self.thorough and not self._context.foreign:
            skip = skipping.BLANK
        return skip(buf, pos).end() if skip else self._skip_html(buf, pos)  # type: ignore[union-attr]

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
            return Tag(Kind.TEXT, b"", pos, pos, skipping.LITERAL_TEXT(buf, pos).end())  # type: ignore[union-attr]
        return None

    def _declaration(self, pos: int) -> Tag | None:
        opening = self.buf[pos : pos + 9]
        if opening.startswith(b"<!--"):
            self._open_comment(pos)
        elif opening == b"<![CDATA[" and self._context.foreign:
            return self._open_cdata(pos)
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

    def _open_comment(self, pos: int) -> None:
        buf = self.buf
        for whole in (b"<!-->", b"<!--->"):
            if buf.startswith(whole, pos):
                self.pos = pos + len(whole)
                return
        if len(buf) - pos > 6 or self._final:
            self.state, self.pos = State.COMMENT, pos + 4

    def _open_cdata(self, pos: int) -> Tag | None:
        """What looks ahead for things to load reads CDATA as HTML does everywhere: as a comment up to the next '>'."""
        end = self.buf.find(b"]]>", pos)
        within = end if end >= 0 else len(self.buf)
        seen = self.buf.find(b">", pos, within)
        hides = seen >= 0 and self.buf.find(b"<", seen, within) >= 0
        if hides or self._context.doubtful or within - pos > self._limit:
            self.state = State.DOUBTFUL_CDATA
            return Tag(Kind.WITHHOLD, b"![cdata[", pos, pos, pos + 9)
        if end >= 0:
            self.pos = end + 3
        else:
            self._wait(pos)
        return None

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

    def _doubtful_cdata(self) -> Tag | None:
        end = self.buf.find(b"]]>", self.pos)
        if end < 0:
            self._keep_tail(2, b"]")
            return None
        self.state, self.pos = State.DATA, end + 3
        return Tag(Kind.RESUME, b"", self.pos, self.pos, self.pos)

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

    # -- a tag that the chunk's end cuts off is held, one larger than the limit read on without being held

    def _cut_tag(self, pos: int) -> Tag | None:
        if self._tag_end is None:
            self._tag_end = TagEnd()
            self._tag_end.search(self.buf, pos + 1 + (self.buf[pos + 1] == 0x2F))
        if len(self.buf) - pos <= self._limit:
            self._wait(pos)
            return None
        closes = self.buf[pos + 1] == 0x2F
        end = grammar.TAG_NAME(self.buf, pos).end()  # type: ignore[union-attr]
        name, size = self.buf[pos + 1 + closes : end].lower(), len(self.buf)
        foreign = not closes and self._context.reads_foreign(name, b"", 0, 0)
        self._long = Tag(Kind.RESUME, name, size, size, size, foreign, closes)
        self.state = State.LONG_TAG
        return Tag(Kind.WITHHOLD, name, pos, end, size, foreign, closes)

    def _long_tag(self) -> Tag | None:
        tag_end, long = self._tag_end or TagEnd(), self._long
        end = tag_end.search(self.buf, self.pos)
        if end < 0:
            self.pos = len(self.buf)
            return None
        self._tag_end, self.state = None, State.DATA
        if long.closes:
            self._context.end(long.name)
        elif not long.foreign and self.holds_text(long):
            self.state, self._raw = State.RAW, RawText(long.name)
        return Tag(Kind.RESUME, long.name, end, end, end, long.foreign, long.closes)
