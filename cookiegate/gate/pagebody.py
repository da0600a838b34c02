"""PageBody: the bytes of one page, opened, gated and closed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.gate import page
from cookiegate.gate.body import BodyFinder, forbids_forms
from cookiegate.gate.encoding import DecodingError
from cookiegate.gate.rewriter import Rewriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cookiegate.gate.exchange import Exchange
    from cookiegate.gate.gate import Gate
    from cookiegate.gate.places import Withheld
    from cookiegate.gate.start import Start

MARK = b"\xef\xbb\xbf"  # the longest byte order mark that browsers know


class PageBody:
    """Bytes of the app in, bytes for the visitor out.

    Raises:
        DecodingError: the page cannot be read at all.
    """

    def __init__(self, start: Start, gate: Gate, exchange: Exchange, note: Callable[[Withheld], None]) -> None:
        self._wrapping = start.wrapping()
        self._gate = gate
        self._exchange = exchange
        self._note = note
        self._content = start.content
        self._policies = [value.decode("latin-1") for value in start.values(b"content-security-policy")]
        self._rewriter = self._new_rewriter(start.content.charset)
        self._beginning = b""  # while it is too short
        self.begun = False  # the rewriter has the page's first bytes

    def _new_rewriter(self, charset: str | None) -> Rewriter:
        notice, whole = self._exchange.notice, self._content.form is not page.Form.FRAGMENT
        return Rewriter(
            self._gate.judge(self._exchange, charset or "utf-8"),
            limit=self._gate.site.gate_memory // 3,  # what is held is copied to be judged
            report=self._note,
            banner=notice.banner if notice.asks and whole else None,
            ending=notice.standing_link if notice.appends and whole else None,
            placeholder=notice.placeholder,
            body=BodyFinder(forms_forbidden=any(forbids_forms(policy) for policy in self._policies)),
        )

    def feed(self, body: bytes, *, more: bool) -> Iterator[bytes]:
        """Yield what may leave, piece by piece, once *body* came; nothing, too, so that others get their turn.

        Raises:
            DecodingError: the page turns out to be unreadable.
        """
        for piece in self._wrapping.decode(body, final=not more):
            out = self._gated(piece, final=False)
            yield self._wrapping.encode(out, final=False) if out else b""
        if not more:
            yield self._wrapping.encode(self._gated(b"", final=True), final=True)

    def _gated(self, piece: bytes, *, final: bool) -> bytes:
        """Feed the decoded page to the rewriter, its first bytes only once they can be told from a byte order mark."""
        if not self.begun:
            piece = self._beginning + piece
            if len(piece) < len(MARK) and not final:
                self._beginning = piece
                return b""
            self.begun = True
            self._heed_byte_order_mark(piece)
        if page.hides_markup(piece, self._content.charset):
            raise DecodingError("it has escape bytes, and its Content-Type names no character set")
        return self._rewriter.feed(piece) + (self._rewriter.close() if final else b"")

    def _heed_byte_order_mark(self, start: bytes) -> None:
        """A mark beats every label (WHATWG Encoding 6): UTF-16 is withheld, UTF-8 is what the page is read in."""
        why = page.unreadable(start, self._content.charset)
        if why:
            raise DecodingError(why)
        if start.startswith(MARK) and self._content.charset not in {None, "utf-8"}:
            self._content = page.Content(self._content.form, "utf-8")
            self._rewriter = self._new_rewriter("utf-8")
