from __future__ import annotations

import gzip
import sys
import zlib
from collections import deque
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

import brotli
import pytest

from cookiegate.gate import encoding
from cookiegate.gate.encoding import GROWTH, PIECE, WINDOW, DecodingError, Wrapping, wrapping_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = b"<!doctype html><p>x</p>" * 500
RAW = zlib.compressobj(wbits=-15)
BODIES = {
    "gzip": ([b"gzip"], gzip.compress(PAGE)),
    "gzip in two members": ([b"gzip"], gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:])),
    "deflate with a frame": ([b"deflate"], zlib.compress(PAGE)),
    "deflate without": ([b"deflate"], RAW.compress(PAGE) + RAW.flush()),
    "x-gzip, upper case": ([b"X-GZIP"], gzip.compress(PAGE)),
    "deflate with something behind": ([b"deflate"], zlib.compress(PAGE) + b"behind"),
    "br": ([b"br"], brotli.compress(PAGE)),
    "zstd": ([b"zstd"], zstd.compress(PAGE)),
    "zstd in two frames": ([b"zstd"], zstd.compress(PAGE[:100]) + zstd.compress(PAGE[100:])),
    "gzip in br": ([b"gzip, br"], brotli.compress(gzip.compress(PAGE))),
    "gzip in br, over two lines": ([b"gzip", b" br\t"], brotli.compress(gzip.compress(PAGE))),
    "zstd in gzip, with nothing between": ([b"zstd,, identity ,gzip,"], gzip.compress(zstd.compress(PAGE))),
}  # fmt: skip


def decoded(wrapping: Wrapping, body: bytes, size: int) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    read = [b"".join(wrapping.decode(chunk, final=False)) for chunk in chunks]
    return b"".join([*read, *wrapping.decode(b"", final=True)])


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(("lines", "body"), BODIES.values(), ids=BODIES)
def test_a_compressed_body_is_opened_however_it_arrives(lines: list[bytes], body: bytes, size: int) -> None:
    assert decoded(wrapping_of(lines), body, size) == PAGE


@pytest.mark.parametrize(("lines", "body"), BODIES.values(), ids=BODIES)
def test_what_was_opened_is_closed_again_in_the_same_codings(lines: list[bytes], body: bytes) -> None:
    wrapping = wrapping_of(lines)
    opened = decoded(wrapping, body, 1 << 20)
    closed = wrapping.encode(opened[:50], final=False) + wrapping.encode(opened[50:], final=True)
    assert decoded(wrapping_of(lines), closed, 1 << 20) == PAGE


@pytest.mark.parametrize(("lines", "body"), BODIES.values(), ids=BODIES)
def test_what_was_closed_can_be_opened_at_once_so_that_a_stream_stays_one(lines: list[bytes], body: bytes) -> None:
    wrapping, reader = wrapping_of(lines), wrapping_of(lines)
    decoded(wrapping, body, 1 << 20)  # deflate learns its frame from what came
    for line in (b"<p>first", b"<p>second"):
        assert b"".join(reader.decode(wrapping.encode(line, final=False), final=False)) == line


@pytest.mark.parametrize("lines", [[], [b""], [b"identity"]], ids=["no header", "empty", "identity"])
def test_no_coding_passes_bytes_as_they_are(lines: list[bytes]) -> None:
    wrapping = wrapping_of(lines)
    assert decoded(wrapping, PAGE, 100) == PAGE
    assert wrapping.encode(PAGE, final=True) == PAGE


@pytest.mark.parametrize(
    ("lines", "named"),
    [([b"x"], "x"), ([b"snappy, gzip"], "snappy"), ([b"gzip", b"dcb"], "dcb"), ([b"gzip, gzip, br, br"], "gzip, gzip")],
    ids=["unknown", "unknown inside", "unknown outside", "too deep"],
)
def test_a_coding_that_cannot_be_opened_is_named_with_the_remedy(lines: list[bytes], named: str) -> None:
    with pytest.raises(DecodingError, match=f"Content-Encoding '{named}.*send pages unencoded"):
        wrapping_of(lines)


@pytest.mark.parametrize(
    ("coding", "module", "extra"),
    [("br", "brotli", "brotli"), ("zstd", zstd.__name__.partition(".")[0], "zstd")],
    ids=["br", "zstd"],
)
def test_a_coding_whose_library_is_missing_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, coding: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DecodingError, match=rf"Content-Encoding '{coding}' needs pip install .*'cookiegate\[{extra}\]"):
        wrapping_of([coding.encode()])


def test_a_brotli_that_cannot_bound_its_output_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Older:
        """As of brotli 1.1."""

    monkeypatch.setattr(brotli, "Decompressor", Older)
    with pytest.raises(DecodingError, match="needs a newer brotli"):
        wrapping_of([b"br"])


LARGE = 1 << 22


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suspect bombs at a size that is quick to make."""
    monkeypatch.setattr(encoding, "GROWN", LARGE)


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=4),
    "zstd": zstd.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data), quality=4),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_a_broken_body_is_an_error_and_not_half_a_page(coding: str) -> None:
    whole = CODINGS[coding](PAGE)
    for body in (whole[:-6], whole[:5], whole[:1], b"<!doctype html>", b"\x00" * 99):
        with pytest.raises(DecodingError):
            decoded(wrapping_of([coding.encode()]), body, 1 << 20)


@pytest.mark.parametrize("coding", CODINGS)
def test_no_body_at_all_is_an_empty_page(coding: str) -> None:
    wrapping, reader = wrapping_of([coding.encode()]), wrapping_of([coding.encode()])
    assert decoded(wrapping, b"", 1) == b""
    assert decoded(reader, wrapping.encode(b"", final=True), 99) == b""


@pytest.mark.parametrize("coding", CODINGS)
def test_a_large_page_is_handed_on_in_pieces_of_bounded_size(coding: str) -> None:
    packed = CODINGS[coding](bytes(LARGE))
    sizes = [len(piece) for piece in wrapping_of([coding.encode()]).decode(packed, final=True)]
    assert sum(sizes) == LARGE
    assert max(sizes) <= PIECE


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_goes_off_early(coding: str) -> None:
    bomb = CODINGS[coding](bytes(2 * LARGE))
    assert len(bomb) * GROWTH < 2 * LARGE
    pieces = wrapping_of([coding.encode()]).decode(bomb, final=True)
    seen: deque[int] = deque(maxlen=1)
    with pytest.raises(DecodingError, match="200 times"):
        seen.extend(accumulate(len(piece) for piece in pieces))
    assert LARGE <= seen[0] <= LARGE + PIECE


@pytest.mark.usefixtures("soon")
def test_a_bomb_inside_goes_off_though_nothing_comes_of_it() -> None:
    """A deflate stream of empty blocks is packed tight itself, and opens to nothing."""
    inner = b"\x00\x00\x00\xff\xff" * (2 * LARGE // 5)
    with pytest.raises(DecodingError, match="200 times"):
        list(wrapping_of([b"deflate, zstd"]).decode(zstd.compress(inner), final=False))


def test_a_window_that_browsers_would_not_take_is_not_kept_either() -> None:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: WINDOW + 1,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    packer = zstd.ZstdCompressor(options=options)
    body = packer.compress(bytes(100)) + packer.flush()
    with pytest.raises(DecodingError, match="memory"):
        decoded(wrapping_of([b"zstd"]), body, 1 << 20)


@pytest.mark.usefixtures("soon")
def test_codings_on_top_of_each_other_grow_no_more_than_one() -> None:
    member = gzip.compress(b"<p>x" * 1500)  # a hundred times smaller: no bomb by itself
    packed = gzip.compress(member * (LARGE // len(member)))
    sizes: list[int] = []
    with pytest.raises(DecodingError, match="200 times"):
        sizes.extend(len(piece) for piece in wrapping_of([b"gzip, gzip"]).decode(packed, final=True))


def test_a_body_without_a_frame_is_read_to_its_last_byte() -> None:
    for size in range(PIECE, PIECE + 300, 3):
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(b"a" * size) + packer.flush()
        assert sum(len(piece) for piece in wrapping_of([b"deflate"]).decode(packed, final=True)) == size
