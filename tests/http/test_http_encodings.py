"""Whatever coding a page comes in, it is gated, and what leaves can be opened as it says (RFC 9110 8.4)."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Final

import brotli
import pytest

from tests.contract.world import META, PAGE, drive, http_scope
from tests.http.states import lines_of
from tests.http.wire import HTML, JSON, Seen, lawful, part, stage, start, whole, zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY: Final = PAGE.replace("</h1>", "</h1>" + "<p>Ujeon is picked in April.</p>" * 300).encode()
BARE: Final = stage().asked(whole(HTML, BODY), lines_of("analytics")).body


def raw(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw deflate": raw,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "identity": bytes,
}
CODINGS: Final = {
    "gzip": (["gzip"], [b"gzip"]),
    "upper case": (["gzip"], [b"GZIP"]),
    "old name": (["x-gzip"], [b"x-gzip"]),
    "deflate": (["deflate"], [b"deflate"]),
    "deflate, the other kind": (["raw deflate"], [b"deflate"]),
    "br": (["br"], [b"br"]),
    "zstd": (["zstd"], [b"zstd"]),
    "three on top of each other": (["zstd", "deflate", "br"], [b"zstd, deflate", b"br"]),
    "two on top of each other": (["gzip", "br"], [b"gzip, br"]),
    "two lines": (["deflate", "gzip"], [b"deflate", b"gzip"]),
    "empty elements": (["gzip"], [b",gzip , ,"]),
    "identity": (["identity"], [b"identity"]),
    "identity and gzip": (["gzip"], [b"identity, gzip"]),
}


def packed(codings: list[str]) -> bytes:
    body = BODY
    for coding in codings:
        body = PACKERS[coding](body)
    return body


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def tag(seen: Seen) -> str:
    return seen.header("etag")


@pytest.mark.parametrize(("codings", "lines"), CODINGS.values(), ids=CODINGS)
def test_a_packed_page_is_gated_and_can_be_opened_as_it_says(codings: list[str], lines: list[bytes]) -> None:
    body = packed(codings)
    told = [*HTML, (b"etag", b'"v1"'), *((b"content-encoding", line) for line in lines)]
    for size in (len(body), 97, 3):
        seen = stage().asked(whole(told, *cut(body, size)), lines_of("analytics"))
        assert seen.plain == BARE
        assert META.encode() not in BARE
        encoded_anew = seen.header("content-encoding") not in {"", "identity"}
        assert not encoded_anew or tag(seen).startswith("W/"), "two runs of a packer need not give the same bytes"


@pytest.mark.parametrize(
    "line", [b"x-snappy", b"gzip, x-snappy", b"compress", b"aes128gcm", b"dcb", b"gzip;q=1", b"\xff"]
)
def test_a_page_in_an_unknown_coding_is_withheld(line: bytes) -> None:
    for body in (BODY, gzip.compress(BODY)):
        seen = stage().asked(whole([*HTML, (b"content-encoding", line)], body), lines_of("analytics"))
        assert seen.status == 502
        assert b"Ujeon" not in seen.plain
        assert "no-store" in seen.words("cache-control")
        assert not seen.all("content-encoding")


@pytest.mark.parametrize("line", [b"gzip", b"br", b"deflate", b"x-snappy"])
def test_what_is_no_page_keeps_its_coding_and_its_bytes(line: bytes) -> None:
    told = [*JSON, (b"content-encoding", line), (b"etag", b'"v1"')]
    seen = stage().asked(whole(told, b"any bytes \x00\xff"), lines_of("refused"))
    assert (seen.body, seen.lines) == (b"any bytes \x00\xff", told)


async def _call(app: ASGIApp, scope: Scope, send: Send) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await app(scope, receive, send)


def bombs() -> dict[str, tuple[bytes, bytes]]:
    zeros = bytes(24 * 2**20)
    flat = gzip.compress(zeros)
    return {
        "gzip": (b"gzip", flat),
        "gzip in gzip": (b"gzip, gzip", gzip.compress(gzip.compress(zeros))),
        "br": (b"br", brotli.compress(zeros, quality=1)),
        "zstd": (b"zstd", zstd.compress(zeros)),
        "deflate": (b"deflate", zlib.compress(zeros)),
        "many members": (b"gzip", gzip.compress(bytes(2**20)) * 24),
        "a comment that never ends": (b"gzip", gzip.compress(b"<!doctype html><!--" + zeros)),
    }


@pytest.mark.parametrize("how", ["whole", "in pieces"])
def test_a_bomb_never_fills_the_memory(how: str) -> None:
    """It leaves piece by piece or is withheld: what is never done is to hold all of it."""
    for name, (line, bomb) in bombs().items():
        left = 0

        async def send(message: Message) -> None:
            nonlocal left
            left += len(message.get("body", b""))

        async def app(scope: Scope, receive: Receive, send: Send, line: bytes = line, bomb: bytes = bomb) -> None:
            await send(start([*HTML, (b"content-encoding", line)]))
            for chunk in [bomb] if how == "whole" else cut(bomb, 4096):
                await send(part(chunk, more=True))
            await send(part(b""))

        gate = stage().with_(app)
        scope = {**http_scope(), "headers": [(b"host", b"shop.test"), *lines_of("refused")]}
        tracemalloc.start()
        asyncio.run(_call(gate, scope, send))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12 * 2**20, (name, peak)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_body_that_breaks_off_or_lies_about_its_coding_carries_nothing_out(coding: str) -> None:
    body = PACKERS[coding](BODY)
    broken = {
        "cut": body[: len(body) // 2],
        "flipped": body[:40] + bytes([body[40] ^ 255]) + body[41:],
        "not packed": BODY,
    }
    for chunk in broken.values():
        for size in (len(chunk), 11):
            sent = drive(
                stage().with_(whole([*HTML, (b"content-encoding", coding.encode())], *cut(chunk, size))),
                {**http_scope(), "headers": [(b"host", b"shop.test"), *lines_of("refused")]},
            )
            seen = lawful(sent)
            assert b"googletagmanager" not in opened(seen)


def opened(seen: Seen) -> bytes:
    """As much as a browser can read of it."""
    coding = seen.header("content-encoding")
    if coding == "br":
        return bytes(brotli.Decompressor().process(seen.body))
    if not coding:
        return seen.body
    return zlib.decompressobj(47).decompress(seen.body)
