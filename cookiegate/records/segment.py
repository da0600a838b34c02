"""Segment: the one write on the request path; and how its frames are read again.

A segment is a file of frames that one writer appends to on one day. A frame is, little-endian: length (4 bytes,
of the whole frame), CRC-32 of what follows (4), version (1), tag of the address (8), tag of the consent id (8),
number (8, ascending, gaps allowed), then the row encrypted by AES-256-GCM with its 16-byte tag. A row that was erased
leaves its frame's length and number; version, tags and row are zeros.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import secrets
import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from zlib import crc32

from cookiegate.records import disk
from cookiegate.records.reopening import Reopened
from cookiegate.records.vault import WRITER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cookiegate.records.reopening import Few
    from cookiegate.records.vault import DayKey

SUFFIX = ".seg"
MAX_FRAME = 4096
VERSION, ERASED = 1, 0
AT_VERSION, AT_ADDRESS, AT_CONSENT, AT_NUMBER = 8, 9, 17, 25  # where a frame has what

_SIZES = struct.Struct("<II")
_HEAD = struct.Struct("<B8s8sQ")
_NUMBER = struct.Struct("<Q")
_TAGS = struct.Struct("<qq")
_BODY = _SIZES.size + _HEAD.size
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Segment:
    """A new segment of a day, open for its one writer; a child after fork must not use its parent's.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, directory: Path, key: DayKey, *, strict: bool = False) -> None:
        disk.make_directory(directory)
        writer = secrets.token_bytes(WRITER_BYTES)
        self.key = key
        self.usable = True
        self.unsynced = 0  # frames since the last sync
        self._cipher = key.cipher(writer)
        self._strict = strict
        self._number = self._size = 0
        self._path = directory / f"{writer.hex()}{SUFFIX}"
        self._file = os.open(self._path, disk.NEW | os.O_APPEND, disk.PRIVATE_FILE)
        self._named = False  # is the file's name on stable storage?
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)  # until this process closes it or dies: more may come (`is_over`)
            if strict:
                self._sync_name()
        except BaseException:
            self._unlink()
            os.close(self._file)
            raise

    def append(self, row: bytes, address_tag: bytes, consent_tag: bytes) -> None:
        """Write one frame; when this returns, it is kept. After an error nothing of it is in the file.

        Raises:
            OSError: it is not kept. If the segment is no longer `usable`, try another one.
        """
        number = self._number
        self._number += 1  # it is spent even if its frame is not kept
        rest = _HEAD.pack(VERSION, address_tag, consent_tag, number) + self._cipher.seal(number, row)
        frame = _SIZES.pack(_SIZES.size + len(rest), crc32(rest)) + rest
        written = 0
        try:
            written = os.write(self._file, frame)
            while written < len(frame):  # the next write says why this one fell short
                written += os.write(self._file, frame[written:])
            if self._strict:
                disk.fdatasync(self._file)
        except OSError as fault:
            self._take_back(usable=fault.errno in _NO_SPACE and written < len(frame))
            raise
        self._size += len(frame)
        self.unsynced += not self._strict

    def sync(self) -> None:
        """Put what was appended on stable storage. Raises OSError."""
        disk.fdatasync(self._file)
        if not self._named:
            self._sync_name()

    @property
    def size(self) -> int:
        """How many bytes were appended."""
        return self._size

    @property
    def gone(self) -> bool:
        """Whether somebody removed the file: a row appended now would be lost."""
        return os.fstat(self._file).st_nlink == 0

    def close(self) -> None:
        """Close the file. An empty one leaves nothing behind."""
        if not self._size:
            self._unlink()
        fcntl.flock(self._file, fcntl.LOCK_UN)  # a child after fork has the file open too
        os.close(self._file)

    def _unlink(self) -> None:
        with suppress(OSError):
            os.unlink(self._path)

    def _sync_name(self) -> None:
        disk.sync_directory(self._path.parent)
        self._named = True

    def _take_back(self, *, usable: bool) -> None:
        """Cut a frame that is there in part. Only a full disk may get better: anything else ends the segment.

        So does a whole frame that could not be synced: somebody may have shipped or sealed it, so that no other may
        stand in its place.
        """
        try:
            os.ftruncate(self._file, self._size)
            self.usable = usable
        except OSError:
            self.usable = False


class Frames:
    """A segment, open for reading. *damage* tells how many bytes at its end are no whole frames."""

    def __init__(self, data: mmap.mmap | bytes | Reopened, writer: bytes) -> None:
        self._data, self._writer = data, writer
        self.damage = 0

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    @property
    def data(self) -> mmap.mmap | bytes | Reopened:
        """The bytes."""
        return self._data

    def __len__(self) -> int:
        """Count the whole frames; no key is needed."""
        return sum(1 for _ in self._replay())

    def rows(self, key: DayKey) -> Iterator[bytes]:
        """Yield every row up to the end or to the first torn, zero-filled or changed frame."""
        cipher = key.cipher(self._writer)
        for at, length, number in self._replay():
            row = cipher.open(number, self._data[at + _BODY : at + length])
            if row is not None:
                yield row
            elif self._data[at + AT_VERSION : at + AT_ADDRESS] != bytes([ERASED]):
                self.damage = len(self._data) - at
                return

    def tagged_frames(self, tag: bytes, place: int) -> Iterator[tuple[int, bytes]]:
        """Yield place and bytes of the frames that have *tag* at *place*; no key is needed."""
        found = self._data.find(tag)
        while found >= 0:
            frame = self._frame_at(found - place)
            if frame is not None:
                yield found - place, self._data[found - place : found - place + frame[0]]
            found = self._data.find(tag, found + 1)

    def tagged(self, key: DayKey, tag: bytes, place: int) -> Iterator[bytes]:
        """Yield the rows of frames that have *tag* at *place* (`AT_ADDRESS`, `AT_CONSENT`), without an index."""
        yield from self.rows_at((at for at, _ in self.tagged_frames(tag, place)), key)

    def after(self, at: int) -> Iterator[tuple[int, bytes]]:
        """Yield number and bytes of every whole frame from *at*, where one begins; no key is needed."""
        for begin, length, number in self._replay(at):
            yield number, self._data[begin : begin + length]

    def whole(self, at: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield place and bytes of every whole frame from *at*, where one begins."""
        for begin, length, _ in self._replay(at):
            yield begin, self._data[begin : begin + length]

    def whole_at(self, at: int) -> tuple[int, int] | None:
        """Return length and number of the whole frame that begins at *at*; ``None`` if none does."""
        return self._frame_at(at)

    def rows_at(self, places: Iterable[int], key: DayKey) -> Iterator[bytes]:
        """Yield the rows of the frames that begin at these bytes; what does not open is left out."""
        cipher = key.cipher(self._writer)
        for at in places:
            frame = self._frame_at(at)
            row = cipher.open(frame[1], self._data[at + _BODY : at + frame[0]]) if frame else None
            if row is not None:
                yield row

    def _replay(self, at: int = 0) -> Iterator[tuple[int, int, int]]:
        last = -1
        while at < len(self._data):
            frame = self._frame_at(at)
            if frame is None or frame[1] <= last:
                break
            length, last = frame
            yield at, length, last
            at += length
        self.damage = len(self._data) - at

    def _frame_at(self, at: int) -> tuple[int, int] | None:
        """Return length and number of the whole frame that begins at *at*."""
        if at < 0 or at + _BODY > len(self._data):
            return None
        length, checksum = _SIZES.unpack(self._data[at : at + _SIZES.size])
        if not _BODY <= length <= min(MAX_FRAME, len(self._data) - at):
            return None
        if crc32(self._data[at + _SIZES.size : at + length]) != checksum:
            return None
        version, _, _, number = _HEAD.unpack(self._data[at + _SIZES.size : at + _BODY])
        return (length, number) if version in {VERSION, ERASED} else None


@contextmanager
def frames_of(path: Path) -> Iterator[Frames]:
    """Open a segment for reading. Raises OSError."""
    with path.open("rb") as file:
        empty = not os.fstat(file.fileno()).st_size
        opened = None if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if opened is None:
        yield Frames(b"", b"")
        return
    with opened as data:  # it has a descriptor of its own, and a day many segments: one for each is enough
        yield Frames(data, bytes.fromhex(path.stem))


def frames_now_and_then(path: Path, few: Few) -> Frames:
    """As `frames_of`, but the file is open only while a frame is read. Raises OSError."""
    return Frames(Reopened(few, path), bytes.fromhex(path.stem))


def segments_in(directory: Path) -> list[Path]:
    """Return a day's segments in the order of their names."""
    return sorted(directory.glob(f"{'[0-9a-f]' * 2 * WRITER_BYTES}{SUFFIX}"))


def is_over(path: Path) -> bool:
    """Return whether nobody writes to the segment any more. Raises OSError."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def erased(frame: bytes) -> bytes:
    """Return what stands in the place of *frame* when its row was erased: as long, with its number, else zeros."""
    (number,) = _NUMBER.unpack_from(frame, AT_NUMBER)
    rest = _HEAD.pack(ERASED, bytes(8), bytes(8), number) + bytes(len(frame) - _BODY)
    return _SIZES.pack(len(frame), crc32(rest)) + rest


def tags_of(frame: bytes) -> tuple[int, int]:
    """Return a frame's tags of address and consent id, each as a signed number of eight bytes."""
    return _TAGS.unpack_from(frame, AT_ADDRESS)
