from __future__ import annotations

import gzip
import zlib

import pytest

from cookiegate.gate.encoding import PIECE, DecodingError, Plain, Zlib, coding_for

PAGE = b"<!doctype html><p>x</p>" * 500
RAW = zlib.compressobj(wbits=-15)
BODIES = {
    "gzip": ([b"gzip"], gzip.compress(PAGE)),
    "gzip in two members": ([b"gzip"], gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:])),
    "deflate with a frame": ([b"deflate"], zlib.compress(PAGE)),
    "deflate without": ([b"deflate"], RAW.compress(PAGE) + RAW.flush()),
    "x-gzip, upper case": ([b"X-GZIP"], gzip.compress(PAGE)),
}


def decoded(coding: Plain | Zlib, body: bytes, size: int) -> bytes:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    read = [b"".join(coding.decode(chunk, final=False)) for chunk in chunks]
    return b"".join([*read, *coding.decode(b"", final=True)])


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(("names", "body"), BODIES.values(), ids=BODIES)
def test_a_compressed_body_is_opened_however_it_arrives(names: list[bytes], body: bytes, size: int) -> None:
    coding = coding_for(names)
    assert coding is not None
    assert decoded(coding, body, size) == PAGE


@pytest.mark.parametrize(("names", "body"), BODIES.values(), ids=BODIES)
def test_what_was_opened_is_closed_again_in_the_same_coding(names: list[bytes], body: bytes) -> None:
    coding, reader = coding_for(names), coding_for(names)
    assert coding is not None
    assert reader is not None
    opened = decoded(coding, body, 1 << 20)
    closed = coding.encode(opened[:50], final=False) + coding.encode(opened[50:], final=True)
    assert decoded(reader, closed, 1 << 20) == PAGE


@pytest.mark.parametrize("names", [[], [b""], [b"identity"]], ids=["no header", "empty", "identity"])
def test_no_coding_passes_bytes_as_they_are(names: list[bytes]) -> None:
    coding = coding_for(names)
    assert coding is not None
    assert decoded(coding, PAGE, 100) == PAGE
    assert coding.encode(PAGE, final=True) == PAGE


@pytest.mark.parametrize("names", [[b"br"], [b"zstd"], [b"gzip, br"], [b"gzip", b"gzip"], [b"x"]], ids=ascii)
def test_a_coding_that_cannot_be_opened_is_none(names: list[bytes]) -> None:
    assert coding_for(names) is None


@pytest.mark.parametrize("body", [gzip.compress(PAGE)[:-20], b"<!doctype html>", gzip.compress(PAGE)[:5]], ids=ascii)
def test_a_broken_body_is_an_error_and_not_half_a_page(body: bytes) -> None:
    coding = coding_for([b"gzip"])
    assert coding is not None
    with pytest.raises(DecodingError):
        decoded(coding, body, 1 << 20)


def test_a_bomb_is_handed_on_in_pieces_of_bounded_size() -> None:
    coding = coding_for([b"gzip"])
    assert coding is not None
    sizes = [len(piece) for piece in coding.decode(gzip.compress(bytes(20 << 20)), final=True)]
    assert sum(sizes) == 20 << 20
    assert max(sizes) <= PIECE
