"""Sealing: what was written since the last pass gets its seals, beside the segments; no key of a day is needed.

Any process does it for all writers of this machine, the dead ones too; a lock lets one at a time.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from cookiegate.records import disk
from cookiegate.records.day import Day, folder_of
from cookiegate.records.entries import DAY
from cookiegate.records.heads import Heads
from cookiegate.records.seal import Chain, Seal, leaf
from cookiegate.records.segment import SUFFIX as SEGMENT
from cookiegate.records.segment import frames_of, segments_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cookiegate.records.entries import Statement
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.segment import Frames
    from cookiegate.records.shared_ledger import SharedLedger

SUFFIX = ".seal"
BATCH = 1024  # rows at most under one seal: a root must not keep requests waiting
BREATH = 64  # rows between two pauses


class Sealing:
    """The chains of seals in *directory*. Methods raise OSError and RecordsError; hold `locked` to call `extend`.

    *moves*: segments are moved to a store of many machines, so that one that is not here is not gone.
    """

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger | SharedLedger, *, moves: bool = False) -> None:
        self._directory, self._keys, self._ledger, self._moves = directory, keys, ledger, moves
        self._chains: dict[str, Chain] = {}
        self._sizes: dict[str, int] = {}  # of segments that are sealed to their end
        self._broken = directory / "broken"  # says what the last pass found; there is none where all is well

    @property
    def broken(self) -> str:
        """What the last pass found broken, and where; empty where it found nothing. Never raises."""
        try:
            return self._broken.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except OSError as fault:
            return str(fault)

    def locked(self, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold the lock of all seals. Raises BlockingIOError."""
        return disk.lock(self._directory / "seal.lock", wait=wait)

    def seal(self, days: Iterable[Day], *, at: float, breathe: Callable[[], None]) -> int:
        """Seal what was written on *days*; return how many rows. Where another process does it, none."""
        try:
            with self.locked(wait=False):
                return self.extend(days, at=at, breathe=breathe)
        except BlockingIOError:
            return 0

    def extend(self, days: Iterable[Day], *, at: float, breathe: Callable[[], None]) -> int:
        """As `seal`, where the lock is held. A chain that was cut is left as it is, and said."""
        heads = Heads.load(self._keys.heads)
        known = heads.encode()
        faults, rows, wanted = [], 0, list(days)
        self._keep_only(wanted)
        for place, path in self._segments(wanted):
            chain = self.chain(place, path)
            if not chain.holds(*heads.writers.get(place, (0, b""))):
                faults.append(f"the seals of {place} were cut or changed")
                continue
            rows += self._grow(chain, path, at, breathe)
            if chain.count:
                heads.writers[place] = (chain.count, chain.head)
        faults += self._missing(heads)
        faults += self._follow_ledger(heads)
        if heads.encode() != known:
            heads.save(self._keys.heads)
        self._say(faults)
        return rows

    def _keep_only(self, days: list[Day]) -> None:
        """Forget the chains of other days: whoever wants one reads it anew, and a process may run for years."""
        kept = {str(day) for day in days}
        self._chains = {place: chain for place, chain in self._chains.items() if place.rpartition("/")[0] in kept}
        self._sizes = {place: size for place, size in self._sizes.items() if place in self._chains}

    def settle(self, day: Day) -> None:
        """Take a day's writers from the heads: a statement has them now. The lock is held."""
        heads = Heads.load(self._keys.heads)
        kept = {place: head for place, head in heads.writers.items() if not place.startswith(f"{day}/")}
        if len(kept) < len(heads.writers):
            Heads(heads.ledger, kept).save(self._keys.heads)

    def forget(self, place: str) -> None:
        """The segment was moved away, and its seals with it."""
        self._chains.pop(place, None)
        self._sizes.pop(place, None)

    def chain(self, place: str, path: Path) -> Chain:
        """Return the chain of a segment, read to its end."""
        chain, content = self._chains.get(place) or Chain(place), b""
        with suppress(FileNotFoundError), path.with_suffix(SUFFIX).open("rb") as file:
            if os.fstat(file.fileno()).st_size < chain.size:
                chain = Chain(place)  # cut: read anew
            file.seek(chain.size)
            content = file.read()
        for _ in chain.follow(content):
            pass
        self._chains[place] = chain
        return chain

    def is_cut(self, day: Day) -> bool:
        """Return whether seals or segments of the day were cut since the last pass. The lock is held."""
        heads = Heads.load(self._keys.heads).writers
        return not all(
            self.chain(place, segment_of(self._directory, place)).holds(*head)
            for place, head in heads.items()
            if place.startswith(f"{day}/")
        )

    def _missing(self, heads: Heads) -> Iterator[str]:
        """Yield what is gone though its day lives; forget the writers of destroyed days.

        The ledger tells which those are: it is signed, and entered before a file goes. The mark of a destruction is
        a plain file that anybody may have written.
        """
        gone = [place for place in heads.writers if not segment_of(self._directory, place).exists()]
        destroyed = destroyed_in(self._ledger) if gone else set()
        for place in gone:
            if str(day_of(place)) in destroyed:
                del heads.writers[place]
            elif not self._moves:
                yield f"the segment {place} is gone"

    def _segments(self, days: Iterable[Day]) -> Iterator[tuple[str, Path]]:
        for day in days:
            if not self._keys.is_destroyed(day):
                for path in segments_in(day.within(self._directory)):
                    yield f"{day}/{path.stem}", path

    def _grow(self, chain: Chain, path: Path, at: float, breathe: Callable[[], None]) -> int:
        """Seal the whole frames behind the last seal; they are on stable storage before it."""
        size = path.stat().st_size
        if self._sizes.get(chain.place) == size or size <= chain.end:
            return 0
        sign, before, rows = self._keys.seal_key().sign, chain.size, chain.rows
        added = []
        try:
            with frames_of(path) as frames:
                for leaves, end in _batches(frames, chain.end, breathe):
                    seal, content = Seal.over(leaves, chain, end, at=at, sign=sign)
                    chain.add(seal, len(content))
                    added.append(content)
            _append(path, before, b"".join(added))
        except BaseException:  # the chain is ahead of its file
            del self._chains[chain.place]
            raise
        self._sizes[chain.place] = size if chain.end == size else -1
        return chain.rows - rows

    def _follow_ledger(self, heads: Heads) -> list[str]:
        statements = self._ledger.statements(since=heads.ledger[0])
        number, head = heads.ledger
        if number and not (statements and (statements[0].number, statements[0].head) == (number, head)):
            return [f"the ledger was cut or changed before its statement {number}"]
        if self._moves and statements:
            self._settle(heads, statements)
        if statements:
            heads.ledger = (statements[-1].number, statements[-1].head)
        return []

    def _settle(self, heads: Heads, statements: list[Statement]) -> None:
        """Take from the heads what the statement of a day says too, whichever host closed it."""
        checker = self._keys.seal_checker()
        for statement in statements:
            if statement.what == DAY and checker.verify(statement.signature, statement.signed):
                for writer, (_, _, count, head) in statement.values["writers"].items():
                    place = f"{statement.about}/{writer}"
                    if heads.writers.get(place) == (count, bytes.fromhex(head)):
                        del heads.writers[place]

    def _say(self, faults: list[str]) -> None:
        if faults:
            disk.replace(self._broken, "; ".join(faults).encode())
        elif self._broken.exists():
            self._broken.unlink()


def _batches(frames: Frames, begin: int, breathe: Callable[[], None]) -> Iterator[tuple[list[bytes], int]]:
    """Yield the leaves of whole frames from byte *begin*, at most `BATCH` together, and where they end."""
    leaves: list[bytes] = []
    end = begin
    for at, frame in frames.whole(begin):
        leaves.append(leaf(frame))
        end = at + len(frame)
        if not len(leaves) % BREATH:
            breathe()
        if len(leaves) == BATCH:
            yield leaves, end
            leaves = []
    if leaves:
        yield leaves, end


def _append(path: Path, size: int, content: bytes) -> None:
    """Add *content* to the seals of a segment, which are *size* bytes: what lies behind is of a process that died."""
    if not content:
        return
    sealed = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    seals = os.open(
        path.with_suffix(SUFFIX), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, disk.PRIVATE_FILE
    )
    try:
        disk.fdatasync(sealed)
        os.ftruncate(seals, size)
        while content:
            written = os.pwrite(seals, content, size)
            size, content = size + written, content[written:]
        os.fsync(seals)
    finally:
        os.close(sealed)
        os.close(seals)
    disk.sync_directory(path.parent)


def segment_of(directory: Path, place: str) -> Path:
    """Return the segment of the writer at *place*."""
    return directory / f"{place}{SEGMENT}"


def day_of(place: str) -> Day:
    """Return the day of the writer at *place*."""
    kind, folder, day, _ = place.split("/")
    return Day(date.fromisoformat(day), folder, kind)


def destroyed_in(ledger: Ledger | SharedLedger) -> set[str]:
    """Return the days that the ledger says were destroyed."""
    entries = ledger.destructions()
    return {f"{entry.kind}/{folder}/{entry.day}" for entry in entries for folder in (entry.site, folder_of(entry.site))}
