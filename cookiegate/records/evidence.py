"""Evidence: sealed rows as they lie somewhere, writer by writer, to be verified. No key of a day is needed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cookiegate.records.day import days_in
from cookiegate.records.seal import MARK, NOTHING, leaf
from cookiegate.records.sealing import SUFFIX
from cookiegate.records.segment import AT_NUMBER, AT_VERSION, MAX_FRAME, erased, frames_of, segments_in
from cookiegate.records.segment import ERASED as ERASED_FRAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.seal import Seal
    from cookiegate.records.segment import Frames

    Leaves = Mapping[int, bytes]  # of erased rows, by number


@dataclass(frozen=True, slots=True)
class Sealed:
    """One writer's rows on a day, in the order of their numbers, and its seals, which were read before them.

    *complete*: there are no rows that are not sealed. *misplaced* is the first row that is found under another
    number or by other tags than its own.
    """

    day: Day
    writer: str
    seals: bytes
    frames: Frames
    complete: bool = False
    misplaced: int | None = None

    @property
    def place(self) -> str:
        """``kind/folder/day/writer``."""
        return f"{self.day}/{self.writer}"

    def leaves(self, seal: Seal, erased_leaves: Leaves) -> list[bytes]:
        """Return the leaves of the frames under a seal, as far as they can be told apart."""
        data, at, end = self.frames.data, seal.begin, seal.end
        found: list[bytes] = []
        while at < end and len(found) <= seal.rows:
            length = int.from_bytes(data[at : at + 4], "little")
            frame = data[at : at + length]
            if not AT_NUMBER + 8 <= length <= end - at or len(frame) < length:
                return []
            found.append(_leaf(frame, erased_leaves) or NOTHING)
            at += length
        return found if at == end else []

    def marks(self, erased_leaves: Leaves) -> Iterator[tuple[int, bytes]]:
        """Yield byte and mark of every row; where none can be read, an empty mark, and on to the next that can."""
        at, frames = 0, self.frames
        while at < frames.size:
            whole = frames.whole_at(at)
            if whole:
                yield at, (_leaf(frames.data[at : at + whole[0]], erased_leaves) or b"")[:MARK]
                at += whole[0]
                continue
            yield at, b""
            nexts = (place for place in range(at + 1, min(at + 2 * MAX_FRAME, frames.size)) if frames.whole_at(place))
            at = next(nexts, frames.size)


class Evidence(Protocol):
    """Where sealed rows lie. Methods raise OSError and RecordsError."""

    def days(self) -> list[Day]:
        """Return the days of which there is anything, oldest first."""

    def size(self, day: Day) -> int:
        """Return how many bytes of rows the day has, for a progress bar."""

    def of(self, day: Day) -> Iterator[Sealed]:
        """Yield a day's writers; what is destroyed meanwhile is left out."""


class SealedFiles:
    """See `Evidence`: the segments in *directory*."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def days(self) -> list[Day]:
        """See `Evidence`."""
        return sorted(days_in(self._directory))

    def size(self, day: Day) -> int:
        """See `Evidence`."""
        total = 0
        for path in segments_in(day.within(self._directory)):
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def of(self, day: Day) -> Iterator[Sealed]:
        """See `Evidence`."""
        for path in segments_in(day.within(self._directory)):
            seals = _content(path.with_suffix(SUFFIX))
            with suppress(FileNotFoundError), frames_of(path) as frames:
                yield Sealed(day, path.stem, seals, frames)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _leaf(frame: bytes, erased_leaves: Leaves) -> bytes | None:
    """Return the leaf of a frame: of an erased one, what the statement of its erasure kept."""
    if frame[AT_VERSION] != ERASED_FRAME:
        return leaf(frame)
    number = int.from_bytes(frame[AT_NUMBER : AT_NUMBER + 8], "little")
    return erased_leaves.get(number) if frame == erased(frame) else None
