"""Start: the first message of a response, which waits until its headers can tell the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cookiegate.gate import page
from cookiegate.gate.caching import withheld_headers
from cookiegate.gate.encoding import DecodingError, wrapping_of
from cookiegate.gate.page import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from cookiegate.gate.encoding import Wrapping
    from cookiegate.gate.exchange import Exchange
    from cookiegate.gate.gate import Gate

    Header = tuple[bytes, bytes]
    Message = MutableMapping[str, Any]

NO_BODY = frozenset({204, 304})  # servers send none; a 205's would leave
# By these a proxy in front sends a file of its own in place of the body.
HANDED_OVER = frozenset(
    {b"x-accel-redirect", b"x-sendfile", b"x-lighttpd-send-file", b"x-litespeed-location", b"x-reproxy-url"}
)
_OF_ITS_BYTES = frozenset({b"content-md5", b"digest", b"content-digest", b"repr-digest", b"unencoded-digest", b"etag"})


class Start:
    """Says what the body is, and lets the headers say so; while the gate observes they stay as they are.

    *form* is what becomes of the body; *content* adds the character set.
    """

    def __init__(self, message: Message, gate: Gate, exchange: Exchange) -> None:
        self._gate = gate
        self._exchange = exchange
        self.headers = gate.gated_headers(lowered(message), exchange)
        self.status: int = message["status"]
        self._message = message
        self.content = page.content_of(self.headers)
        self.form = self._form()
        if self.status == 304 and gate.translates(exchange) and not gate.observing:
            # It answers the condition that we translated, so it carries this visitor's tag.
            self.headers = gate.not_modified_headers(self.headers, exchange)

    def _form(self) -> Form:
        if self.status in NO_BODY:
            return Form.PAGE if self._crosses else Form.OTHER
        veiled = self._exchange.method == "HEAD" or self.values(b"content-encoding") or self._handed_over
        if self.content.form is Form.UNLABELLED and veiled:
            return Form.PAGE  # nobody can look at what a browser will find in it
        return self.content.form

    @property
    def _handed_over(self) -> bytes:
        """The header by which a proxy is told to send the page, past us; empty if none is."""
        return next((name for name, _ in self.headers if name in HANDED_OVER), b"")

    @property
    def _crosses(self) -> bool:
        return self.status == 304 and self._gate.crosses(self._exchange)

    @property
    def message(self) -> Message:
        """The message as it may leave."""
        return {**self._message, "headers": self.headers}

    def values(self, wanted: bytes) -> list[bytes]:
        """Return the values of all lines of one header."""
        return [value for name, value in self.headers if name == wanted]

    def wrapping(self) -> Wrapping:
        """Return how the page's body is encoded.

        Raises:
            DecodingError: the page cannot be read at all, and why.
        """
        if self._crosses:
            raise DecodingError("it is a 304 without having been asked: whose page it confirms nobody knows")
        wrapping = wrapping_of(self.values(b"content-encoding"))
        if self.status == 206:
            raise DecodingError("it is a part of a page (206), which cannot be judged alone")
        if name := self._handed_over:
            raise DecodingError(
                f"a proxy is asked to send it past us ({name.decode()}): let the app send it, or say its Content-Type"
            )
        if self.content.charset == "" and (why := page.unreadable(b"", "")):
            raise DecodingError(why)
        return wrapping

    def for_page(self, length: int | None) -> None:
        """A gated page follows, of *length* bytes where that is known."""
        if self._gate.observing:
            return
        self._drop({b"content-length"})
        if length is not None and not self.values(b"transfer-encoding"):  # both is one too many (RFC 9112, 6.2)
            self.headers.append((b"content-length", str(length).encode()))
        self._tell_page()

    def for_document(self) -> None:
        """An XML document follows: it may run scripts and is not tokenised, so a policy limits its hosts."""
        if not self._gate.observing:
            self.headers = self._gate.document_headers(self.headers, self._exchange)

    def for_notice(self, notice: bytes) -> bytes:
        """Our own page follows in place of one that cannot be read; return it. A redirect goes on without a body."""
        redirects = self.status != 304 and 300 <= self.status < 400 and bool(self.values(b"location"))
        notice = b"" if redirects else notice
        self._drop(HANDED_OVER)
        self.headers = withheld_headers(self.headers, len(notice))
        if redirects:
            self._drop({b"content-type"})
        else:
            self._message = {**self._message, "status": 502}
        return notice

    def _tell_page(self) -> None:
        if not self._gate.observing:
            self.headers = self._gate.page_headers(self.headers, self._exchange)

    def _drop(self, names: Iterable[bytes]) -> None:
        self.headers = [entry for entry in self.headers if entry[0] not in names]


def lowered(message: Message) -> list[Header]:
    """Return a message's headers with their names in lower case, as ASGI has them."""
    return [(name.lower(), value) for name, value in message.get("headers", ())]


def without_digests(headers: Iterable[Header]) -> list[Header]:
    """Return trailers without what is no longer true of a body that was gated."""
    return [entry for entry in headers if entry[0] not in _OF_ITS_BYTES]
