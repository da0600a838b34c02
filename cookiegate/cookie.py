"""The Cookie header, byte for byte, as browsers send it and not as libraries tidy it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEMBERED_LENGTH = 4096  # bytes of a line that may be kept in memory


class SentCookie(NamedTuple):
    """One ``name=value`` of a request; *pair* is the whole of it."""

    name: bytes
    value: bytes
    pair: bytes


def sent_cookies(line: bytes) -> tuple[SentCookie, ...]:
    """Return the cookies of a ``Cookie`` header, in order.

    Split on ``;`` and trimmed of space and tab only (RFC 6265bis 5.6): a parser that strips more would read a
    planted ``\\xA0__Host-privacy`` as ours. A pair without ``=`` is a value without a name.
    """
    return _seen_before(line) if len(line) <= REMEMBERED_LENGTH else tuple(_split(line))


@lru_cache(maxsize=1024)
def _seen_before(line: bytes) -> tuple[SentCookie, ...]:
    return tuple(_split(line))


def _split(line: bytes) -> Iterator[SentCookie]:
    for piece in line.split(b";"):
        pair = piece.strip(b" \t")
        name, equals, value = pair.partition(b"=")
        if not equals:
            name, value = b"", pair
        if pair:
            yield SentCookie(name.rstrip(b" \t"), value.lstrip(b" \t"), pair)
