"""Store: where rows are found again. Files of this machine; and for many machines, what was shipped (`Shipped`)."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cookiegate.records.reopening import Few
from cookiegate.records.segment import AT_ADDRESS, AT_CONSENT, frames_now_and_then, frames_of, segments_in
from cookiegate.records.tags import tags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.keys import Keys
    from cookiegate.records.segment import Frames
    from cookiegate.records.tags import Tags
    from cookiegate.records.vault import DayKey


HELD = 128  # segments of a day that are held open at once
IN_TURN = 64  # of the others, as many at a time


class Rows(Protocol):
    """The rows of one writer on one day, open: to iterate over once, in the order in which they were written."""

    writer: bytes
    key: DayKey

    def __iter__(self) -> Iterator[bytes]: ...

    @property
    def damaged(self) -> bool:
        """Whether they ended early; known after the last."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What narrows rows before they are opened: *values* an address or a consent id may have been kept as."""

    values: Callable[[DayKey], Iterable[str]]
    by_consent: bool = False


class Store(Protocol):
    """Where the rows of days lie. Everything may raise RecordsError and OSError."""

    def size(self, day: Day) -> int:
        """Return how many bytes the day has, for a progress bar."""

    def open(self, day: Day, sought: Sought | None) -> AbstractContextManager[list[Rows]]:
        """Open the day's writers; a destroyed day has none. False finds are possible: look again when decoded."""


class Files:
    """The segments in *directory*."""

    def __init__(self, directory: Path, keys: Keys) -> None:
        self._directory, self._keys = directory, keys

    def size(self, day: Day) -> int:
        """Return the segments' bytes."""
        total = 0
        for path in segments_in(day.within(self._directory)):
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    @contextmanager
    def open(self, day: Day, sought: Sought | None) -> Iterator[list[Rows]]:
        """Hold the segments open: what is removed meanwhile can still be read.

        Of more than `HELD`, each is open only while it is read; where one is removed meanwhile, reading raises.
        """
        key = self._keys.find(day)
        with ExitStack() as files:
            opened: list[Rows] = []
            if key:
                directory = day.within(self._directory)
                tags = files.enter_context(tags_of(directory)) if sought else None
                found = _places(tags, key, sought) if tags and sought else {}
                paths = segments_in(directory)
                few = files.enter_context(closing(Few(IN_TURN))) if len(paths) > HELD else None
                for path in paths:
                    with suppress(FileNotFoundError):  # shipped just now
                        if tags and tags.covers(path.stem, path.stat().st_size):
                            if path.stem in found:
                                frames = _frames(path, few, files)
                                opened.append(FoundRows(bytes.fromhex(path.stem), key, frames, found[path.stem]))
                            continue
                        frames = _frames(path, few, files)
                        opened.append(SegmentRows(bytes.fromhex(path.stem), key, frames, sought))
            yield opened


def _frames(path: Path, few: Few | None, files: ExitStack) -> Frames:
    return frames_now_and_then(path, few) if few else files.enter_context(frames_of(path))


def _places(tags: Tags, key: DayKey, sought: Sought) -> dict[str, list[int]]:
    """Return the frames that a day's tag file knows, by segment, in the order in which they were written."""
    found: dict[str, list[int]] = {}
    for value in sought.values(key):
        for segment, at in tags.find(key.tag(value), by_consent=sought.by_consent):
            found.setdefault(segment, []).append(at)
    return {segment: sorted(places) for segment, places in found.items()}


@dataclass(slots=True)
class FoundRows:
    """See `Rows`."""

    writer: bytes
    key: DayKey
    frames: Frames
    places: list[int]
    damaged: bool = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.frames.rows_at(self.places, self.key)


@dataclass(slots=True)
class SegmentRows:
    """See `Rows`."""

    writer: bytes
    key: DayKey
    frames: Frames
    sought: Sought | None

    def __iter__(self) -> Iterator[bytes]:
        if self.sought is None:
            yield from self.frames.rows(self.key)
            return
        place = AT_CONSENT if self.sought.by_consent else AT_ADDRESS
        for value in self.sought.values(self.key):
            yield from self.frames.tagged(self.key, self.key.tag(value), place)

    @property
    def damaged(self) -> bool:
        """See `Rows`."""
        return bool(self.frames.damage)
