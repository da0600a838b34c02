"""Shipper: moves whole frames from this host's segments to the store, each exactly once.

How far a segment is shipped stands in the store and changes in the transaction that brings its frames: whoever
dies, and whenever, the next shipper goes on where the last one ended. What that cannot see, the key (day, writer,
seq) refuses. Only what is sealed is moved, and its seals with it. A segment is removed when all of it is there and
nobody writes to it any more.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.arriving import PUT_SEAL, PUT_SEAL_AGAIN, Batch, Progress, copy, progress_of, put_again
from cookiegate.records.day import Day, days_in
from cookiegate.records.fleet import Moved
from cookiegate.records.postgres import Duplicate, StoreAway
from cookiegate.records.schema import make_day
from cookiegate.records.sealing import SUFFIX as SEALS
from cookiegate.records.segment import MAX_FRAME, is_over, segments_in, tags_of
from cookiegate.records.segment import SUFFIX as SEGMENT
from cookiegate.records.unshipped import SealsOf, frames_between

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records.fleet import Fleet
    from cookiegate.records.keys import Keys
    from cookiegate.records.postgres import Connection, Database
    from cookiegate.records.sealing import Sealing

ROWS, BYTES = 10_000, 4 << 20  # in one transaction, as far as segments of one read go


class Shipper:
    """Of one process; the first of its host to come does the work until it ends (*elected*).

    *stuck* says what could not be sealed or is not what was sealed, and so stays here.
    """

    def __init__(self, directory: Path, keys: Keys, database: Database, fleet: Fleet, sealing: Sealing) -> None:
        self._directory, self._keys, self._database, self._fleet = directory, keys, database, fleet
        self._sealing, self._read = sealing, SealsOf()
        self.stuck: list[str] = []
        self._election: int | None = None
        self._pid = 0
        self._generation = ""
        self._numbers: dict[Day, tuple[int, bytes]] = {}  # of the day, and the name of our key
        self._progress: dict[bytes, Progress] = {}
        self.rows = 0  # shipped by this process

    def elected(self) -> bool:
        """Return whether this process ships; once it does, until it ends. A child after fork stands for itself."""
        if self._pid != os.getpid():
            self._pid, self._election = os.getpid(), None
        if self._election is None:
            disk.make_directory(self._directory)
            path = self._directory / "shipper.lock"
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, disk.PRIVATE_FILE)
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock, no child inherits it
            except OSError:
                os.close(handle)
                return False
            self._election = handle
        return True

    def resign(self) -> None:
        """Let another process ship."""
        if self._pid == os.getpid() and self._election is not None:
            os.close(self._election)
        self._election = None

    @property
    def is_elected(self) -> bool:
        """Whether this process is the one that ships."""
        return self._pid == os.getpid() and self._election is not None

    def ship(self, generation: str, at: float) -> int:
        """Seal and move what is there, at the fleet's *generation*; return how many rows were moved.

        Raises:
            StoreAway: the store cannot be reached, or the fleet moved on: follow it, and call again.
            RecordsError, OSError: a key does not open, the store refuses, a segment cannot be read.
        """
        if self._generation != generation:
            self._generation, self._numbers = generation, {}
        before, self.stuck, faults = self.rows, [], list[RecordsError]()
        days = [day for day in sorted(days_in(self._directory)) if not self._keys.is_destroyed(day)]
        found = {day: segments_in(day.within(self._directory)) for day in days}
        over = {path for paths in found.values() for path in paths if _is_over(path)}  # before they are sealed
        self._seal(days, at)
        for day, paths in found.items():
            try:
                with suppress(FileNotFoundError):  # the day is being destroyed
                    self._ship_day(day, {bytes.fromhex(path.stem): path for path in paths}, over)
                    self._sweep(day)
            except StoreAway:
                raise
            except RecordsError as fault:  # a day that does not open holds up no other
                faults.append(fault)
        if faults:
            raise faults[0]
        return self.rows - before

    def backlog(self) -> int:
        """Return how many bytes of segments are not in the store, as far as this process knows."""
        left = 0
        for day in days_in(self._directory):
            for path in segments_in(day.within(self._directory)):
                with suppress(FileNotFoundError):
                    left += self._left(bytes.fromhex(path.stem), path)
        return left

    def _seal(self, days: list[Day], at: float) -> None:
        """Seal what was written; where that fails, rows stay, but nothing else is kept up."""
        try:
            with self._sealing.locked():
                self._sealing.extend(days, at=at, breathe=lambda: sleep(0))
        except FileNotFoundError:  # a day is being destroyed: the next second seals the others
            return
        except (RecordsError, OSError) as fault:
            self.stuck.append(f"rows are not sealed, and stay here until they are: {fault}")

    def _ship_day(self, day: Day, segments: dict[bytes, Path], over: set[Path]) -> None:
        unknown = [writer for writer in segments if writer not in self._progress]
        grown = {writer: path for writer, path in segments.items() if writer in unknown or self._left(writer, path)}
        if grown:
            place = self._numbers.get(day) or self._database.run(lambda connection: self._enrol(connection, day))
            if place is None:  # no key: nobody can read it
                return
            self._numbers[day] = place
            if unknown:
                self._learn(place[0], unknown)
            self._put_all(*place, grown)
            self._note_damage(*place, {writer: path for writer, path in grown.items() if path in over})
        self._remove(day, segments)

    def _of(self, writer: bytes) -> Progress:
        return self._progress.get(writer, Progress())

    def _left(self, writer: bytes, path: Path) -> int:
        """How many bytes of a segment are neither in the store nor noted as damaged."""
        known = self._of(writer)
        return max(0, path.stat().st_size - known.shipped - known.damaged)

    def _put_all(self, number: int, key: bytes, segments: dict[bytes, Path]) -> None:
        while batch := self._next(number, segments):
            self._put_or_learn(number, key, batch)

    def _next(self, number: int, segments: dict[bytes, Path]) -> Batch | None:
        """Return the next frames that are not shipped, or ``None`` where none are left."""
        batch, size = Batch(), 0
        for writer, path in segments.items():
            known = self._of(writer)
            at, frames = known.shipped, known.frames
            for seal, content in self._read.after(path, at):
                rows = list(frames_between(path, seal.begin, seal.end))
                if seal.begin != at or len(rows) != seal.rows:  # evidence: it is neither moved nor removed
                    self.stuck.append(f"the rows of writer {path.stem} are not those that were sealed")
                    break
                batch.rows += [(number, writer, seq, *tags_of(frame), frame) for seq, frame in rows]
                batch.seals.append((number, writer, seal.number, content))
                at, frames = seal.end, frames + seal.rows
                if len(batch.rows) >= ROWS or size + at - known.shipped >= BYTES:
                    break
            if at > known.shipped:
                batch.before[writer], batch.after[writer] = known, Progress(at, frames)
            size += at - known.shipped
            if len(batch.rows) >= ROWS or size >= BYTES:
                break
        return batch if batch.rows else None

    def _put_or_learn(self, number: int, key: bytes, batch: Batch) -> None:
        """Bring the batch to the store; where another shipper was faster, learn how far it came."""
        try:
            put = self._database.run(lambda connection: self._put(connection, number, key, batch, merge=False))
        except Duplicate:
            self._learn(number, list(batch.before))
            if {writer: self._of(writer) for writer in batch.before} != batch.before:
                return
            put = self._database.run(lambda connection: self._put(connection, number, key, batch, merge=True))
        if put:
            self._progress.update(batch.after)
            self.rows += len(batch.rows)
        else:
            self._learn(number, list(batch.before))

    async def _put(self, connection: Connection, number: int, key: bytes, batch: Batch, *, merge: bool) -> bool:
        async with connection.transaction():
            await self._fleet.hold(connection, self._generation)
            if await progress_of(connection, number, list(batch.before), lock=True) != batch.before:
                return False
            await (put_again if merge else copy)(connection, batch.rows)
            await connection.executemany(PUT_SEAL_AGAIN if merge else PUT_SEAL, batch.seals)
            await connection.executemany(
                "INSERT INTO cookiegate.writer VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (day, writer) "
                "DO UPDATE SET shipped = EXCLUDED.shipped, frames = EXCLUDED.frames",
                [(number, writer, key, now.shipped, now.frames) for writer, now in batch.after.items()],
            )
        return True

    async def _enrol(self, connection: Connection, day: Day) -> tuple[int, bytes] | None:
        """Make the day's partition and put our key of it beside those of other hosts."""
        wrapped, key = self._keys.wrapped(day), self._keys.find(day)
        if wrapped is None or key is None:
            return None
        number = await make_day(connection, day)
        async with connection.transaction():
            await self._fleet.hold(connection, wrapped.generation)
            put = await connection.fetchval(
                "INSERT INTO cookiegate.day_key SELECT id, $2, $3 FROM cookiegate.day WHERE id = $1 AND NOT destroyed "
                "ON CONFLICT (day, name) DO UPDATE SET name = EXCLUDED.name RETURNING true",
                *(number, key.name, wrapped.encode()),
            )
            if not put:
                raise Moved("The day was cleared away because nothing had come; it is made anew.")
        return number, key.name

    def _learn(self, number: int, writers: list[bytes]) -> None:
        found = self._database.run(lambda connection: progress_of(connection, number, writers))
        self._progress.update(found)

    def _note_damage(self, number: int, key: bytes, segments: dict[bytes, Path]) -> None:
        """Tell the store of bytes at the end of a dead writer's segment that are no frames; the file stays here."""
        for writer, path in segments.items():
            damaged, known = self._left(writer, path), self._of(writer)
            if damaged and not any(frames_between(path, known.shipped, known.shipped + MAX_FRAME)):
                values = (number, writer, key, known.shipped, known.frames, damaged)
                self._database.run(
                    lambda connection, values=values: connection.execute(  # type: ignore[misc]
                        "INSERT INTO cookiegate.writer VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (day, writer) "
                        "DO UPDATE SET damaged = EXCLUDED.damaged",
                        *values,
                    )
                )
                self._progress[writer] = known._replace(damaged=damaged)

    def _remove(self, day: Day, segments: dict[bytes, Path]) -> None:
        """Remove segments that are in the store as a whole and that nobody writes to; keep what is damaged."""
        for writer, path in segments.items():
            shipped = self._of(writer).shipped
            if shipped and shipped == path.stat().st_size and is_over(path) and shipped == path.stat().st_size:
                path.unlink()
                del self._progress[writer]
                self._sealing.forget(f"{day}/{path.stem}")
                self._read.forget(path)

    def _sweep(self, day: Day) -> None:
        """Remove the seals of segments that were moved away; after a crash, those that were left."""
        for path in day.within(self._directory).glob(f"*{SEALS}"):
            if not path.with_suffix(SEGMENT).exists():
                path.unlink()


def _is_over(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return is_over(path)
    return False
