"""Compressed bodies are opened, gated and closed again, piece by piece (RFC 9110 8.4)."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PIECE = 1 << 17  # bytes handed on at once: bounds memory and the time until the event loop runs again
FED = 1 << 14  # bytes that a decoder is given at once: what it leaves over is copied
DEEPEST = 3  # codings of one body
GROWTH = 200  # a body may grow so many times its size …
GROWN = 1 << 26  # … once it is larger than this; real pages grow tenfold
WINDOW = 23  # log2 of the bytes that a zstd decoder may look back on (RFC 9659 3)


class DecodingError(Exception):
    """A body is not what its Content-Encoding says, or it says what we cannot open."""


class Coding(Protocol):
    """One compression of one body, both ways."""

    fault: type[Exception]  # raised by `open` when the bytes are none of this coding

    @property
    def complete(self) -> bool:
        """Whether nothing is missing at the end."""
        ...

    def open(self, data: bytes) -> Iterator[bytes]:
        """Yield decoded pieces of bounded size."""
        ...

    def close(self, data: bytes, *, final: bool) -> bytes:
        """Return *data* encoded, flushed so that a streamed page stays streamed."""
        ...


class Wrapping:
    """All codings of one body, in the order in which they were applied."""

    def __init__(self, codings: Sequence[Coding]) -> None:
        self._codings = codings
        self._layers = [_Layer(coding) for coding in reversed(codings)]
        self._came = 0  # bytes of the body as it was sent

    def decode(self, data: bytes, *, final: bool) -> Iterator[bytes]:
        """Yield the decoded pieces, each of bounded size.

        Raises:
            DecodingError: the bytes are not of these codings, end too early, or are packed too tight.
        """
        self._came += len(data)
        return self._decoded(data, 0, final=final)

    def _decoded(self, data: bytes, depth: int, *, final: bool) -> Iterator[bytes]:
        if depth == len(self._layers):
            yield from _cut(data, PIECE)
            return
        layer = self._layers[depth]
        for piece in layer.open(data, self._came):
            yield from self._decoded(piece, depth + 1, final=False)
        if final:
            layer.end()
            yield from self._decoded(b"", depth + 1, final=True)

    def encode(self, data: bytes, *, final: bool) -> bytes:
        """Return *data* wrapped again as the body was, so that its Content-Encoding stays true."""
        for coding in self._codings:
            data = coding.close(data, final=final)
        return data


class _Layer:
    """Opens one coding, and sees that the body does not grow beyond measure: codings on each other multiply."""

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._taken = False
        self._given = 0

    def open(self, data: bytes, came: int) -> Iterator[bytes]:
        for part in _cut(data, FED):
            self._taken = True
            try:
                for piece in self._coding.open(part):
                    self._given += len(piece)
                    yield piece
                    if self._given > max(GROWN, came * GROWTH):
                        raise DecodingError(f"it grows to more than {GROWTH} times its size")
            except self._coding.fault as fault:
                raise DecodingError(str(fault)) from None

    def end(self) -> None:
        if self._taken and not self._coding.complete:  # nothing at all is an empty page, as of a redirect
            raise DecodingError("the encoded body ends too early")


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data if len(data) <= size else data[start : start + size]


class _Zlib:
    """gzip (RFC 1952) and deflate, which some servers send with zlib's frame (RFC 1950) and some without."""

    fault: type[Exception] = zlib.error

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._bits = 31 if gzip else 15
        self._opener: zlib._Decompress | None = None
        self._closer: zlib._Compress | None = None
        self._held = b""

    @property
    def complete(self) -> bool:
        return self._opener is not None and self._opener.eof

    def open(self, data: bytes) -> Iterator[bytes]:
        data = self._held + data
        if self._opener is None:
            if len(data) < 2:
                self._held = data
                return
            self._held = b""
            if not self._gzip and (data[0] & 15 != 8 or (data[0] << 8 | data[1]) % 31):
                self._bits = -15  # zlib's frame would begin otherwise (RFC 1950 2.2)
            self._opener = zlib.decompressobj(self._bits)
        while data:
            if self._opener.eof:
                if not self._gzip:
                    return  # what follows the end is no part of the body
                self._opener = zlib.decompressobj(self._bits)  # gzip may have several members
            piece = self._opener.decompress(data, PIECE)
            yield piece
            data = self._opener.unconsumed_tail or self._opener.unused_data
            while len(piece) == PIECE and not data and not self._opener.eof:  # it may hold back what is left
                piece = self._opener.decompress(b"", PIECE)
                yield piece

    def close(self, data: bytes, *, final: bool) -> bytes:
        if self._closer is None:
            self._closer = zlib.compressobj(6, zlib.DEFLATED, self._bits)
        return self._closer.compress(data) + self._closer.flush(zlib.Z_FINISH if final else zlib.Z_SYNC_FLUSH)


class _Brotli:
    """br (RFC 7932). A window of at most 16 MiB is kept while a page is read."""

    def __init__(self) -> None:
        try:
            import brotli
        except ImportError:
            raise DecodingError(_remedy("br", "brotli", "needs")) from None
        if not hasattr(brotli.Decompressor, "can_accept_more_data"):  # before 1.2: a bomb would fill the memory
            raise DecodingError(_remedy("br", "brotli", "needs a newer brotli:"))
        self.fault: type[Exception] = brotli.error
        self._opener = brotli.Decompressor()
        self._closer = brotli.Compressor(mode=brotli.MODE_TEXT, quality=4)

    @property
    def complete(self) -> bool:
        return bool(self._opener.is_finished())

    def open(self, data: bytes) -> Iterator[bytes]:
        piece = self._opener.process(data, output_buffer_limit=PIECE // 2)  # its buffers may grow to twice that
        while piece or not self._opener.can_accept_more_data():
            yield piece
            piece = self._opener.process(b"", output_buffer_limit=PIECE // 2)

    def close(self, data: bytes, *, final: bool) -> bytes:
        packed: bytes = self._closer.process(data) + (self._closer.finish() if final else self._closer.flush())
        return packed


class _Zstd:
    """zstd (RFC 8878), with no larger window than browsers take (RFC 9659)."""

    def __init__(self) -> None:
        try:
            if sys.version_info >= (3, 14):
                from compression import zstd  # pragma: no cover  since 3.14 it comes with Python
            else:
                from backports import zstd
        except ImportError:
            raise DecodingError(_remedy("zstd", "zstd", "needs")) from None
        self.fault: type[Exception] = zstd.ZstdError
        self._zstd: Any = zstd
        self._opener: Any = None
        self._closer = zstd.ZstdCompressor()

    @property
    def complete(self) -> bool:
        return self._opener is not None and bool(self._opener.eof)

    def open(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._opener is None or self._opener.eof:  # there may be several frames
                options = {self._zstd.DecompressionParameter.window_log_max: WINDOW}
                self._opener = self._zstd.ZstdDecompressor(options=options)
            yield self._opener.decompress(data, PIECE)
            while not self._opener.eof and not self._opener.needs_input:
                yield self._opener.decompress(b"", PIECE)
            data = self._opener.unused_data if self._opener.eof else b""

    def close(self, data: bytes, *, final: bool) -> bytes:
        mode = self._zstd.ZstdCompressor.FLUSH_FRAME if final else self._zstd.ZstdCompressor.FLUSH_BLOCK
        packed: bytes = self._closer.compress(data, mode)
        return packed


def _remedy(coding: str, extra: str, verb: str) -> str:
    return f"its Content-Encoding {coding!r} {verb} pip install --upgrade 'cookiegate[{extra}]'"


_CODINGS: dict[bytes, Callable[[], Coding]] = {
    b"gzip": lambda: _Zlib(gzip=True),
    b"x-gzip": lambda: _Zlib(gzip=True),
    b"deflate": lambda: _Zlib(gzip=False),
    b"br": _Brotli,
    b"zstd": _Zstd,
}


def wrapping_of(lines: Sequence[bytes]) -> Wrapping:
    """Return how the ``Content-Encoding`` lines of a response say that its body is wrapped.

    Raises:
        DecodingError: by what we cannot open; the sentence names it and the remedy.
    """
    named = [name.strip(b" \t").lower() for line in lines for name in line.split(b",")]
    names = [name for name in named if name not in {b"", b"identity"}]
    unknown = [name for name in names if name not in _CODINGS]
    if unknown or len(names) > DEEPEST:
        said = b", ".join(unknown or names).decode("latin-1")
        raise DecodingError(
            f"its Content-Encoding {said!r} is none that we can open: "
            "send pages unencoded, and compress them outside of cookiegate"
        )
    return Wrapping([_CODINGS[name]() for name in names])
