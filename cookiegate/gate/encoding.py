"""Compressed bodies are opened, gated and closed again, piece by piece."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 1 << 17  # bytes handed on at once: bounds memory and the time until the event loop runs again


class DecodingError(Exception):
    """A body is not what its Content-Encoding says."""


class Plain:
    """No encoding: pieces in, pieces out."""

    def decode(self, data: bytes, *, final: bool) -> Iterator[bytes]:
        """Yield *data* in pieces of bounded size."""
        del final
        for start in range(0, len(data), PIECE):
            yield data if len(data) <= PIECE else data[start : start + PIECE]

    def encode(self, data: bytes, *, final: bool) -> bytes:
        """Return *data*."""
        del final
        return data


class Zlib:
    """gzip (RFC 1952) and deflate, which some servers send with zlib's frame (RFC 1950) and some without."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._bits = 31 if gzip else 15
        self._opener: zlib._Decompress | None = None
        self._closer: zlib._Compress | None = None
        self._held = b""

    def decode(self, data: bytes, *, final: bool) -> Iterator[bytes]:
        """Yield the decoded pieces; a bomb is yielded in pieces like anything else.

        Raises:
            DecodingError: the bytes are not of this encoding, or end too early.
        """
        data = self._held + data
        self._held = b""
        if self._opener is None and not self._start(data, final=final):
            return
        try:
            yield from self._inflate(data)
        except zlib.error as fault:
            raise DecodingError(str(fault)) from None
        if final and self._opener and not self._opener.eof:
            raise DecodingError("the encoded body ends too early")

    def _start(self, data: bytes, *, final: bool) -> bool:
        """Choose zlib's frame or raw deflate by the first two bytes (RFC 1950 2.2)."""
        if len(data) < 2 and not final:
            self._held = data
            return False
        if not self._gzip and (len(data) < 2 or data[0] & 15 != 8 or (data[0] << 8 | data[1]) % 31):
            self._bits = -15
        self._opener = zlib.decompressobj(self._bits)
        return bool(data)

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while data and self._opener:
            if self._opener.eof:
                if not self._gzip:
                    return  # what follows the end is no part of the body
                self._opener = zlib.decompressobj(self._bits)  # gzip may have several members
            yield self._opener.decompress(data, PIECE)
            data = self._opener.unconsumed_tail or self._opener.unused_data

    def encode(self, data: bytes, *, final: bool) -> bytes:
        """Return *data* encoded, flushed so that a streamed page stays streamed."""
        if self._closer is None:
            self._closer = zlib.compressobj(6, zlib.DEFLATED, self._bits)
        return self._closer.compress(data) + self._closer.flush(zlib.Z_FINISH if final else zlib.Z_SYNC_FLUSH)


CODINGS: dict[bytes, Callable[[], Plain | Zlib]] = {
    b"": Plain,
    b"identity": Plain,
    b"gzip": lambda: Zlib(gzip=True),
    b"x-gzip": lambda: Zlib(gzip=True),
    b"deflate": lambda: Zlib(gzip=False),
}


def coding_for(names: list[bytes]) -> Plain | Zlib | None:
    """Return the codec for the ``Content-Encoding`` values of a response, or None where we have none."""
    listed = [name.strip().lower() for line in names for name in line.split(b",")]
    real = [name for name in listed if name not in {b"", b"identity"}]
    if len(real) > 1 or (real and real[0] not in CODINGS):
        return None
    return CODINGS[real[0] if real else b""]()
