"""Bytes in, gated bytes out."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Protocol

from cookiegate.gate.body import Banner, BodyFinder, Spot
from cookiegate.gate.foreign import attribute_values
from cookiegate.gate.grammar import ATTRIBUTES, EQUALS, LOADING
from cookiegate.gate.judge import FOREIGN_LOADS, MARK, Judge, Withheld
from cookiegate.gate.tokenizer import Kind, Tag, Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cookiegate.service import Service


class Placeholder(Protocol):
    """Returns what stands where a frame was withheld; nothing for one that nobody was to see."""

    def __call__(self, service: Service | None, attributes: Mapping[bytes, bytes], *, declared: bool) -> bytes: ...


class Mode(Enum):
    """What becomes of the bytes that are being read."""

    PASS = auto()
    CAPTURE = auto()  # until the end of an element that is judged by its content
    DROP = auto()  # until the end of an element that is withheld


class Rewriter:
    """Gates one page: ``feed(chunk)`` returns what may leave at once, ``close()`` the rest. Never raises.

    *banner* is asked for where the body begins; *placeholder* returns what stands for a withheld frame; *report*
    hears of everything withheld. At most *limit* bytes are held back for a decision: what needs more is withheld.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        limit: int,
        report: Callable[[Withheld], None],
        banner: Banner | None = None,
        placeholder: Placeholder | None = None,
        scripting: bool = True,
        forms_forbidden: bool = False,
    ) -> None:
        self._judge = judge
        if judge.document is None:
            judge.document = partial(_withholds_of, judge, limit)
        self._limit = limit
        self._report = report
        self._banner = banner
        self._placeholder = placeholder
        self._tokenizer = Tokenizer(limit=limit, scripting=scripting)
        self._tokenizer.thorough = banner is not None
        self._body = BodyFinder(forms_forbidden=forms_forbidden)
        self._mode = Mode.PASS
        self._out: list[bytes] = []
        self._emit = 0  # in the tokenizer's buffer: all before it is written, captured or dropped
        self._read = 0  # bytes of the page before the tokenizer's buffer
        self._captured = bytearray()
        self._opening: Tag | None = None
        self._opening_size = 0

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
            self._out.append(self._judge_captured(bytes(self._captured), closing=0))
            rest += self._flushed()
        if self._tokenizer.thorough and self._body.page and self.at_rest:
            rest += self._render_banner()
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
        if spot is None:
            return
        self._tokenizer.thorough = False
        if spot is not Spot.NOWHERE:
            self._take_up_to(tag.start if spot is Spot.BEFORE else tag.end)
            self._out.append(self._render_banner())

    def _render_banner(self) -> bytes:
        banner, self._banner = self._banner, None
        body = self._body
        return banner(based=body.based, forms_forbidden=body.forms_forbidden) if banner else b""

    def _start(self, tag: Tag) -> None:
        if tag.name in (FOREIGN_LOADS if tag.foreign else LOADING):
            self._loading(tag)
        elif (tag.name == b"noscript" or tag.doubtful) and self._tokenizer.holds_text(tag):
            self._capture(tag)

    def _make_plain(self, tag: Tag) -> None:
        """An end tag in svg or math that could be read in two ways is closed before, or does not leave."""
        self._take_up_to(tag.start)
        if tag.before is None:
            self._emit = tag.end
        self._out.append(marker("stray") if tag.before is None else tag.before)
        self._report_doubtful(b"/" + tag.name, self._read + tag.start)

    def _loading(self, tag: Tag) -> None:
        attributes = attribute_values(self._tokenizer.buf, tag.attributes, tag.end)
        if tag.name == b"base":
            withheld = self._judge.base(attributes) if b"href" in attributes else None
        else:
            withheld = self._judge.element(tag.name, attributes, foreign=tag.foreign)
        if withheld:
            self._withhold(tag, withheld, attributes)
        elif self._needs_body(tag, attributes):
            self._capture(tag)
        elif MARK in attributes:
            self._take_up_to(tag.start)
            self._out.append(without_mark(self._tokenizer.buf, tag.start, tag.attributes, tag.end))
            self._emit = tag.end

    def _needs_body(self, tag: Tag, attributes: Mapping[bytes, bytes]) -> bool:
        if not self._tokenizer.holds_text(tag):
            return False
        if tag.doubtful or tag.foreign:
            return True
        return tag.name == b"script" and b"src" not in attributes and not self._judge.is_inert(attributes)

    def _withhold(self, tag: Tag, withheld: Withheld, attributes: Mapping[bytes, bytes]) -> None:
        self._take_up_to(tag.start)
        self._report(replace(withheld, element=tag.name.decode("latin-1"), offset=self._read + tag.start))
        stands_in = b""
        if tag.name == b"iframe" and self._placeholder:
            stands_in = self._placeholder(withheld.service, attributes, declared=withheld.declared)
        self._out.append(stands_in or marker(withheld.slug))
        self._emit = tag.end
        tag.gone = True
        if self._tokenizer.holds_text(tag):
            self._mode = Mode.DROP

    def _too_long(self, tag: Tag) -> None:
        self._take_up_to(tag.start)
        self._out.append(self._oversized(tag))
        self._emit = tag.end
        self._mode = Mode.DROP

    def _oversized(self, tag: Tag) -> bytes:
        """An end tag goes without its attributes, which mean nothing; anything else leaves a marker."""
        if tag.closes:
            return b"</" + tag.name + b">"
        if tag.end - tag.start <= self._limit:
            self._report_doubtful(tag.name, self._read + tag.start)
            return marker("doubtful")
        self._report_too_large(tag.name, self._read + tag.start, "tag")
        return marker("oversized")

    def _report_doubtful(self, name: bytes, offset: int) -> None:
        why = "browsers may read it in two ways, so it was dropped or svg closed before it"
        self._report(
            Withheld(slug="doubtful", rule="two readings", why=why, element=name.decode("latin-1"), offset=offset)
        )

    def _report_too_large(self, name: bytes, offset: int, what: str) -> None:
        why = f"the {what} is larger than gate_memory = {self._limit}"
        self._report(
            Withheld(slug="oversized", rule="gate_memory", why=why, element=name[:40].decode("latin-1"), offset=offset)
        )

    # -- while bytes are captured or dropped

    def _capture(self, tag: Tag) -> None:
        self._take_up_to(tag.start)
        self._mode = Mode.CAPTURE
        self._opening = replace(tag, start=self._read + tag.start)
        self._opening_size = tag.end - tag.start

    def _see_end(self, tag: Tag) -> None:
        if tag.kind is Kind.WITHHOLD:  # the end tag of what is being captured or dropped
            if self._mode is Mode.CAPTURE:
                self._take_up_to(tag.start)
                closing = b"</" + tag.name + b">"
                self._out.append(self._judge_captured(bytes(self._captured) + closing, closing=len(closing)))
            self._emit, self._mode = tag.end, Mode.DROP
        elif self._mode is Mode.CAPTURE:
            self._take_up_to(tag.end)
            self._out.append(self._judge_captured(bytes(self._captured), closing=tag.end - tag.start))
            self._mode = Mode.PASS
        elif tag.kind is Kind.RAW_END or not self._tokenizer.in_text:
            self._emit, self._mode = tag.end, Mode.PASS

    def _give_up_capture(self) -> None:
        opening = self._opening
        assert opening  # noqa: S101  capturing began with it
        self._report_too_large(opening.name, opening.start, "content")
        self._out.append(marker("oversized"))
        self._captured.clear()
        self._mode = Mode.DROP

    def _judge_captured(self, element: bytes, *, closing: int) -> bytes:
        """Return what may leave of a whole captured element, whose last *closing* bytes are its end tag."""
        opening, size = self._opening, self._opening_size
        assert opening  # noqa: S101  capturing began with it
        self._captured.clear()
        self._mode = Mode.PASS
        body = element[size : len(element) - closing]
        if opening.doubtful and b"<" in body:
            self._report_doubtful(opening.name, opening.start)
            return marker("doubtful")
        if opening.name == b"noscript":
            return element[:size] + self._gate_noscript(body, opening.start + size) + element[len(element) - closing :]
        attributes_at = opening.attributes - (opening.end - size)
        attributes = attribute_values(element, attributes_at, size)
        withheld = None
        if opening.name == b"script" and not self._judge.is_inert(attributes):
            withheld = self._judge.script(body, attributes, foreign=opening.foreign)
        if withheld:
            self._report(replace(withheld, element="script", offset=opening.start))
            return marker(withheld.slug)
        if MARK in attributes:
            return without_mark(element, 0, attributes_at, size) + element[size:]
        return element

    def _gate_noscript(self, body: bytes, offset: int) -> bytes:
        """Gate what a browser without scripts reads as markup and any other as text.

        Where the two readings part (something stays open at the end), they would not agree on what follows
        either: then nothing of the content leaves.
        """
        inner = Rewriter(
            self._judge, limit=self._limit, placeholder=self._placeholder, scripting=False,
            report=lambda withheld: self._report(replace(withheld, offset=offset + withheld.offset)),
        )  # fmt: skip
        gated = inner.feed(body)
        if inner.at_rest:
            return gated
        why = "it does not end where a browser without scripts would see its end"
        self._report(Withheld(slug="noscript", rule="noscript", why=why, element="noscript", offset=offset))
        return marker("noscript")


def _withholds_of(judge: Judge, limit: int, document: bytes) -> bool:
    """Return whether anything of a document inside an attribute or an address would be withheld."""
    found: list[Withheld] = []
    inner = Rewriter(judge, limit=limit, report=found.append)
    inner.feed(document)
    inner.close()
    return bool(found)


def marker(slug: str) -> bytes:
    """What stands where something was: never nothing, so that its neighbours cannot join into live markup."""
    return b"<!--privacy:" + slug.encode("ascii", "replace") + b"-->"


def without_mark(buf: bytes, start: int, attributes: int, end: int) -> bytes:
    """Return the tag without its mark and the mark's duplicates, and without joining their neighbours."""
    kept, pos = [], start
    for match in ATTRIBUTES(buf, attributes, end):
        if match[1].lower() != MARK or EQUALS(buf, match.end(), end):
            continue
        spaced = (
            buf[match.end() : match.end() + 1] in b"\t\n\f\r >" and buf[match.start() - 1 : match.start()].isspace()
        )
        kept.append(buf[pos : match.start() - spaced])
        pos = match.end()
    return b"".join((*kept, buf[pos:end]))
