"""Reopening: the segments of a day that has too many to hold open at once, as after many restarts."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError

if TYPE_CHECKING:
    from pathlib import Path


class Few:
    """At most *limit* files, mapped; whoever wants one more closes the one that nobody asked for longest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[Path, mmap.mmap] = {}

    def mapped(self, path: Path, size: int) -> mmap.mmap:
        """Return the file's first *size* bytes, good until the next call. Raises RecordsError where it is gone."""
        data = self._open.pop(path, None) or self._map(path, size)
        self._open[path] = data
        return data

    def close(self) -> None:
        """Close all."""
        for data in self._open.values():
            data.close()
        self._open = {}

    def _map(self, path: Path, size: int) -> mmap.mmap:
        while len(self._open) >= self._limit:
            self._open.pop(next(iter(self._open))).close()
        try:
            with path.open("rb") as file:
                return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError):  # the second: it is shorter now
            raise RecordsError(f"{path}: moved or destroyed while it was read. Read again.") from None


class Reopened:
    """The bytes of a file that is open only while they are asked for."""

    def __init__(self, few: Few, path: Path) -> None:
        self._few, self._path, self._size = few, path, path.stat().st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, which: slice) -> bytes:
        return self._few.mapped(self._path, self._size)[which] if self._size else b""

    def find(self, what: bytes, begin: int = 0) -> int:
        """As `bytes.find`."""
        return self._few.mapped(self._path, self._size).find(what, begin) if self._size else -1
