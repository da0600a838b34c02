"""Tags: a closed day's tags in order, so that an address is found without reading the day.

The file is a line ``cookiegate tags 1``, a line of JSON (the segments with their sizes, how many tags of addresses, how
many of consent ids), then the tags of addresses in order, then those of consent ids. Each takes 16 bytes, big-endian:
the tag (8), the segment's number in the list (2), the frame's first byte (6).
"""

from __future__ import annotations

import heapq
import json
import mmap
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING

from cookiegate.records import disk
from cookiegate.records.segment import AT_ADDRESS, AT_CONSENT, AT_VERSION, ERASED, frames_of, segments_in
from cookiegate.records.vault import TAG_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cookiegate.records.vault import DayKey

NAME = "tags"
_TITLE = b"cookiegate tags 1\n"
_ENTRY = 16
_RUN = 1 << 12  # entries sorted at once, while requests wait


class Tags:
    """A tag file, open."""

    def __init__(self, data: mmap.mmap) -> None:
        end = data.find(b"\n", len(_TITLE))
        if data[: len(_TITLE)] != _TITLE or end < 0:
            raise ValueError("no tag file")
        facts = json.loads(data[len(_TITLE) : end])
        self._segments = list(facts["segments"].items())
        self._sizes: dict[str, int] = facts["segments"]
        self._data, self._begin = data, end + 1
        self._addresses, self._consents = facts["addresses"], facts["consents"]
        if len(data) != self._begin + _ENTRY * (self._addresses + self._consents):
            raise ValueError("a tag file that was cut")

    def covers(self, segment: str, size: int) -> bool:
        """Whether the segment of this name and size is in the file with all its rows."""
        return self._sizes.get(segment) == size

    def find(self, tag: bytes, *, by_consent: bool) -> Iterator[tuple[str, int]]:
        """Yield segment and first byte of every frame with *tag*."""
        low, high = (self._addresses, self._addresses + self._consents) if by_consent else (0, self._addresses)
        last = high
        while low < high:
            middle = (low + high) // 2
            if self._entry(middle) < tag:
                low = middle + 1
            else:
                high = middle
        while low < last and (entry := self._entry(low)).startswith(tag):
            number = int.from_bytes(entry[TAG_BYTES:])
            yield self._segments[number >> 48][0], number & (1 << 48) - 1
            low += 1

    def _entry(self, number: int) -> bytes:
        at = self._begin + number * _ENTRY
        return self._data[at : at + _ENTRY]


class _Runs:
    """Entries that are sorted in pieces, which wait in a nameless file: a day may be larger than memory."""

    def __init__(self, directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  closed by __exit__
        self._run: list[bytes] = []
        self._lengths: list[int] = []

    def __enter__(self) -> _Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self._lengths) + len(self._run)

    def add(self, entry: bytes) -> None:
        """Add one."""
        self._run.append(entry)
        if len(self._run) == _RUN:
            self._put_down()

    def sorted(self, breathe: Callable[[], None]) -> Iterator[bytes]:
        """Yield all in order."""
        if not self._lengths:
            yield b"".join(sorted(self._run))
            return
        self._put_down()
        begins = accumulate([0, *self._lengths[:-1]])
        runs = [self._read(begin, length) for begin, length in zip(begins, self._lengths, strict=True)]
        merged = heapq.merge(*runs)
        while piece := b"".join(islice(merged, 64)):
            yield piece
            breathe()

    def _put_down(self) -> None:
        self._file.write(b"".join(sorted(self._run)))
        self._lengths.append(len(self._run))
        self._run = []

    def _read(self, begin: int, length: int) -> Iterator[bytes]:
        for first in range(begin, begin + length, 256):
            self._file.seek(first * _ENTRY)
            piece = self._file.read(min(256, begin + length - first) * _ENTRY)
            yield from (piece[at : at + _ENTRY] for at in range(0, len(piece), _ENTRY))


@contextmanager
def tags_of(directory: Path) -> Iterator[Tags | None]:
    """Open a day's tag file; ``None`` if there is none that can be used: then segments are searched. Raises OSError."""
    try:
        file = (directory / NAME).open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            tags = Tags(data)
        except (ValueError, KeyError, TypeError):
            yield None
            return
        with data:
            yield tags


def write_tags(directory: Path, key: DayKey, breathe: Callable[[], None]) -> None:
    """Write a closed day's tag file anew. Raises OSError."""
    nobody = key.tag("")  # most rows have no consent id
    sizes: dict[str, int] = {}
    with _Runs(directory) as addresses, _Runs(directory) as consents:
        for number, path in enumerate(segments_in(directory)[: 1 << 16]):
            with frames_of(path) as frames:
                for count, (at, frame) in enumerate(frames.whole()):
                    place = (number << 48 | at).to_bytes(8)
                    if frame[AT_VERSION] != ERASED:
                        addresses.add(frame[AT_ADDRESS : AT_ADDRESS + TAG_BYTES] + place)
                        consent = frame[AT_CONSENT : AT_CONSENT + TAG_BYTES]
                        if consent != nobody:
                            consents.add(consent + place)
                    if not count % 64:
                        breathe()
                sizes[path.stem] = frames.size
        facts = {"segments": sizes, "addresses": addresses.count, "consents": consents.count}
        head = _TITLE + json.dumps(facts).encode() + b"\n"
        disk.replace_by(directory / NAME, chain([head], addresses.sorted(breathe), consents.sorted(breathe)))


def digest_of(directory: Path) -> str:
    """Return the SHA-256 of a day's tag file, in hexadecimal; empty if there is none. Raises OSError."""
    digest = sha256()
    try:
        with (directory / NAME).open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()
