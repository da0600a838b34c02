"""Recording: one request on its way to one row, around ``send`` and ``receive``."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from cookiegate.errors import RecordsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from cookiegate.records.log import VisitLog
    from cookiegate.records.visit import Visit

    Message = MutableMapping[str, Any]

LONG = 60.0  # seconds after which a stream gets a row before it ends
_LAST = frozenset(
    {"http.response.body", "http.response.pathsend", "http.response.zerocopysend", "websocket.http.response.body"}
)
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class Recording:
    """Writes the row before the last byte of a body leaves, at a disconnect, at an error, or at a socket's close.

    *row* makes the visit from status, size, duration, stream and finished; *clock* counts seconds. Where a row
    cannot be kept and ``when_full = "refuse"``, the answer is a 503 if nothing has left yet, and breaks off else.
    """

    _start: Message | None = None  # held back where a missing row must be able to turn it into a 503
    _status = _size = _stream = 0
    _done = False

    def __init__(
        self,
        log: VisitLog,
        row: Callable[..., Visit],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._log, self._row, self._clock = log, row, clock
        self._receive, self._send = receive, send
        self._began = clock()
        self._lock = Lock()  # `note_long` comes from another thread

    async def send(self, message: Message) -> None:
        """Pass on one message of the app; the last one only after the row is kept."""
        kind = message["type"]
        if kind in _STARTS:
            self._status = message["status"]
            if self._log.refuses:
                self._start = message
                return
        elif kind == "websocket.accept":
            self._status = 101
        elif kind == "websocket.close":
            self._status = self._status or 403
            with suppress(RecordsError):  # counted; the socket is closed all the same
                await self.finish()
        elif kind in _LAST:
            self._size += _size_of(message)
            if not message.get("more_body", False) and not await self._finish_or_refuse():
                return
        if self._start:
            start, self._start = self._start, None
            await self._send(start)
        await self._send(message)

    async def receive(self) -> Message:
        """Pass on one message of the server; a disconnect ends the visit."""
        message = await self._receive()
        if message["type"] in {"http.disconnect", "websocket.disconnect"} and self._status:
            await self.finish()
        return message

    async def finish(self, *, failed: bool = False) -> None:
        """Keep the row, once. *failed*: the app raised; without a start it counts as a 500.

        Raises:
            RecordsError: it was not kept and ``when_full = "refuse"``.
        """
        if self._done:
            return
        with self._lock:
            if self._done:
                return
            self._done = True
        status = self._status or (500 if failed else 0)
        visit = self._row(
            status=status, size=self._size, duration=self._clock() - self._began, stream=self._stream, finished=True
        )
        if self._log.strict:  # waits for the disk
            await to_thread.run_sync(self._log.record_visit, visit)
        else:
            self._log.record_visit(visit)

    def note_long(self) -> None:
        """Keep a first row of a stream that has run for `LONG` seconds; from any thread, never raises."""
        duration = self._clock() - self._began
        if duration < LONG:
            return
        with self._lock:
            if self._done or self._stream:
                return
            self._stream = secrets.randbits(63) | 1
            row = self._row(
                status=self._status, size=self._size, duration=duration, stream=self._stream, finished=False
            )
            try:
                self._log.record_visit(row)
            except RecordsError:
                self._stream = 0

    async def _finish_or_refuse(self) -> bool:
        """Keep the row; return False where the answer became a 503 instead."""
        try:
            await self.finish()
        except RecordsError:
            if self._start is None:
                raise
            kind = self._start["type"].removesuffix("start")  # of an answer, or of a socket's refusal
            self._start = None
            text = b"This visit cannot be recorded, so it cannot be served. Please try again later."
            headers = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(text)).encode()),
                (b"cache-control", b"no-store"),
                (b"retry-after", b"60"),
            ]
            await self._send({"type": f"{kind}start", "status": 503, "headers": headers})
            await self._send({"type": f"{kind}body", "body": text})
            return False
        return True


def _size_of(message: Message) -> int:
    if "path" in message:  # pathsend
        with suppress(OSError):
            return os.stat(message["path"]).st_size
    return len(message.get("body", b"")) + (message.get("count") or 0)  # zerocopysend may say how many bytes
