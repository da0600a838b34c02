"""Verifying: does all that was sealed still stand as it was? Neither a day's nor the operator's key is needed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from cookiegate.period import Period
from cookiegate.records.closing import DAY, ERASED
from cookiegate.records.day import MISUSE, ONE_DAY, VISITS, folder_of
from cookiegate.records.heads import Heads
from cookiegate.records.ledger import EXPIRED
from cookiegate.records.retention import destroyed_from
from cookiegate.records.seal import MARK, NOTHING, Chain, difference, leaf, root
from cookiegate.records.sealing import SUFFIX, day_of, days_of, destroyed_in
from cookiegate.records.segment import AT_NUMBER, AT_VERSION, MAX_FRAME, erased, frames_of, segments_in
from cookiegate.records.segment import ERASED as ERASED_FRAME
from cookiegate.records.tags import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.heads import Head
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Destruction, Ledger
    from cookiegate.records.seal import Seal
    from cookiegate.records.segment import Frames


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

    *wanted* narrows it. *checkpoints* were kept elsewhere.
    *advance* is called when *done* has grown. Iterating raises OSError and RecordsError.
    """

    def __init__(
        self, directory: Path, keys: Keys, ledger: Ledger, *, wanted: Callable[[Day], bool], checkpoints: list[Heads]
    ) -> None:
        self._directory, self._keys, self._ledger = directory, keys, ledger
        self._checker = keys.seal_checker()
        self._wanted = wanted
        self._days = [day for day in days_of(directory) if wanted(day)]
        self._checkpoints = [Heads.load(keys.heads), *checkpoints]
        self._heads: dict[str, set[Head]] = {}
        self._leaves: dict[str, dict[int, bytes]] = {}  # of erased rows, by place and number
        self._expired: set[str] = set()  # digests of access records whose time was over
        self._searched: dict[str, str] = {}  # the hash of each closed day's tag file
        self.total = sum(path.stat().st_size for day in self._days for path in segments_in(day.within(directory)))
        self.advance: Callable[[], None] = lambda: None
        self.done = self.rows = self.unsealed = 0
        self.closed = self.destroyed = 0

    def __iter__(self) -> Iterator[Fault]:
        yield from self._check_ledger()
        for heads in self._checkpoints:
            for place, head in heads.writers.items():
                self._heads.setdefault(place, set()).add(head)
        seen = set()
        for day in self._days:
            for path in segments_in(day.within(self._directory)):
                place = f"{day}/{path.stem}"
                seen.add(place)
                with suppress(FileNotFoundError):  # destroyed just now
                    before, size = self.done, path.stat().st_size
                    faults = list(self._check_segment(day, place, path))
                    if not (faults and str(day) in destroyed_in(self._ledger)):
                        yield from faults
                    self.done = before + size
            yield from self._check_search(day)
        yield from self._check_gone(seen)

    def _check_ledger(self) -> Iterator[Fault]:
        """Check the chain of statements, and that every entry has one; learn what they say."""
        entries, heads, digests = self._ledger.entries(), {0: NOTHING}, set[str]()
        broken = list(self._check_statements(heads, digests))
        yield from broken
        if broken:
            return
        for checkpoint in self._checkpoints:
            count, head = checkpoint.ledger
            if heads.get(count) != head:
                yield Fault(f"the ledger's tail is cut or was written anew: it had {count} statements")
        for digest in entries.keys() - digests:
            yield Fault(f"the ledger's entry ({entries[digest]}) was changed, or slipped in by somebody else")
        now = self._ledger.entries()  # read anew: some may have come meanwhile
        if gone := len(digests - now.keys() - self._expired):
            yield Fault(f"entries are gone from the ledger, or were changed: {gone}")

    def _check_statements(self, heads: dict[int, bytes], digests: set[str]) -> Iterator[Fault]:
        before = NOTHING
        for number, statement in enumerate(self._ledger.statements(), 1):
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

    def _check_segment(self, day: Day, place: str, path: Path) -> Iterator[Fault]:
        """Check one writer's seals, and the rows against them; of what is wrong, the first."""
        chain, leaves = Chain(place), self._leaves.get(place, {})
        seals, fault = [], None
        content = _content(path.with_suffix(SUFFIX))
        with frames_of(path) as frames:
            for seal in chain.follow(content):
                seals.append(seal)
                fault = fault or self._check_chain(chain, seals) or self._check_rows(place, seal, frames, leaves)
            fault = fault or self._check_end(chain, frames)
            if fault:
                where = difference(b"".join(seal.marks for seal in seals), list(_marks(frames, leaves)), frames.size)
                if where and fault.startswith("rows"):
                    yield Fault(where.what, str(day), path.stem, where.row, where.byte)
                else:
                    yield Fault(fault, str(day), path.stem)
                return
            self.unsealed += sum(1 for _ in frames.whole(chain.end))
        if len(content) > chain.size:
            yield Fault(f"its seals end in {len(content) - chain.size} bytes that are none", str(day), path.stem)

    def _check_chain(self, chain: Chain, seals: list[Seal]) -> str:
        seal = seals[-1]
        before = seals[-2] if len(seals) > 1 else None
        follows = seal.before == (before.head if before else NOTHING) and seal.begin == (before.end if before else 0)
        if seal.number != len(seals) or not follows:
            return f"its seal {len(seals)} is gone, or not the one that was made"
        if not self._checker.verify(seal.signature, seal.signed(chain.place)):
            return f"its seal {seal.number} was changed or is not ours"
        return ""

    def _check_rows(self, place: str, seal: Seal, frames: Frames, erased_leaves: dict[int, bytes]) -> str:
        leaves = _leaves(frames, seal, erased_leaves)
        if len(leaves) != seal.rows or root(leaves) != seal.root:
            return f"rows under seal {seal.number} are not those that were sealed"
        self.rows += seal.rows
        self.done += seal.end - seal.begin
        self.advance()
        return ""

    def _check_end(self, chain: Chain, frames: Frames) -> str:
        """Check that the chain reaches as far as others know that it did."""
        for count, head in sorted(self._heads.get(chain.place, ())):
            if not chain.holds(count, head):
                return f"its seals are cut or were made anew: there were {count}, now {chain.count}"
        return "rows are cut off" if frames.size < chain.end else ""

    def _check_search(self, day: Day) -> Iterator[Fault]:
        known = self._searched.get(str(day))
        if known is None:
            return
        self.closed += not self._keys.is_destroyed(day)
        found = digest_of(day.within(self._directory))
        if found and found != known and str(day) not in destroyed_in(self._ledger):
            yield Fault("its tag file was changed: remove it, and the rows themselves are searched", str(day))

    def _check_gone(self, seen: set[str]) -> Iterator[Fault]:
        """Check that what is gone was destroyed, that the ledger says so, and that its time was over."""
        entered = destroyed_in(self._ledger)
        for entry in self._ledger.destructions():
            if entry.kind in {VISITS, MISUSE} and entry.retention and entry.at[:10] < _earliest(entry):
                what = f"destroyed on {entry.at}, before its time was over ({entry.retention})"
                yield Fault(what, f"{entry.kind}/{folder_of(entry.site)}/{entry.day}")
        gone = sorted(place for place in self._heads.keys() - seen if self._wanted(day_of(place)))
        self.destroyed = len({str(day_of(place)) for place in gone} & entered)
        for place in gone:
            day, _, writer = place.rpartition("/")
            if day not in entered:
                yield Fault("the segment is gone, and the ledger knows of no destruction", day, writer)


def _earliest(entry: Destruction) -> str:
    """Return the date in UTC before which no zone's clock lets the day be destroyed."""
    return (destroyed_from(date.fromisoformat(entry.day), Period.model_validate(entry.retention)) - ONE_DAY).isoformat()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _leaves(frames: Frames, seal: Seal, erased_leaves: dict[int, bytes]) -> list[bytes]:
    """Return the leaves of the frames under a seal, as far as they can be told apart."""
    data, at, end = frames.data, seal.begin, seal.end
    found: list[bytes] = []
    while at < end and len(found) <= seal.rows:
        length = int.from_bytes(data[at : at + 4], "little")
        frame = data[at : at + length]
        if not AT_NUMBER + 8 <= length <= end - at or len(frame) < length:
            return []
        found.append(_leaf(frame, erased_leaves) or NOTHING)
        at += length
    return found if at == end else []


def _leaf(frame: bytes, erased_leaves: dict[int, bytes]) -> bytes | None:
    """Return the leaf of a frame: of an erased one, what the statement of its erasure kept."""
    if frame[AT_VERSION] != ERASED_FRAME:
        return leaf(frame)
    number = int.from_bytes(frame[AT_NUMBER : AT_NUMBER + 8], "little")
    return erased_leaves.get(number) if frame == erased(frame) else None


def _marks(frames: Frames, erased_leaves: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield byte and mark of every row; where none can be read, an empty mark, and on to the next that can."""
    at, data = 0, frames.data
    while at < frames.size:
        whole = frames.whole_at(at)
        if whole:
            yield at, (_leaf(data[at : at + whole[0]], erased_leaves) or b"")[:MARK]
            at += whole[0]
            continue
        yield at, b""
        nexts = (place for place in range(at + 1, min(at + 2 * MAX_FRAME, frames.size)) if frames.whole_at(place))
        at = next(nexts, frames.size)
