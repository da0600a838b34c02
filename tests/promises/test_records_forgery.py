"""Whoever changes what was sealed is found, with the place; whoever destroys or erases lawfully is not."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.contract.world import Clock
from tests.promises.shop import agree, at, destroyed, live, put_back, teller, wait
from tests.visits.place import Place, ask, command
from tests.visits.test_visit_purge import end_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TODAY = datetime.now(UTC).date()  # what lies behind today is over for who reads today
ROWS = 6


class Sealed(NamedTuple):
    """One writer's segment of a sealed log, and where its rows begin, learnt from how it grew."""

    place: Place
    segment: Path
    starts: list[int]

    def row(self, number: int) -> bytes:
        return self.segment.read_bytes()[self.starts[number] : self.starts[number + 1]]

    def verify(self, *options: str) -> tuple[int, str]:
        code, said = asked(self.place, "verify", *options)
        return code, " ".join(said.split())


def asked(place: Place, *arguments: str) -> tuple[int, str]:
    return command(*arguments, "--config", str(place.path))


@pytest.fixture
def sealed(place: Place) -> Sealed:
    """Two writers, two days, all sealed."""
    clock = Clock(at(f"{TODAY}T10:00"))
    one, two = place.app(teller, clock), place.app(teller, clock)
    ask(one, "/other-writer")
    other = set(place.segments())
    starts = []
    for number in range(ROWS):
        ask(two, f"/{number}")
        [segment] = set(place.segments()) - other
        starts.append(segment.stat().st_size)
    clock.forward(days=1)
    ask(one, "/tomorrow")
    place.end()
    assert asked(place, "checkpoint")[0] == 0
    size = {after - before for before, after in pairwise(starts)}
    assert len(size) == 1  # rows as alike as these are equally long
    return Sealed(place, segment, [starts[0] - size.pop(), *starts])


def changed(sealed: Sealed, *rows: bytes) -> bytes:
    return sealed.segment.read_bytes()[: sealed.starts[0]] + b"".join(rows)


def flipped(row: bytes) -> bytes:
    return row[:40] + bytes([row[40] ^ 1]) + row[41:]


FORGERIES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "a byte flipped": (lambda rows: [*rows[:2], flipped(rows[2]), *rows[3:]], 2),
    "a row deleted": (lambda rows: [*rows[:3], *rows[4:]], 3),
    "the first row deleted": (lambda rows: rows[1:], 0),
    "a row inserted": (lambda rows: [*rows[:4], rows[0], *rows[4:]], 4),
    "a row repeated": (lambda rows: [*rows[:2], rows[1], *rows[2:]], 2),
    "two rows reordered": (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], 1),
    "the last row cut off": (lambda rows: rows[:-1], ROWS - 1),
    "half of the last row cut off": (lambda rows: [*rows[:-1], rows[-1][:9]], ROWS - 1),
}


def test_each_forgery_is_found_with_its_day_writer_and_row(sealed: Sealed) -> None:
    whole = sealed.segment.read_bytes()
    rows = [sealed.row(number) for number in range(ROWS)]
    assert sealed.verify()[0] == 0
    for name, (forge, number) in FORGERIES.items():
        sealed.segment.write_bytes(changed(sealed, *forge(rows)))
        code, said = sealed.verify()
        assert code == 1, name
        for place in (str(TODAY), sealed.segment.stem, f"row {number}", f"byte {sealed.starts[number]}"):
            assert place in said, (name, place, said)
        sealed.segment.write_bytes(whole)
    assert sealed.verify()[0] == 0


def test_any_flipped_bit_of_a_segment_its_seals_or_the_ledgers_statements_is_found(sealed: Sealed) -> None:
    chance = random.Random(5)
    for path in (sealed.segment, *sealed.place.records.rglob("*.seal")):
        whole = path.read_bytes()
        for byte in chance.sample(range(len(whole)), min(12, len(whole))):
            path.write_bytes(whole[:byte] + bytes([whole[byte] ^ 1 << chance.randrange(8)]) + whole[byte + 1 :])
            assert sealed.verify()[0] == 1, (path.name, byte)
        path.write_bytes(whole)
    assert sealed.verify()[0] == 0


def test_a_removed_segment_and_a_removed_day_are_found(sealed: Sealed) -> None:
    day, kept = sealed.segment.parent, sealed.place.root / "kept"
    shutil.copytree(sealed.place.records, kept)
    for removed in (sealed.segment, day):
        removed.rename(sealed.place.root / f"removed-{removed.name}")
        code, said = sealed.verify()
        assert code == 1
        assert str(TODAY) in said
        put_back(kept, sealed.place.records)
    assert sealed.verify()[0] == 0


def test_a_tail_cut_with_its_seals_is_found_by_a_checkpoint_kept_elsewhere(sealed: Sealed) -> None:
    """By somebody who has the keys as well, and put everything back as it was two rows ago."""
    place, before = sealed.place, sealed.place.root / "before"
    shutil.copytree(place.records, before / "records")
    shutil.copytree(place.keys, before / "keys")
    ask(place.app(teller), "/cut-off")
    place.end()
    kept = place.root / "elsewhere.json"
    kept.write_text(asked(place, "checkpoint")[1])
    assert sealed.verify("--checkpoint", str(kept))[0] == 0
    put_back(before / "records", place.records)
    put_back(before / "keys", place.keys)
    assert sealed.verify()[0] == 0  # of itself the rest is whole
    code, said = sealed.verify("--checkpoint", str(kept))
    assert code == 1
    assert str(TODAY) in said


def test_lawful_destruction_and_erasure_leave_all_that_lives_verified(place: Place) -> None:
    place.declare(visits='basis = "security"\nretention = "P1M"')
    clock = Clock(at(f"{TODAY}T10:00"))
    app = place.app(teller, clock)
    ask(app, "/destroyed")
    clock.forward(days=1)
    receipt, consent_id = agree(app)
    ask(app, "/erased", [(b"cookie", receipt)])
    ask(app, "/stays")
    assert asked(place, "checkpoint")[0] == 0
    code, said = asked(place, "erase", "--site", "Shop", "--consent-id", consent_id, "--why", "request 7")
    assert (code, said.startswith("Erased 2 rows.")) == (0, True), said
    assert "/erased" not in place.paths()
    assert asked(place, "verify")[0] == 0
    live(app, clock, at(f"{end_of(TODAY, 1)}T00:00:01"))
    wait(lambda: bool(ask(app, "/now")) and str(TODAY) in destroyed(place))
    place.end(app)
    assert "/stays" in place.paths()
    code, said = asked(place, "verify")
    assert code == 0, said
    assert asked(place, "checkpoint")[0] == 0
    newest = place.segments()[-1]
    newest.write_bytes(flipped(newest.read_bytes()))
    assert asked(place, "verify")[0] == 1  # and still finds what is not lawful
