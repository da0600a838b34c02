"""ResponseGate: one per response, wraps send."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from anyio.lowlevel import checkpoint

from cookiegate.gate import page
from cookiegate.gate.encoding import DecodingError
from cookiegate.gate.files import pieces_of
from cookiegate.gate.page import Form
from cookiegate.gate.pagebody import PageBody
from cookiegate.gate.report import KEPT_THINGS, GatedResponse
from cookiegate.gate.start import Start, lowered, without_digests

if TYPE_CHECKING:
    from starlette.types import Message, Send

    from cookiegate.gate.exchange import Exchange
    from cookiegate.gate.gate import Gate
    from cookiegate.gate.places import Withheld


TURN = 4  # pieces of a page after which others get their turn: some milliseconds


class ResponseGate:
    """Passes every ASGI message on in order; what is a page leaves gated.

    The start of a page waits for the first bytes of its body, so that its headers can tell the truth.
    """

    # How it begins; most responses are no page and keep to this.
    _start: Start | None = None  # while it waits
    _status = 0
    _form = Form.OTHER
    _passes = False  # the start left, and what follows is no page's
    _unlabelled = b""  # while it may turn out to be a page
    _page: PageBody | None = None  # while the body is one
    _ended = False
    _cut_off = False

    def __init__(self, send: Send, gate: Gate, exchange: Exchange) -> None:
        self._send = send
        self._gate = gate
        self._exchange = exchange
        self._withheld: list[Withheld] = []

    async def __call__(self, message: Message) -> None:
        """Gate one message of the app."""
        if self._passes and message["type"] == "http.response.body":
            await self._send(message)
            return
        match message["type"]:
            case "http.response.start":
                await self._on_start(message)
            case "http.response.body":
                await self._on_body(message.get("body", b""), more=message.get("more_body", False))
            case "http.response.pathsend" | "http.response.zerocopysend" if self._looks_inside:
                await self._on_file(message)
            case "http.response.trailers":
                await self._on_trailers(message)
            case _ if self._cut_off:
                pass  # what follows a page that was withheld
            case "http.response.early_hint":
                await self._on_early_hint(message)
            case _:
                await self._start_before(message)
                await self._send(message)

    @property
    def _looks_inside(self) -> bool:
        """Whether the body is, or may turn out to be, a page's."""
        return not self._ended and (self._page is not None or self._form is Form.UNLABELLED)

    # -- the start

    async def _on_start(self, message: Message) -> None:
        start = Start(message, self._gate, self._exchange)
        self._passes = start.form is Form.OTHER
        if self._passes:
            await self._send(start.message)
            return
        self._start, self._status, self._form = start, start.status, start.form
        if self._form is Form.XML:
            await self._release_document(start)
        elif self._form is not Form.UNLABELLED:
            await self._expect_page(start)

    async def _release_document(self, start: Start) -> None:
        self._form = Form.OTHER
        start.for_document()
        await self._release_start()

    async def _expect_page(self, start: Start) -> None:
        """Make ready for a page's body; where it cannot be read, withhold it now."""
        self._form = Form.PAGE
        try:
            self._page = PageBody(start, self._gate, self._exchange, self._note)
        except DecodingError as fault:
            await self._withhold(str(fault))
            return
        if self._exchange.method == "HEAD":
            await self._begin_page()

    async def _begin_page(self, length: int | None = None) -> None:
        """Send the start, if it still waits; *length* where the whole body is in hand."""
        if self._start:
            self._start.for_page(length)
        await self._release_start()

    async def _release_start(self) -> None:
        start, self._start = self._start, None
        if start:
            await self._send(start.message)

    # -- the body

    async def _on_body(self, body: bytes, *, more: bool) -> None:
        if self._ended:
            return
        held, self._unlabelled = self._unlabelled, b""
        body = held + body
        if self._start and self._form is Form.UNLABELLED:
            if more and len(body) < page.SNIFF:
                self._unlabelled = body
                return
            await self._sniff(self._start, body)
        if self._page is None:
            await self._pass_on(body, more=more)
        elif self._gate.observing:
            await self._observe(self._page, body, more=more)
        elif self._exchange.method == "HEAD":
            await self._pass_on(b"", more=more)
        else:
            await self._on_page(self._page, body, more=more)

    async def _sniff(self, start: Start, body: bytes) -> None:
        """Decide what a body without a label is, as browsers do by its first bytes."""
        self._form = Form.OTHER
        if page.looks_like_xml(body):
            await self._release_document(start)
        elif page.looks_like_html(body):
            await self._expect_page(start)
        else:
            await self._release_start()

    async def _pass_on(self, body: bytes, *, more: bool) -> None:
        if not self._ended:
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _observe(self, content: PageBody, body: bytes, *, more: bool) -> None:
        """Say what would be withheld; every byte passes."""
        try:
            for number, _ in enumerate(content.feed(body, more=more)):
                if number % TURN == TURN - 1:
                    await checkpoint()
        except DecodingError as fault:
            self._gate.report.page(f"its body cannot be decoded: {fault}")
            self._page = None
        if self._page and not more:
            self._remember("observed: nothing was withheld")
        await self._release_start()
        await self._pass_on(body, more=more)

    async def _on_page(self, content: PageBody, body: bytes, *, more: bool) -> None:
        try:
            await self._send_gated(content, body, more=more)
        except DecodingError as fault:
            await self._withhold(f"its body cannot be read: {fault}")

    async def _send_gated(self, content: PageBody, body: bytes, *, more: bool) -> None:
        ready: list[bytes] = []
        size = 0
        for number, out in enumerate(content.feed(body, more=more)):
            if number % TURN == TURN - 1:
                await checkpoint()
            ready.append(out)
            size += len(out)
            if size > self._gate.site.gate_memory:  # a large chunk, or a small one that was packed tight
                await self._begin_page()
                await self._pass_on(b"".join(ready), more=True)
                ready, size = [], 0
        if more and not content.begun:
            return  # too little to tell whether it can be read at all: the start waits, a notice may take its place
        await self._begin_page(None if more else size)
        if not more:
            self._remember()
        if size or not more:
            await self._pass_on(ready[0] if len(ready) == 1 else b"".join(ready), more=more)
        self._ended = not more

    async def _on_file(self, message: Message) -> None:
        """Read a page that the server was to send past us."""
        async with aclosing(pieces_of(message)) as pieces:
            async for piece in pieces:
                await self._on_body(piece, more=True)
                if self._ended:
                    return
        await self._on_body(b"", more=message.get("more_body", False))

    # -- what stands beside start and body

    async def _on_early_hint(self, message: Message) -> None:
        links = [(b"link", link) for link in message.get("links", ())]
        allowed = self._gate.allowed_headers(links, self._exchange)
        await self._send({**message, "links": [value for _, value in allowed]})

    async def _on_trailers(self, message: Message) -> None:
        """What was announced by the start comes, without what is no longer true; empty behind a cut."""
        await self._start_before(message)
        headers = self._gate.allowed_headers(lowered(message), self._exchange)
        if self._form is Form.PAGE and not self._gate.observing:
            headers = [] if self._cut_off else without_digests(headers)
        await self._send({**message, "headers": headers})

    async def _start_before(self, message: Message) -> None:
        """What we do not know keeps its place behind the start."""
        if self._start and message["type"].startswith("http.response."):
            if self._form is Form.UNLABELLED:
                await self._expect_page(self._start)
            await self._begin_page()

    # -- what becomes of a page

    async def _withhold(self, why: str) -> None:
        """Nothing more of the page leaves: a notice page in its place if nothing has left, else its end."""
        self._gate.report.page(why, rest=self._start is None)
        self._remember(why)
        self._page = None
        if self._gate.observing:
            await self._release_start()
            return
        notice = b""
        if self._start:
            notice = self._start.for_notice(self._exchange.notice.withheld_page())
            await self._release_start()
        await self._pass_on(b"" if self._exchange.method == "HEAD" else notice, more=False)
        self._ended = self._cut_off = True

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
