"""Files that only we may read, and that are really there or really gone when a function returns."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
UNFINISHED = ".new"  # the ending of a file that is still being written


def make_directory(path: Path) -> None:
    """Make *path* and what is missing above it, for the owner only, and sync each entry. Raises OSError."""
    try:
        path.mkdir(PRIVATE_DIRECTORY)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_directory(path.parent)
        return make_directory(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Put the directory's entries on stable storage. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create(path: Path, content: bytes) -> None:
    """Make a file that appears complete or not at all, and only once: FileExistsError if it is there already."""
    unfinished = _write_beside(path, content)
    try:
        os.link(unfinished, path)
    finally:
        os.unlink(unfinished)
    sync_directory(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Put *content* in the place of the file at once: a reader sees the old or the new. Raises OSError."""
    os.replace(_write_beside(path, content), path)
    sync_directory(path.parent)


def replace_by(path: Path, pieces: Iterable[bytes]) -> None:
    """As `replace`, with content that comes in pieces. Raises OSError."""
    unfinished = path.with_name(f".{path.name}-{secrets.token_hex(8)}{UNFINISHED}")
    try:
        with open(os.open(unfinished, NEW, PRIVATE_FILE), "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    os.replace(unfinished, path)
    sync_directory(path.parent)


def replace_all(contents: dict[Path, bytes]) -> None:
    """As `replace` for many files: each directory is synced once. Raises OSError."""
    for unfinished, path in [(_write_beside(path, content), path) for path, content in contents.items()]:
        os.replace(unfinished, path)
    for directory in {path.parent for path in contents}:
        sync_directory(directory)


def move(source: Path, target: Path) -> None:
    """Put one file in the place of another in the same directory, at once and durably. Raises OSError."""
    os.replace(source, target)
    sync_directory(target.parent)


def sweep(*directories: Path) -> None:
    """Remove what dead processes left half written in *directories*; hold their lock. Raises OSError."""
    for directory in directories:
        for path in directory.glob(f".*{UNFINISHED}"):
            remove(path)


def _write_beside(path: Path, content: bytes) -> Path:
    unfinished = path.with_name(f".{path.name}-{secrets.token_hex(4)}{UNFINISHED}")
    handle = os.open(unfinished, NEW, PRIVATE_FILE)
    try:
        while content:  # a disk that is nearly full takes a part, and says so only to the next write
            content = content[os.write(handle, content) :]
        os.fsync(handle)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    finally:
        os.close(handle)
    return unfinished


def overwrite(path: Path) -> None:
    """Write zeros over all of the file and sync; it stays, as long as before. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        left = os.fstat(handle).st_size
        while left:
            left -= os.write(handle, bytes(min(left, 1 << 20)))
        os.fsync(handle)
    finally:
        os.close(handle)


def blank(path: Path, at: int) -> None:
    """Write spaces over the file from *at* to its end and sync. Raises OSError."""
    rewrite(path, {at: b" " * (path.stat().st_size - at)})


def rewrite(path: Path, pieces: dict[int, bytes]) -> None:
    """Write over parts of the file in place, each at its byte, and sync. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        for at, piece in pieces.items():
            while piece:
                written = os.pwrite(handle, piece, at)
                at, piece = at + written, piece[written:]
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Overwrite the file and take it out of its directory. Raises OSError."""
    overwrite(path)
    os.unlink(path)


@contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file *path*; the kernel frees it when the process dies.

    It is given up by name, not only by closing: a process forked meanwhile has the file open for as long as it lives.

    Raises:
        BlockingIOError: *wait* is false and somebody holds it.
    """
    holder = os.getpid()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        if os.getpid() == holder:
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
