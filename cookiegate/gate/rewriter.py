"""Bytes in, gated bytes out."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from cookiegate.gate.body import Banner, BodyFinder, Spot
from cookiegate.gate.contents import Contents, Placeholder, marker
from cookiegate.gate.glance import Glance
from cookiegate.gate.grammar import RAW_TEXT
from cookiegate.gate.loads import FOREIGN_LOADS, GATED, MARK
from cookiegate.gate.parts import rewritten
from cookiegate.gate.tag import Kind, Tag, attribute_values
from cookiegate.gate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.gate.judge import Judge
    from cookiegate.gate.places import Withheld

FRAMES = frozenset({b"iframe", b"amp-iframe", b"amp-youtube", b"amp-vimeo"})


class Mode(Enum):
    """What becomes of the bytes that are being read."""

    PASS = auto()
    CAPTURE = auto()  # until the end of an element that is judged by its content
    DROP = auto()  # until the end of an element that is withheld


class Rewriter:
    """Gates one page: ``feed(chunk)`` returns what may leave at once, ``close()`` the rest. Never raises.

    *banner* is asked for where the body begins, *ending* where the page ends (what stands there belongs to the body,
    WHATWG HTML 13.2.6.4.22); *placeholder* returns what stands for a withheld frame; *report*
    hears of everything withheld; *body* knows what the response's headers say of forms. At most *limit* bytes are
    held back for a decision: what needs more is withheld.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        limit: int,
        report: Callable[[Withheld], None],
        banner: Banner | None = None,
        ending: Callable[[], bytes] | None = None,
        placeholder: Placeholder | None = None,
        scripting: bool = True,
        body: BodyFinder | None = None,
    ) -> None:
        self._judge = judge
        if judge.gate is None:
            judge.gate = partial(_gated_document, judge, limit)
        self._limit = limit
        self._report = report
        self._banner = banner
        self._ending = ending
        self._placeholder = placeholder
        self._tag_limit = limit * 3 // 4  # a tag is copied once more than other things
        self._tokenizer = Tokenizer(limit=self._tag_limit, scripting=scripting, skip=Glance(judge))
        self._body = body or BodyFinder(forms_forbidden=False)
        # Is this a page that may hold our forms?
        self._tokenizer.thorough = scripting and bool(banner or ending or placeholder)
        self._contents = Contents(judge, report=report, noscript=self._gate_noscript)
        self._mode = Mode.PASS
        self._out: list[bytes] = []
        self._emit = 0  # in the tokenizer's buffer: all before it is written, captured or dropped
        self._read = 0  # bytes of the page before the tokenizer's buffer
        self._captured = bytearray()
        self._opening: Tag | None = None

    @property
    def at_rest(self) -> bool:
        """Whether every construct that was opened is closed again."""
        return self._mode is Mode.PASS and self._tokenizer.at_rest

    def feed(self, data: bytes) -> bytes:
        """Return what may leave after *data* came."""
        return self._run(data, final=False)

    def close(self) -> bytes:
        """Return the rest; nothing more will come."""
        rest = self._run(b"", final=True)
        if self._mode is Mode.CAPTURE:
            self._release_captured(b"")
            rest += self._flushed()
        if self._tokenizer.thorough and self._body.page and self.at_rest:
            rest += self._render_banner()
        if self._ending and self._body.page and self.at_rest:
            rest += self._ending()
        return rest

    def _run(self, data: bytes, *, final: bool) -> bytes:
        tokenizer, self._emit = self._tokenizer, 0
        for tag in tokenizer.read(data, final=final):
            if self._mode is Mode.PASS:
                self._see(tag)
            elif tag.kind in {Kind.RAW_END, Kind.RESUME, Kind.WITHHOLD}:
                self._see_end(tag)
        self._take_up_to(tokenizer.pos)
        self._read += tokenizer.pos
        if self._mode is Mode.CAPTURE and len(self._captured) + tokenizer.held > self._limit:
            self._give_up_capture()
        return self._flushed()

    def _flushed(self) -> bytes:
        written = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return written

    def _take_up_to(self, pos: int) -> None:
        """Write, capture or drop the bytes between what was taken last and *pos*."""
        if pos > self._emit:
            if self._mode is Mode.PASS:
                self._out.append(self._tokenizer.buf[self._emit : pos])
            elif self._mode is Mode.CAPTURE:
                self._captured += self._tokenizer.buf[self._emit : pos]
        self._emit = pos

    # -- while bytes pass

    def _see(self, tag: Tag) -> None:
        if self._tokenizer.thorough:
            self._look_for_body(tag)
        if tag.kind is Kind.START:
            self._start(tag)
        elif tag.kind is Kind.END and tag.before != b"":
            self._make_plain(tag)
        elif tag.kind is Kind.WITHHOLD:
            self._too_long(tag)

    def _look_for_body(self, tag: Tag) -> None:
        spot = self._body.see(tag, self._tokenizer.buf)
        # Where nobody is asked, it is enough to know whether this is a page at all.
        self._tokenizer.thorough = spot is None and (self._banner is not None or not self._body.page)
        if spot not in {None, Spot.NOWHERE}:
            self._take_up_to(tag.start if spot is Spot.BEFORE else tag.end)
            self._out.append(self._render_banner())

    def _render_banner(self) -> bytes:
        banner, self._banner = self._banner, None
        body = self._body
        return banner(based=body.based, forms_forbidden=body.forms_forbidden) if banner else b""

    def _start(self, tag: Tag) -> None:
        attributes = attribute_values(self._tokenizer.buf, tag.attributes, tag.end)
        withheld = None
        if tag.name == b"meta":
            self._body.note_policy(attributes)
        if tag.name in (FOREIGN_LOADS if tag.foreign else GATED):
            withheld = self._judge.element(tag.name, attributes, foreign=tag.foreign)
        if withheld:
            self._withhold(tag, withheld, attributes)
        elif tag.mixed or (tag.name == b"plaintext" and tag.doubtful):
            self._contents.report_doubtful(tag.name, self._read + tag.start)
            self._replace(tag, marker("doubtful"))
        elif self._needs_content(tag, attributes):
            self._capture(tag)
        else:
            self._write_tag(tag, attributes)

    def _needs_content(self, tag: Tag, attributes: Mapping[bytes, bytes]) -> bool:
        if not self._tokenizer.holds_text(tag):
            return False
        if tag.doubtful or tag.foreign or tag.name in {b"noscript", b"style"}:
            return True
        return tag.name == b"script" and b"src" not in attributes and not self._judge.is_inert(attributes)

    def _write_tag(self, tag: Tag, attributes: Mapping[bytes, bytes]) -> None:
        """Let the tag out, without those of its attributes' values that may not leave."""
        parts = list(self._judge.parts(tag.name, attributes, foreign=tag.foreign))
        for part in parts:
            self._note(tag, part.withheld)
        buf, closes_itself = self._tokenizer.buf, tag.foreign and tag.name in RAW_TEXT and not tag.mixed
        if parts or closes_itself or (MARK in attributes and tag.name in GATED):
            self._take_up_to(tag.start)
            written = rewritten(buf, tag.start, tag.attributes, tag.end, parts, self._judge.charset)
            if closes_itself:  # whoever reads <title/> in svg as HTML takes all that follows for its text
                self._contents.report_doubtful(tag.name, self._read + tag.start)
            self._out.append(written[:-1].rstrip(b"/") + b"></" + tag.name + b">" if closes_itself else written)
            self._emit = tag.end

    def _make_plain(self, tag: Tag) -> None:
        """An end tag in svg or math that could be read in two ways is closed before, or does not leave."""
        self._take_up_to(tag.start)
        if tag.before is None:
            self._emit = tag.end
        self._out.append(marker("stray") if tag.before is None else tag.before)
        self._contents.report_doubtful(b"/" + tag.name, self._read + tag.start)

    def _withhold(self, tag: Tag, withheld: Withheld, attributes: Mapping[bytes, bytes]) -> None:
        self._note(tag, withheld)
        stands_in = b""
        if tag.name in FRAMES and self._placeholder:
            forbidden = self._body.forms_forbidden or not self._body.page  # a fragment has no place for forms
            stands_in = self._placeholder(withheld.service, attributes, forms_forbidden=forbidden)
        self._replace(tag, self._tokenizer.closers(tag) + (stands_in or marker(withheld.slug)))
        if self._tokenizer.holds_text(tag):
            self._mode = Mode.DROP

    def _replace(self, tag: Tag, stands_in: bytes) -> None:
        self._take_up_to(tag.start)
        self._out.append(stands_in)
        self._emit = tag.end
        tag.gone = True

    def _note(self, tag: Tag, withheld: Withheld) -> None:
        self._report(replace(withheld, element=tag.name.decode("latin-1"), offset=self._read + tag.start))

    def _too_long(self, tag: Tag) -> None:
        """An end tag goes without its attributes, which mean nothing; anything else leaves a marker."""
        self._take_up_to(tag.start)
        if tag.closes:
            self._out.append(b"</" + tag.name + b">")
        elif tag.end - tag.start <= self._tag_limit:
            self._contents.report_doubtful(tag.name, self._read + tag.start)
            self._out.append(marker("doubtful"))
        else:
            self._contents.report_too_large(
                tag.name, self._read + tag.start, f"tag is larger than {self._tag_limit} bytes"
            )
            self._out.append(marker("oversized"))
        self._emit = tag.end
        self._mode = Mode.DROP

    # -- while bytes are captured or dropped

    def _capture(self, tag: Tag) -> None:
        self._take_up_to(tag.start)
        self._mode = Mode.CAPTURE
        shift = self._read + tag.start
        self._opening = replace(tag, start=shift, attributes=tag.attributes - tag.start, end=tag.end - tag.start)

    def _see_end(self, tag: Tag) -> None:
        if tag.kind is Kind.WITHHOLD:  # the end tag of what is being captured or dropped
            if self._mode is Mode.CAPTURE:
                self._take_up_to(tag.start)
                self._release_captured(b"</" + tag.name + b">")
            self._emit, self._mode = tag.end, Mode.DROP
        elif self._mode is Mode.CAPTURE:
            self._take_up_to(tag.start)
            self._release_captured(self._tokenizer.buf[tag.start : tag.end])
            self._emit = tag.end
        elif tag.kind is Kind.RAW_END or not self._tokenizer.in_text:
            self._emit, self._mode = tag.end, Mode.PASS

    def _give_up_capture(self) -> None:
        opening = self._opening
        assert opening  # noqa: S101  capturing began with it
        why = f"the content is larger than {self._limit} bytes: raise gate_memory"
        self._contents.report_too_large(opening.name, opening.start, why)
        self._out.append(marker("oversized"))
        self._captured.clear()
        self._mode = Mode.DROP

    def _release_captured(self, closing: bytes) -> None:
        """Write what may leave of the captured element, whose end tag is *closing*."""
        assert self._opening  # noqa: S101  capturing began with it
        self._out.append(self._contents.gated(self._opening, bytes(self._captured), closing))
        self._captured.clear()
        self._mode = Mode.PASS

    def _gate_noscript(self, markup: bytes, offset: int) -> bytes | None:
        """Gate what a browser without scripts reads as markup; None where it stays open at the end."""
        inner = Rewriter(
            self._judge, limit=self._limit, placeholder=self._placeholder, scripting=False, body=self._body,
            report=lambda withheld: self._report(replace(withheld, offset=offset + withheld.offset)),
        )  # fmt: skip
        gated = inner.feed(markup)
        return gated if inner.at_rest else None


def _gated_document(judge: Judge, limit: int, document: bytes) -> tuple[bytes, list[Withheld]]:
    """Return a document inside an attribute or an address as it may leave, and what is withheld of it."""
    withheld: list[Withheld] = []
    inner = Rewriter(judge, limit=limit, report=withheld.append)
    return inner.feed(document) + inner.close(), withheld
