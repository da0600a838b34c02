"""Files that the server was to send past us are read here when they may be pages (ASGI extensions)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from anyio import open_file, to_thread

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

SIZE = 1 << 16  # bytes read at once


async def pieces_of(message: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
    """Yield what a ``pathsend`` or ``zerocopysend`` message would have the server send."""
    if message["type"] == "http.response.zerocopysend":
        async for piece in _described(message["file"], message.get("offset"), message.get("count")):
            yield piece
        return
    async with await open_file(message["path"], "rb") as file:
        while piece := await file.read(SIZE):
            yield piece


async def _described(file: Any, offset: int | None, count: int | None) -> AsyncGenerator[bytes, None]:
    """Read as ``sendfile`` does: *count* bytes from *offset* without moving the descriptor, or from where it stands."""
    descriptor = file if isinstance(file, int) else file.fileno()
    left = SIZE if count is None else count
    while left > 0:
        size = min(SIZE, left)
        if offset is None:
            piece = await to_thread.run_sync(os.read, descriptor, size)
        else:
            piece = await to_thread.run_sync(os.pread, descriptor, size, offset)
            offset += len(piece)
        if not piece:
            return
        yield piece
        left -= len(piece) if count is not None else 0
