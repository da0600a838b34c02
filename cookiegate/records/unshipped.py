"""Unshipped: what of a segment is sealed, and not in the store yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.records.seal import Seal
from cookiegate.records.sealing import SUFFIX as SEALS
from cookiegate.records.segment import Frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class SealsOf:
    """Reads seals from beside the segments, each once: it remembers where those that are shipped end."""

    def __init__(self) -> None:
        self._places: dict[Path, tuple[int, int]] = {}  # byte of the segment, byte of the seals

    def after(self, path: Path, end: int) -> Iterator[tuple[Seal, bytes]]:
        """Yield the seals of a segment over what lies behind byte *end*, and their bytes."""
        reached, offset = self._places.get(path, (0, 0))
        if reached > end:
            reached, offset = 0, 0
        try:
            with path.with_suffix(SEALS).open("rb") as file:
                file.seek(offset)
                content = file.read()
        except FileNotFoundError:
            return
        at = 0
        while found := Seal.read(content, at):
            seal, stop = found
            if seal.end <= end:
                self._places[path] = (seal.end, offset + stop)
            else:
                yield seal, content[at:stop]
            at = stop

    def forget(self, path: Path) -> None:
        """The segment was moved away."""
        self._places.pop(path, None)


def frames_between(path: Path, begin: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of frames: read, not mapped, since its writer may cut a torn one off."""
    with path.open("rb") as file:
        file.seek(begin)
        yield from Frames(file.read(end - begin), b"").after(0)
