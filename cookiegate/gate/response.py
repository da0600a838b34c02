"""ResponseGate: one per response, wraps send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyio import open_file

from cookiegate.gate import page
from cookiegate.gate.body import BodyFinder, forbids_forms
from cookiegate.gate.caching import withheld_headers
from cookiegate.gate.encoding import DecodingError, Plain, Zlib, coding_for
from cookiegate.gate.report import KEPT_THINGS, GatedResponse
from cookiegate.gate.rewriter import Rewriter

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from starlette.types import Send

    from cookiegate.gate.gate import Exchange, Gate
    from cookiegate.gate.places import Withheld

    Message = MutableMapping[str, Any]

MARK_SIZE = 3  # bytes of the longest byte order mark that browsers know
NO_BODY = frozenset({204, 304})  # servers send none; a 205's would leave


class ResponseGate:
    """Passes every ASGI message on in order; what is a page leaves gated.

    The start of a page waits for the first bytes of its body, so that its headers can tell the truth.
    """

    def __init__(self, send: Send, gate: Gate, exchange: Exchange) -> None:
        self._send = send
        self._gate = gate
        self._exchange = exchange
        self._start: Message | None = None  # while it waits
        self._status = 0
        self._content = page.Content(page.Form.OTHER)
        self._unlabelled = b""
        self._rewriter: Rewriter | None = None
        self._coding: Plain | Zlib = Plain()
        self._begun = False  # the rewriter has the page's first bytes
        self._beginning = b""  # while they are too few
        self._ended = False
        self._cut_off = False
        self._withheld: list[Withheld] = []

    async def __call__(self, message: Message) -> None:
        """Gate one message of the app."""
        match message["type"]:
            case "http.response.start":
                await self._on_start(message)
            case "http.response.body":
                await self._on_body(message.get("body", b""), more=message.get("more_body", False))
            case "http.response.pathsend" if self._looks_inside:
                await self._read_file(message["path"])
            case "http.response.zerocopysend" if self._looks_inside:
                await self._withhold("the server was asked to send a page past us (zerocopysend)")
            case _ if self._cut_off:
                pass  # what follows a page that was withheld
            case "http.response.early_hint":
                links = [(b"link", link) for link in message.get("links", ())]
                gated = self._gate.gated_headers(links, self._exchange)
                await self._send({**message, "links": [value for name, value in gated if name == b"link"]})
            case _:
                await self._start_before(message)
                await self._send(message)

    @property
    def _looks_inside(self) -> bool:
        """Whether the body is, or may turn out to be, a page's."""
        return not self._ended and (self._gates or self._content.form is page.Form.UNLABELLED)

    @property
    def _gates(self) -> bool:
        return self._rewriter is not None

    # -- the start

    async def _on_start(self, message: Message) -> None:
        lowered = [(name.lower(), value) for name, value in message.get("headers", ())]
        headers = self._gate.gated_headers(lowered, self._exchange)
        message = {**message, "headers": headers}
        self._content = page.content_of(headers)
        self._start, self._status = message, message["status"]
        if message["status"] in NO_BODY:
            await self._without_body(message)
        elif self._content.form is page.Form.XML:
            await self._release_document()
        elif self._content.form in {page.Form.PAGE, page.Form.FRAGMENT} or self._is_veiled(headers):
            await self._expect_page()
        elif self._content.form is page.Form.OTHER:
            await self._release_start()

    def _is_veiled(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """An unlabelled body that cannot be looked at, for its encoding or because HEAD has none, counts as a page."""
        veiled = self._exchange.method == "HEAD" or any(name == b"content-encoding" for name, _ in headers)
        return self._content.form is page.Form.UNLABELLED and veiled

    async def _release_document(self) -> None:
        """An XML document may run scripts and is not tokenised: it leaves with a policy that limits its hosts."""
        self._content = page.Content(page.Form.OTHER)
        if self._start and not self._gate.observing:
            self._start["headers"] = self._gate.document_headers(self._start["headers"], self._exchange)
        await self._release_start()

    async def _without_body(self, message: Message) -> None:
        """A 304 answers the condition that we translated: it carries this visitor's tag, or it is no page's."""
        self._content = page.Content(page.Form.OTHER)
        if message["status"] == 304 and self._gate.translates(self._exchange) and not self._gate.observing:
            message["headers"] = self._gate.not_modified_headers(message["headers"], self._exchange)
        await self._release_start()

    async def _expect_page(self) -> None:
        """Make ready for a page's body; where it cannot be read, withhold it now."""
        assert self._start  # noqa: S101  set by the caller
        names = [value for name, value in self._start["headers"] if name == b"content-encoding"]
        coding = coding_for(names)
        why = None
        if coding is None:
            why = f"its Content-Encoding {b', '.join(names).decode('latin-1')!r} is none that we can open"
        elif self._start["status"] == 206:
            why = "it is a part of a page (206), which cannot be judged alone"
        elif self._content.charset == "":
            why = page.unreadable(b"", "")
        if why:
            await self._withhold(why)
            return
        self._coding = coding or Plain()
        self._rewriter = self._make_rewriter()
        if self._exchange.method == "HEAD":
            await self._begin_page()

    def _make_rewriter(self) -> Rewriter:
        assert self._start  # noqa: S101  a page's body comes after its start
        notice, whole = self._exchange.notice, self._content.form is not page.Form.FRAGMENT
        policies = [v.decode("latin-1") for n, v in self._start["headers"] if n == b"content-security-policy"]
        return Rewriter(
            self._gate.judge(self._exchange, self._content.charset or "utf-8"),
            limit=self._gate.site.gate_memory // 3,  # what is held is copied to be judged
            report=self._note,
            banner=notice.banner if notice.asks and whole else None,
            ending=notice.standing_link if notice.appends and whole else None,
            placeholder=notice.placeholder,
            body=BodyFinder(forms_forbidden=any(forbids_forms(policy) for policy in policies)),
        )

    def _note(self, thing: Withheld) -> None:
        self._gate.report.withheld(thing)
        if len(self._withheld) < KEPT_THINGS:
            self._withheld.append(thing)

    def _remember(self, note: str = "") -> None:
        """Keep for debug what became of this page."""
        self._gate.report.responses.append(
            GatedResponse(
                time=self._exchange.now,
                method=self._exchange.method,
                path="/".join(self._exchange.path.split("/")[:2]),
                status=self._status,
                note=note,
                withheld=tuple(self._withheld),
            )
        )

    # -- the body

    async def _on_body(self, body: bytes, *, more: bool) -> None:
        if self._ended:
            return
        if self._content.form is page.Form.UNLABELLED and not self._gates:
            body = self._unlabelled + body
            if more and len(body) < page.SNIFF:
                self._unlabelled = body
                return
            if page.looks_like_xml(body):
                await self._release_document()
            elif page.looks_like_html(body):
                await self._expect_page()
            else:
                self._content = page.Content(page.Form.OTHER)
                await self._release_start()
        if not self._gates:
            await self._pass_on(body, more=more)
        elif self._gate.observing:
            await self._observe(body, more=more)
        else:
            await self._on_page(body, more=more)

    async def _pass_on(self, body: bytes, *, more: bool) -> None:
        if not self._ended:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _observe(self, body: bytes, *, more: bool) -> None:
        """Say what would be withheld; every byte passes."""
        try:
            for _ in self._gated(body, more=more):
                pass
        except DecodingError as fault:
            self._gate.report.page(f"its body cannot be decoded: {fault}")
            self._rewriter, self._content = None, page.Content(page.Form.OTHER)
        if self._gates and not more:
            self._remember("observed: nothing was withheld")
        await self._release_start()
        await self._pass_on(body, more=more)

    async def _on_page(self, body: bytes, *, more: bool) -> None:
        if self._exchange.method == "HEAD":
            await self._pass_on(b"", more=more)
            return
        try:
            await self._send_gated(body, more=more)
        except DecodingError as fault:
            await self._withhold(f"its body cannot be read: {fault}")

    async def _send_gated(self, body: bytes, *, more: bool) -> None:
        ready: list[bytes] = []
        size = 0
        for out in self._gated(body, more=more):
            ready.append(out)
            size += len(out)
            if size > self._gate.site.gate_memory:  # a large chunk, or a small one that was packed tight
                await self._begin_page()
                await self._pass_on(b"".join(ready), more=True)
                ready, size = [], 0
        if more and not self._begun:
            return  # too little to tell whether it can be read at all: the start waits, a notice may take its place
        await self._begin_page(None if more else size)
        if not more:
            self._remember()
        if size or not more:
            await self._pass_on(ready[0] if len(ready) == 1 else b"".join(ready), more=more)
        self._ended = not more

    def _gated(self, body: bytes, *, more: bool) -> Iterator[bytes]:
        coding = self._coding
        for piece in coding.decode(body, final=not more):
            out = self._fed(piece, final=False)
            if out:
                yield coding.encode(out, final=False)
        if not more:
            yield coding.encode(self._fed(b"", final=True), final=True)

    def _fed(self, piece: bytes, *, final: bool) -> bytes:
        """Feed the decoded page to the rewriter, its first bytes only once they can be told from a byte order mark."""
        if not self._begun:
            piece = self._beginning + piece
            if len(piece) < MARK_SIZE and not final:
                self._beginning = piece
                return b""
            self._begun = True
            self._heed_byte_order_mark(piece)
        if page.hides_markup(piece, self._content.charset):
            raise DecodingError("it has escape bytes, and its Content-Type names no character set")
        assert self._rewriter  # noqa: S101  the caller saw it
        return self._rewriter.feed(piece) + (self._rewriter.close() if final else b"")

    def _heed_byte_order_mark(self, start: bytes) -> None:
        """A mark beats every label (WHATWG Encoding 6): UTF-16 is withheld, UTF-8 is what the page is read in."""
        why = page.unreadable(start, self._content.charset)
        if why:
            raise DecodingError(why)
        if start.startswith(b"\xef\xbb\xbf") and self._content.charset not in {None, "utf-8"}:
            self._content = page.Content(self._content.form, "utf-8")
            self._rewriter = self._make_rewriter()

    async def _read_file(self, path: str) -> None:
        """Read a page that the server was to send by its path (ASGI extension ``http.response.pathsend``)."""
        async with await open_file(path, "rb") as file:
            while piece := await file.read(1 << 16):
                await self._on_body(piece, more=True)
        await self._on_body(b"", more=False)

    async def _withhold(self, why: str) -> None:
        """Nothing more of the page leaves: a notice page in its place if nothing has left, else its end."""
        self._gate.report.page(why, rest=self._start is None)
        self._remember(why)
        if self._gate.observing:
            self._rewriter, self._content = None, page.Content(page.Form.OTHER)
            await self._release_start()
            return
        notice = b""
        if self._start:
            notice = self._exchange.notice.withheld_page()
            self._start["status"] = 502
            self._start["headers"] = withheld_headers(self._start["headers"], len(notice))
            await self._release_start()
        self._rewriter, self._content = None, page.Content(page.Form.OTHER)
        await self._pass_on(b"" if self._exchange.method == "HEAD" else notice, more=False)
        self._ended = self._cut_off = True

    # -- the waiting start's headers

    async def _begin_page(self, length: int | None = None) -> None:
        """Send the start, if it still waits; *length* where the whole body is in hand."""
        if self._start and not self._gate.observing:
            self._drop(b"content-length")
            if length is not None:
                self._add([(b"content-length", str(length).encode())])
            self._start["headers"] = self._gate.page_headers(self._start["headers"], self._exchange)
        await self._release_start()

    async def _start_before(self, message: Message) -> None:
        """What we do not know keeps its place behind the start."""
        if self._start and message["type"].startswith("http.response."):
            if self._content.form is page.Form.UNLABELLED and not self._gates:
                await self._expect_page()
            await self._begin_page()

    def _drop(self, *names: bytes) -> None:
        if self._start:
            self._start["headers"] = [entry for entry in self._start["headers"] if entry[0] not in names]

    def _add(self, headers: list[tuple[bytes, bytes]]) -> None:
        if self._start and not self._gate.observing:
            self._start["headers"] = [*self._start["headers"], *headers]

    async def _release_start(self) -> None:
        start, self._start = self._start, None
        if start:
            await self._send(start)
