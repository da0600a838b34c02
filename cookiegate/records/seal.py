"""Seal: tamper evidence over batches of frames. Bytes in, bytes out.

frame ─▶ leaf ─▶ Merkle root of a batch ─▶ seal: signed, bound to its writer and day, names the seal before it

Leaves and nodes are SHA-256 as in RFC 6962, 2.1. A seal is, little-endian: version (1 byte), number (4, from 1), first
byte and the byte after the last (8 each), rows (4), time (8, seconds since 1970), root (32), hash of the seal before
(32), a mark for each row (the first 4 bytes of its leaf), Ed25519 signature (64). The root protects; the marks only
tell where a batch that does not fit its root differs.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Sign = Callable[[bytes], bytes]

VERSION = 1
NOTHING = bytes(32)  # the hash before the first
MARK = 4
_HEAD = struct.Struct("<BIQQId32s32s")
_SIGNATURE = 64


def leaf(frame: bytes) -> bytes:
    """Return the hash of one frame."""
    return sha256(b"\0" + frame).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle root of *leaves*; a node without a neighbour rises as it is."""
    level = list(leaves)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + level[len(level) & ~1 :]
    return level[0] if level else NOTHING


@dataclass(frozen=True, slots=True)
class Seal:
    """One batch of one writer's rows, sealed: bytes *begin* to *end* of the segment. *head* is the seal's own hash."""

    number: int
    begin: int
    end: int
    at: float
    root: bytes
    before: bytes
    marks: bytes
    signature: bytes
    head: bytes

    @classmethod
    def over(cls, leaves: Sequence[bytes], chain: Chain, end: int, *, at: float, sign: Sign) -> tuple[Seal, bytes]:
        """Return the seal that continues *chain* to byte *end*, and its bytes."""
        number, marks = chain.count + 1, b"".join(one[:MARK] for one in leaves)
        facts = (VERSION, number, chain.end, end, len(leaves), at, root(leaves), chain.head)
        body = _HEAD.pack(*facts) + marks
        content = body + sign(_signed(chain.place, body))
        read = cls.read(content, 0)
        assert read  # noqa: S101  what was packed can be unpacked
        return read[0], content

    @classmethod
    def read(cls, content: bytes, at: int) -> tuple[Seal, int] | None:
        """Return the seal that begins at *at* and where it ends; ``None`` if no whole one does."""
        if at + _HEAD.size > len(content):
            return None
        version, number, begin, end, rows, moment, merkle, before = _HEAD.unpack_from(content, at)
        marks, stop = at + _HEAD.size, at + _HEAD.size + rows * MARK + _SIGNATURE
        if version != VERSION or stop > len(content):
            return None
        signature, head = content[stop - _SIGNATURE : stop], sha256(content[at:stop]).digest()
        values = (number, begin, end, moment, merkle, before, content[marks : stop - _SIGNATURE], signature, head)
        return cls(*values), stop

    @property
    def rows(self) -> int:
        """How many rows are sealed."""
        return len(self.marks) // MARK

    def signed(self, place: str) -> bytes:
        """Return the message that the signature is of."""
        facts = (VERSION, self.number, self.begin, self.end, self.rows, self.at, self.root, self.before)
        return _signed(place, _HEAD.pack(*facts) + self.marks)


@dataclass(slots=True)
class Chain:
    """The seals of one writer as far as they are read: *count* seals over *rows* rows and *end* bytes.

    *place* is ``kind/folder/day/writer``; *heads* the hash of each seal, *size* the bytes that the seals take.
    """

    place: str
    count: int = 0
    rows: int = 0
    end: int = 0
    size: int = 0
    heads: list[bytes] = field(default_factory=list)

    @property
    def head(self) -> bytes:
        """The hash of the last seal."""
        return self.heads[-1] if self.heads else NOTHING

    def follow(self, content: bytes) -> Iterator[Seal]:
        """Yield, and take up, every whole seal in *content*, which continues what was read before."""
        at = 0
        while (found := Seal.read(content, at)) is not None:
            seal, stop = found
            self.add(seal, stop - at)
            at = stop
            yield seal

    def add(self, seal: Seal, size: int) -> None:
        """Take up one seal of *size* bytes."""
        self.count, self.end = self.count + 1, seal.end
        self.rows += seal.rows
        self.size += size
        self.heads.append(seal.head)

    def holds(self, count: int, head: bytes) -> bool:
        """Whether the chain, when it had *count* seals, ended in *head*."""
        return count == 0 or (count <= self.count and self.heads[count - 1] == head)


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of rows: *row* counts from 0 in the segment, *byte* is where it began or should have begun."""

    what: str
    row: int
    byte: int


def difference(expected: bytes, actual: Sequence[tuple[int, bytes]], size: int) -> Difference | None:
    """Compare the marks of sealed rows with (byte, mark) of the rows that are there, in a segment of *size* bytes.

    A row that cannot be read has an empty mark. Unsealed rows may follow. ``None`` if all marks fit.
    """
    marks = [expected[at : at + MARK] for at in range(0, len(expected), MARK)]
    there = [mark for _, mark in actual]
    first = next((at for at, pair in enumerate(zip(marks, there, strict=False)) if pair[0] != pair[1]), None)
    if first is None:
        if len(there) >= len(marks):
            return None
        first = len(there)
    byte = actual[first][0] if first < len(actual) else size
    return Difference(_what(marks[first:], there[first:]), first, byte)


def _what(expected: list[bytes], actual: list[bytes]) -> str:
    """Say what happened to rows whose first mark differs."""
    if not actual or (actual == [b""] and len(expected) > 1):
        return f"the last {len(expected)} sealed rows are cut off"
    lost = Counter(expected) - Counter(actual)
    if actual[0] in expected:
        return f"{expected.index(actual[0])} rows were deleted" if lost else "rows were put in another order"
    return "a row was changed" if lost else "a row was inserted"


def _signed(place: str, body: bytes) -> bytes:
    return b"cookiegate seal\0" + place.encode() + b"\0" + body
