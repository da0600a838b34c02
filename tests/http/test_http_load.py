"""Many visitors at once take no more memory for long bodies than for short ones. In full: ``benchmarks/streams.py``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks.streams import CHUNK, peak
from tests.contract.world import gated, http_scope
from tests.http.wire import HTML, whole

if TYPE_CHECKING:
    from starlette.types import Message

VISITORS = 20
MEGABYTE = 2**20


@pytest.mark.parametrize(("kind", "megabytes"), [("download", 10), ("upload", 10), ("page", 1)])
def test_memory_stays_flat_however_long_the_bodies_are(kind: str, megabytes: int) -> None:
    few, _ = peak(kind, VISITORS, 4)
    many, passed = peak(kind, VISITORS, megabytes * MEGABYTE // CHUNK)
    assert passed > 0.9 * VISITORS * megabytes * MEGABYTE
    assert many < 1.2 * few + MEGABYTE
    assert many < VISITORS * MEGABYTE


def test_a_long_page_in_one_piece_lets_others_have_their_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def send(_: Message) -> None:
        """Take it at once, as a server does whose client reads fast."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def run() -> None:
        waiting = asyncio.create_task(others())
        await gated(whole(HTML, b"<p>tea" * 700_000))(http_scope(), receive, send)
        waiting.cancel()

    asyncio.run(run())
    assert turns >= 5
