"""The Cookie header, byte for byte, as browsers send it and not as libraries tidy it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class SentCookie(NamedTuple):
    """One ``name=value`` of a request; *pair* is the whole of it."""

    name: bytes
    value: bytes
    pair: bytes


def sent_cookies(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[SentCookie]:
    """Yield the cookies of all ``Cookie`` headers, in order.

    Split on ``;`` and trimmed of space and tab only (RFC 6265bis 5.6): a parser that strips more would read a
    planted ``\\xA0__Host-privacy`` as ours. A pair without ``=`` is a value without a name.
    """
    for header, line in headers:
        if header != b"cookie":
            continue
        for piece in line.split(b";"):
            pair = piece.strip(b" \t")
            name, equals, value = pair.partition(b"=")
            if not equals:
                name, value = b"", pair
            if pair:
                yield SentCookie(name.rstrip(b" \t"), value.lstrip(b" \t"), pair)
