"""What do seals cost, and what is found how fast? ``python benchmarks/seal.py`` prints it, side by side.

Sealing and verifying our way (leaf, Merkle root a batch, one Ed25519 signature a batch) beside two plain ways over the
same frames: a chain of HMAC-SHA-256, one a row, and an Ed25519 signature a row. Both are asked for less: their keys
verify nothing for others, or their signatures are more than a quarter of the rows. Then one address among the closed
days of a quarter, with the tag files and without. CPU time of this process; the median of alternating rounds.
"""

from __future__ import annotations

import hmac
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cookiegate.config import Config, Records
from cookiegate.records import VisitLog
from cookiegate.records.segment import Segment, frames_of, segments_in
from cookiegate.records.vault import SealChecker, SealKey
from cookiegate.records.visit import Visit
from cookiegate.site import Site, Visits

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
ROWS = 100_000
DAYS, ROWS_A_DAY = 93, 20_000
NOW, A_DAY = 1_795_262_400.0, 86_400.0
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
SITE = Site("Example Shop", unknown="allow", visits=Visits(basis="security"))


def a_log() -> tuple[VisitLog, Path]:
    place = Path(tempfile.mkdtemp())
    records = Records(directory=place / "records", key_directory=place / "keys", store="files")
    log = VisitLog.open(Config(sites=(SITE,), secret_keys=("x" * 32,), records=records))
    assert log is not None
    return log, place / "records"


def visit(number: int, at: float) -> Visit:
    return Visit.of(
        SITE, time=at, address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", method="GET",
        path=f"/goods/{number}", status=200, size=18_231, duration=0.012, referrer="https://search.example.com/",
        agent=AGENT, granted=("analytics",), consent_id=f"consent {number % 5000}",
    )  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def the_frames(directory: Path) -> list[bytes]:
    (path,) = directory.rglob("*.seg")
    with frames_of(path) as frames:
        return [frame for _, frame in frames.whole()]


def hmac_chain(frames: list[bytes]) -> list[bytes]:
    tag, tags = bytes(32), []
    for frame in frames:
        tag = hmac.digest(b"k" * 32, tag + frame, "sha256")
        tags.append(tag)
    return tags


def a_signature_a_row(frames: list[bytes]) -> None:
    key = SealKey.fresh()
    signatures = [key.sign(frame) for frame in frames]
    checker = SealChecker(key.public)
    verifying.append(
        timed(lambda: [checker.verify(*pair) for pair in zip(signatures, frames, strict=True)]) / len(frames)
    )


verifying: list[float] = []


def speeds() -> None:
    log, directory = a_log()
    for number in range(ROWS):
        log.record_visit(visit(number, NOW))
    log.sync()
    frames = the_frames(directory)
    seals = log.seals
    assert seals is not None
    sealing, checking, chaining, signing = [], [], [], []
    for _ in range(ROUNDS):
        for path in [*directory.rglob("*.seal"), directory.parent / "keys" / "heads"]:
            path.unlink(missing_ok=True)
        fresh = VisitLog(log._records, (SITE,)).seals
        assert fresh is not None
        sealing.append(timed(lambda fresh=fresh: fresh.seal(NOW)) / ROWS)
        checking.append(timed(lambda: list(seals.verify())) / ROWS)
        chaining.append(timed(lambda: hmac_chain(frames)) / ROWS)
        signing.append((timed(lambda: a_signature_a_row(frames[:2000])) / 2000) - verifying[-1])
    (seal_file,) = directory.rglob("*.seal")
    assert list(seals.verify()) == []
    print(f"{'':34}{'seal, rows/s':>14}{'verify, rows/s':>16}{'bytes a row':>13}")
    lines = [
        ("ours: Merkle root, signed, a batch", sealing, checking, seal_file.stat().st_size / ROWS),
        ("HMAC chain, one a row", chaining, chaining, 32.0),
        ("Ed25519, one a row", signing, verifying, 64.0),
    ]
    for name, made, checked, size in lines:
        per_second = [1 / statistics.median(values) for values in (made, checked)]
        print(f"{name:34}{per_second[0]:>14,.0f}{per_second[1]:>16,.0f}{size:>13.1f}")
    closing = timed(lambda: seals.close(NOW + 2 * A_DAY))
    print(f"closing a day: {closing / ROWS * 1e6:.1f} µs a row (tag file, summary)")


def search() -> None:
    log, directory = a_log()
    frames = []
    for number in range(DAYS):
        at = NOW + number * A_DAY
        log.record_visit(visit(1, at))
    log.close()
    for number, day in enumerate(sorted(log._keys.days())):
        key = log._keys.find(day)
        assert key is not None
        segment = Segment(day.within(directory), key)
        for row in range(2, ROWS_A_DAY):
            kept = visit(row, NOW + number * A_DAY)
            segment.append(kept.encode(), key.tag(kept.address), key.tag(kept.consent_id))
        segment.close()
        frames.append(day)
    seals = log.seals
    assert seals is not None

    def found() -> None:
        days = [day.date for day in frames]
        reading = log.read(SITE.name, days[0], days[-1], now=NOW, who="t", why="t", address="10.0.0.77")
        assert len(list(reading)) == DAYS

    wall = []
    for closed in (False, True):
        if closed:
            seals.close(NOW + (DAYS + 2) * A_DAY)
        times = []
        for _ in range(ROUNDS):
            times.append(timed(found))
        wall.append(statistics.median(times) * 1000)
    size = sum(path.stat().st_size for day in frames for path in segments_in(day.within(directory))) >> 20
    print(
        f"one address in {DAYS} days × {ROWS_A_DAY:,} rows ({size} MB), ms: {wall[0]:.0f} without tag files,", end=" "
    )
    print(f"{wall[1]:.0f} with")


if __name__ == "__main__":
    speeds()
    if "--all" in sys.argv:
        search()
