"""Verifying: does all that was sealed still stand as it was? Neither a day's nor the operator's key is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from cookiegate.period import Period
from cookiegate.records.day import MISUSE, ONE_DAY, VISITS, folder_of
from cookiegate.records.entries import DAY, ERASED, EXPIRED
from cookiegate.records.heads import Heads
from cookiegate.records.retention import destroyed_from
from cookiegate.records.seal import NOTHING, Chain, Seal, difference, root
from cookiegate.records.sealing import day_of, destroyed_in
from cookiegate.records.tags import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.entries import Destruction, Statement
    from cookiegate.records.evidence import Evidence, Leaves, Sealed
    from cookiegate.records.heads import Head
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.shared_ledger import SharedLedger


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not stand as it was sealed, and where: *row* counts from 0 in the writer's segment, so does *byte*."""

    what: str
    day: str = ""
    writer: str = ""
    row: int | None = None
    byte: int | None = None

    def __str__(self) -> str:
        place = [self.day, f"writer {self.writer}" if self.writer else ""]
        place += [f"row {self.row}, byte {self.byte}" if self.row is not None else ""]
        return f"{', '.join(filter(None, place))}: {self.what}." if any(place) else f"{self.what}."


class Verification:
    """Iterate over the faults, once. *done* of *total* bytes are read; *rows* sealed ones fit, *unsealed* are younger.

    *sources* say where rows lie; those of a writer that is in several must be complete in the first. *wanted* narrows
    it. *checkpoints* were kept elsewhere.
    *advance* is called when *done* has grown. Iterating raises OSError and RecordsError.
    """

    def __init__(
        self,
        directory: Path,
        keys: Keys,
        ledger: Ledger | SharedLedger,
        sources: list[Evidence],
        *,
        wanted: Callable[[Day], bool],
        checkpoints: list[Heads],
    ) -> None:
        self._directory, self._keys, self._ledger = directory, keys, ledger
        self._checker = keys.seal_checker()
        self._sources, self._wanted = sources, wanted
        self._seen: set[str] = set()
        self._checkpoints = [Heads.load(keys.heads), *checkpoints]
        self._heads: dict[str, set[Head]] = {}
        self._leaves: dict[str, dict[int, bytes]] = {}  # of erased rows, by place and number
        self._expired: set[str] = set()  # digests of access records whose time was over
        self._searched: dict[str, str] = {}  # the hash of each closed day's tag file
        self.total = sum(source.size(day) for source in sources for day in source.days() if wanted(day))
        self.advance: Callable[[], None] = lambda: None
        self.done = self.rows = self.unsealed = 0
        self.closed = self.destroyed = 0

    def __iter__(self) -> Iterator[Fault]:
        yield from self._check_ledger()
        for heads in self._checkpoints:
            for place, head in heads.writers.items():
                self._heads.setdefault(place, set()).add(head)
        days: set[Day] = set()
        for source in self._sources:  # one after the other: what is moved meanwhile is met in the next
            for day in filter(self._wanted, source.days()):
                days.add(day)
                for sealed in source.of(day):
                    before = self.done
                    faults = list(self._check_writer(sealed))
                    if not (faults and str(day) in destroyed_in(self._ledger)):
                        yield from faults
                    self._seen.add(sealed.place)
                    self.done = before + sealed.frames.size
        for day in sorted(days):
            yield from self._check_search(day)
        yield from self._check_gone()

    def _check_ledger(self) -> Iterator[Fault]:
        """Check the chain of statements, and that every entry has one; learn what they say."""
        (entries, statements), heads, digests = self._ledger.whole(), {0: NOTHING}, set[str]()
        broken = list(self._check_statements(statements, heads, digests))
        yield from broken
        if broken:
            return
        for checkpoint in self._checkpoints:
            count, head = checkpoint.ledger
            if heads.get(count) != head:
                yield Fault(f"the ledger's tail is cut or was written anew: it had {count} statements")
        for digest in entries.keys() - digests:
            yield Fault(f"the ledger's entry ({entries[digest]}) was changed, or slipped in by somebody else")
        if gone := len(digests - entries.keys() - self._expired):
            yield Fault(f"entries are gone from the ledger, or were changed: {gone}")

    def _check_statements(
        self, statements: list[Statement], heads: dict[int, bytes], digests: set[str]
    ) -> Iterator[Fault]:
        before = NOTHING
        for number, statement in enumerate(statements, 1):
            if statement.number != number or statement.before != before:
                yield Fault(f"the ledger's statement {number} is gone, or not the one that was sealed")
                return
            if not self._checker.verify(statement.signature, statement.signed):
                yield Fault(f"the ledger's statement {number} was changed or is not ours")
                return
            before = heads[number] = statement.head
            digests.update(self._learn(statement.what, statement.about, statement.values))

    def _learn(self, what: str, about: str, values: dict[str, Any]) -> Iterator[str]:
        """Take up what a statement says; yield the digest of an entry."""
        if what == "entry":
            yield values["digest"]
        elif what == EXPIRED:
            self._expired.update(values["digests"])
        elif what == DAY:
            self._searched[about] = values["tags"]
            for writer, (_, _, count, head) in values["writers"].items():
                self._heads.setdefault(f"{about}/{writer}", set()).add((count, bytes.fromhex(head)))
        elif what == ERASED:
            leaves = self._leaves.setdefault(f"{about}/{values['writer']}", {})
            leaves.update((int(number), bytes.fromhex(text)) for number, text in values["rows"].items())

    def _check_writer(self, sealed: Sealed) -> Iterator[Fault]:
        """Check one writer's seals, and the rows against them; of what is wrong, the first."""
        chain, leaves, frames = Chain(sealed.place), self._leaves.get(sealed.place, {}), sealed.frames
        seals: list[Seal] = []
        fault = ""
        for seal in chain.follow(sealed.seals):
            seals.append(seal)
            fault = fault or self._check_chain(chain, seals) or self._check_rows(sealed, seal, leaves)
        fault = fault or self._check_end(chain, sealed)
        if fault:
            where = difference(b"".join(seal.marks for seal in seals), list(sealed.marks(leaves)), frames.size)
            if where and fault.startswith("rows"):
                yield Fault(where.what, str(sealed.day), sealed.writer, where.row, where.byte)
            else:
                yield Fault(fault, str(sealed.day), sealed.writer)
            return
        yield from self._check_rest(chain, sealed)

    def _check_rest(self, chain: Chain, sealed: Sealed) -> Iterator[Fault]:
        """Check what lies beside sealed rows."""
        day, writer, left = str(sealed.day), sealed.writer, len(sealed.seals) - chain.size
        if left:
            yield Fault(f"its seals end in {left} bytes that are none", day, writer)
        elif sealed.complete and sealed.frames.size > chain.end:
            yield Fault("rows were added that nobody sealed", day, writer, chain.rows, chain.end)
        elif sealed.misplaced is not None:
            byte = next(islice((at for at, _ in sealed.frames.whole()), sealed.misplaced, None), sealed.frames.size)
            yield Fault("a row is kept under another number or tag than its own", day, writer, sealed.misplaced, byte)
        else:
            self.unsealed += sum(1 for _ in sealed.frames.whole(chain.end))

    def _check_chain(self, chain: Chain, seals: list[Seal]) -> str:
        seal = seals[-1]
        before = seals[-2] if len(seals) > 1 else None
        follows = seal.before == (before.head if before else NOTHING) and seal.begin == (before.end if before else 0)
        if seal.number != len(seals) or not follows:
            return f"its seal {len(seals)} is gone, or not the one that was made"
        if not self._checker.verify(seal.signature, seal.signed(chain.place)):
            return f"its seal {seal.number} was changed or is not ours"
        return ""

    def _check_rows(self, sealed: Sealed, seal: Seal, erased_leaves: Leaves) -> str:
        leaves = sealed.leaves(seal, erased_leaves)
        if len(leaves) != seal.rows or root(leaves) != seal.root:
            return f"rows under seal {seal.number} are not those that were sealed"
        self.rows += seal.rows if sealed.place not in self._seen else 0
        self.done += seal.end - seal.begin
        self.advance()
        return ""

    def _check_end(self, chain: Chain, sealed: Sealed) -> str:
        """Check that the chain reaches as far as others know that it did; once for each writer."""
        for count, head in sorted(self._heads.get(chain.place, ())) if chain.place not in self._seen else ():
            if not chain.holds(count, head):
                return f"its seals are cut or were made anew: there were {count}, now {chain.count}"
        return "rows are cut off" if sealed.frames.size < chain.end else ""

    def _check_search(self, day: Day) -> Iterator[Fault]:
        known = self._searched.get(str(day))
        if known is None:
            return
        self.closed += not self._keys.is_destroyed(day)
        found = digest_of(day.within(self._directory))
        if found and found != known and str(day) not in destroyed_in(self._ledger):
            yield Fault("its tag file was changed: remove it, and the rows themselves are searched", str(day))

    def _check_gone(self) -> Iterator[Fault]:
        """Check that what is gone was destroyed, that the ledger says so, and that its time was over."""
        entered = destroyed_in(self._ledger)
        for entry in self._ledger.destructions():
            if entry.kind in {VISITS, MISUSE} and entry.retention and entry.at[:10] < _earliest(entry):
                what = f"destroyed on {entry.at}, before its time was over ({entry.retention})"
                yield Fault(what, f"{entry.kind}/{folder_of(entry.site)}/{entry.day}")
        gone = sorted(place for place in self._heads.keys() - self._seen if self._wanted(day_of(place)))
        self.destroyed = len({str(day_of(place)) for place in gone} & entered)
        for place in gone:
            day, _, writer = place.rpartition("/")
            if day not in entered:
                yield Fault("the segment is gone, and the ledger knows of no destruction", day, writer)


def _earliest(entry: Destruction) -> str:
    """Return the date in UTC before which no zone's clock lets the day be destroyed."""
    return (destroyed_from(date.fromisoformat(entry.day), Period.model_validate(entry.retention)) - ONE_DAY).isoformat()
