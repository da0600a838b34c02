"""Keys: where they lie, who finds them, and how they die.

A day's key lies in ``directory`` wrapped by the inner key; the inner key lies in ``key_directory`` wrapped by
the operator's. To destroy days, a fresh inner key is made, the other days' keys are wrapped anew, and the old
inner key is overwritten: no copy of ``directory`` opens a destroyed day any more, however old.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from cookiegate.config import FILES
from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.day import MISUSE, ONE_DAY, VISITS, Day, days_in
from cookiegate.records.operators_key import OperatorsKey
from cookiegate.records.seal_key import SealKeyFile
from cookiegate.records.vault import Handover, InnerKey, WrappedDayKey

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cookiegate.config import Records
    from cookiegate.records.day import Terms
    from cookiegate.records.vault import DayKey

MISSED = 100  # turns of a shared inner key by which one process of a host may be behind another


class Keys:
    """The keys of all days. It remembers none: each use reads them anew, so it may be shared and forked.

    Every method raises OSError where a file cannot be read or written, and RecordsError where a key is missing,
    too short or not the right one.
    """

    def __init__(self, records: Records) -> None:
        self._days = records.directory / "keys"
        self._home = records.key_directory
        self._operator = OperatorsKey(records)
        self._shared = records.store != FILES
        self._seal = SealKeyFile(self._home, self._operator, shared=self._shared)
        self.seal_key, self.seal_checker, self.heads = self._seal.key, self._seal.checker, self._seal.heads

    def prepare(self) -> None:
        """Make directories and keys that are missing, and see that the others open."""
        disk.make_directory(self._days)
        with self._locked():
            self._inner_keys()
            if not self._joined:
                self._seal.make()

    def begin(self, day: Day, terms: Terms) -> DayKey | None:
        """Return the day's key, made on *terms* if it has none; ``None`` if the day is destroyed."""
        with self._locked():
            if self.is_destroyed(day):
                return None
            path = day.within(self._days)
            if not path.exists():
                disk.make_directory(path.parent)
                disk.create(path, WrappedDayKey.fresh(day, terms, self._inner_keys()[0]).encode())
            return self._open(day)

    def find(self, day: Day) -> DayKey | None:
        """Return the key of a day that has one and is not destroyed."""
        with self._locked():
            if self.is_destroyed(day) or not day.within(self._days).exists():
                return None
            return self._open(day)

    def newest(self, like: Day) -> Day:
        """Return the newest day of the same site and kind that lives, or the first that may.

        There goes a row whose own day is destroyed. Such a row proves that the clock is wrong now (or was wrong at
        the destruction), so its own time says nothing; the newest day is destroyed last, hence never too early.
        """
        first = min(self._destroyed_until(like), date.max - ONE_DAY) + ONE_DAY  # whatever stands in the mark
        dates = [day.date for day in self.days() if (day.folder, day.kind) == (like.folder, like.kind)]
        return Day(max([first, *dates]), like.folder, like.kind)

    def rotate(self) -> bool:
        """Wrap all with the newest operator's key; where that is a file of our own, with a fresh one.

        Return whether it was ours. After a crash at any point, call it again.
        """
        with self._turning():
            with self._locked():
                ours = self._operator.ours
                if ours:
                    self._operator.renew()
                seal = self.seal_key()
            self._finish_change()
            self._change_inner_key(self.inner())
            with self._locked():
                self._seal.keep(seal)
                if ours:
                    self._operator.drop_old()
        return ours

    def days(self) -> list[Day]:
        """Return every day that has a key, oldest first."""
        return sorted(days_in(self._days))

    def terms(self, day: Day) -> Terms | None:
        """Return what was promised for the day; ``None`` if it has no key that can be read."""
        wrapped = self._read(day)
        return wrapped and wrapped.terms

    def is_destroyed(self, day: Day) -> bool:
        """Whether the day, or a later one of its site and kind, was destroyed or is being so.

        That date is written before the key dies and never goes back: whatever the clock says later, no row can
        revive a destroyed day, and a destruction that was cut short is finished.
        """
        return day.date <= self._destroyed_until(day)

    def destroy(self, doomed: Collection[Day]) -> None:
        """Make these days, and all before them, unreadable for ever. After a crash at any point, call it again.

        1. mark them as destroyed: nobody begins or finds them any more; 2. write a fresh inner key beside the old
        one; 3. wrap the living days' keys with it; 4. overwrite the old one; 5. put the fresh one in its place.
        """
        with self._turning():
            with self._locked():
                self._mark_destroyed(doomed)
            self._finish_change()  # an earlier call came as far as 2
            current = self.inner().generation
            read = [self._read(day) for day in doomed]
            if any(wrapped and wrapped.generation == current for wrapped in read):
                self._change_inner_key(InnerKey.fresh())

    def follow(self, inner: InnerKey, doomed: Collection[Day]) -> None:
        """Take over *inner* from the other hosts, with what they destroyed. After a crash, call it again."""
        with self._turning():
            with self._locked():
                self._mark_destroyed(doomed)
            self._finish_change()
            if inner.reach(self.inner().generation, steps=MISSED) is None:  # ours is older: never go back
                self._change_inner_key(inner)

    def inner(self) -> InnerKey:
        """Return the inner key: what the other hosts' days are wrapped with, too, where they share a store."""
        with self._locked():
            return self._inner_keys()[0]

    def wrapped(self, day: Day) -> WrappedDayKey | None:
        """Return the day's key as it may leave this host."""
        with self._locked():
            return self._read(day)

    def opened(self, day: Day, content: bytes) -> DayKey | None:
        """Open another host's key of the day, as `wrapped` gave it; ``None`` if the day is destroyed."""
        with self._locked():
            wrapped = WrappedDayKey.decode(content)
            if self.is_destroyed(day):
                return None
            keys = (wrapped.open(day, inner) for inner in self._inner_keys() if wrapped)
            key = next(filter(None, keys), None)
            if key is None:
                raise RecordsError(f"The inner key in {self._home} does not open day {day} of the store. Try again.")
            return key

    def hand_over(self, question: bytes) -> bytes:
        """Return the answer to another host that asks for the keys of all. Raises ValueError for no question."""
        return Handover.answer(question, self.inner(), self.seal_key(), self._operator.all())

    def ask(self) -> Handover:
        """Return a question for the keys of the other hosts."""
        return Handover(self._operator.newest())

    def receive(self, handover: Handover, answer: bytes) -> InnerKey | None:
        """Return the inner key that another host handed over; ``None`` where its operator's key is not ours.

        The seal key that came with it is ours from now on; what was sealed here by an own one is sealed anew.
        """
        taken = handover.take(answer, self._operator.all())
        if taken is None:
            return None
        inner, seal = taken
        with self._locked():
            if self._seal.is_other_than(seal):
                for kind in (VISITS, MISUSE):
                    for path in (self._days.parent / kind).glob("*/*/*.seal"):
                        path.unlink()
                self.heads.unlink(missing_ok=True)
                self._seal.keep(seal)
        return inner

    def forget(self, day: Day) -> None:
        """Remove the file with a destroyed day's key."""
        path = day.within(self._days)
        if path.exists():
            disk.remove(path)
            disk.sync_directory(path.parent)

    @property
    def _joined(self) -> bool:
        """Whether this host has to do with others, whose seal key is its own."""
        return self._shared and (self._days.parent / "host").exists()

    @property
    def _inner(self) -> Path:
        return self._home / "inner"

    @property
    def _fresh(self) -> Path:
        return self._home / "inner.fresh"

    def _locked(self) -> AbstractContextManager[None]:
        disk.make_directory(self._home)
        return disk.lock(self._home / "lock")

    def _turning(self) -> AbstractContextManager[None]:
        """Let one at a time change the inner key, in seconds. Whoever wants a day's key meanwhile waits no longer than
        for `_locked`: at midnight that is every request, since days begin when others end.
        """
        disk.make_directory(self._home)
        return disk.lock(self._home / "turning")

    def _mark(self, day: Day) -> Path:
        return self._days / day.kind / day.folder / "destroyed"

    def _destroyed_until(self, day: Day) -> date:
        try:
            return date.fromisoformat(self._mark(day).read_text("utf-8"))
        except FileNotFoundError:
            return date.min
        except ValueError:
            raise RecordsError(f"{self._mark(day)}: write the last destroyed date in it, as in 2026-08-21.") from None

    def _mark_destroyed(self, doomed: Collection[Day]) -> None:
        for mark, day in {self._mark(day): day for day in sorted(doomed)}.items():
            if not self.is_destroyed(day):
                disk.make_directory(mark.parent)
                disk.replace(mark, day.date.isoformat().encode())

    def _change_inner_key(self, fresh: InnerKey) -> None:
        """Steps 2 to 5 of `destroy`; hold `_turning`."""
        with self._locked():
            disk.replace(self._fresh, fresh.wrap(self._operator.newest()))
        self._finish_change()

    def _finish_change(self) -> None:
        """Steps 3 to 5, if there is a fresh key: meanwhile both open the days' keys, and new ones are wrapped by it."""
        if not self._fresh.exists():
            return
        with self._locked():
            fresh, *old = self._inner_keys()
        anew = {}
        for day in self.days():
            wrapped = self._read(day)
            if wrapped is None or wrapped.generation == fresh.generation or self.is_destroyed(day):
                continue
            changed = next(filter(None, (wrapped.anew(day, key, fresh) for key in old)), None)
            if changed is None:
                raise self._closed(day)
            anew[day.within(self._days)] = changed.encode()
        disk.replace_all(anew)
        with self._locked():
            disk.overwrite(self._inner)
            disk.move(self._fresh, self._inner)
            disk.sweep(self._home, *self._days.glob("*/*"))

    def _read(self, day: Day) -> WrappedDayKey | None:
        try:
            return WrappedDayKey.decode(day.within(self._days).read_bytes())
        except FileNotFoundError:
            return None

    def _open(self, day: Day) -> DayKey:
        wrapped = self._read(day)
        opened = (wrapped.open(day, inner) for inner in self._inner_keys() if wrapped)
        key = next(filter(None, opened), None)
        if key is None:
            raise self._closed(day)
        return key

    def _closed(self, day: Day) -> RecordsError:
        return RecordsError(
            f"{day.within(self._days)}: the inner key in {self._home} does not open this day. The file is older "
            "than a destruction, or was changed: put the newest copy back. If there is none, the day is lost: move "
            "the file away, or no other day can be destroyed."
        )

    def _inner_keys(self) -> list[InnerKey]:
        """The inner key; while a destruction is unfinished, both, the fresh one first."""
        present = [path for path in (self._fresh, self._inner) if path.exists()]
        if not present and not self.days():
            disk.create(self._inner, InnerKey.fresh().wrap(self._operator.newest()))
            present = [self._inner]
        contents = {path: path.read_bytes() for path in present}
        keys = [self._unwrapped(path, wrapped) for path, wrapped in contents.items() if wrapped.strip(b"\0")]
        if not keys:
            raise RecordsError(
                f"{self._home}: the inner key is gone, and with it every record in {self._days.parent}. Put "
                "the directory back, or move the records away to begin anew."
            )
        return keys

    def _unwrapped(self, path: Path, wrapped: bytes) -> InnerKey:
        key = InnerKey.unwrap(wrapped, self._operator.all())
        if key is None:
            raise self._operator.does_not_open(path)
        return key
