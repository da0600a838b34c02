"""Segments: what is torn, zero-filled or changed ends the reading, and nothing wrong is ever given back."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiegate.errors import RecordsError
from cookiegate.records import VISITS, Day, segment, vault
from cookiegate.records.day import Terms
from cookiegate.records.segment import AT_ADDRESS, AT_CONSENT, MAX_FRAME, Frames, Segment, frames_of
from cookiegate.records.vault import DayKey
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cookiegate.records import Visit, VisitLog

DAY = Day(date(2026, 11, 21), "shop", VISITS)
KEY = DayKey(DAY, Terms("Shop", "UTC", "P3M", "security"), b"d" * 32)
ROWS = [f"row {number}".encode() * number for number in range(1, 6)]


@pytest.fixture
def written(tmp_path: Path) -> tuple[bytes, bytes]:
    """A segment of five rows and its writer's id."""
    writing = Segment(tmp_path / "day", KEY)
    for number, row in enumerate(ROWS):
        writing.append(row, KEY.tag(f"address {number % 2}"), KEY.tag("consent"))
    writing.sync()
    writing.close()
    (path,) = (tmp_path / "day").iterdir()
    return path.read_bytes(), bytes.fromhex(path.stem)


def test_a_whole_segment_gives_every_row_and_no_damage(written: tuple[bytes, bytes]) -> None:
    frames = Frames(*written)
    assert list(frames.rows(KEY)) == ROWS
    assert frames.damage == 0
    assert len(frames) == 5


def test_a_segment_cut_at_any_byte_gives_the_whole_frames_before_it(written: tuple[bytes, bytes]) -> None:
    data, writer = written
    for cut in range(len(data)):
        frames = Frames(data[:cut], writer)
        given_back = list(frames.rows(KEY))
        assert given_back == ROWS[: len(given_back)]
        assert frames.damage == cut - sum(map(len, _frames(data)[: len(given_back)]))


@pytest.mark.parametrize("zeros", [1, 7, 8, 33, 4096, 100_000])
def test_a_zero_filled_tail_ends_the_segment_and_is_counted(written: tuple[bytes, bytes], zeros: int) -> None:
    frames = Frames(written[0] + bytes(zeros), written[1])
    assert list(frames.rows(KEY)) == ROWS
    assert frames.damage == zeros


def test_any_flipped_byte_ends_the_segment_before_its_frame(written: tuple[bytes, bytes]) -> None:
    data, writer = written
    ends = [sum(map(len, _frames(data)[: n + 1])) for n in range(5)]
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 0x40
        frames = Frames(bytes(changed), writer)
        assert list(frames.rows(KEY)) == ROWS[: sum(end <= place for end in ends)]
        assert frames.damage


def test_a_frame_repeated_or_out_of_order_ends_the_segment(written: tuple[bytes, bytes]) -> None:
    first, second, *_ = _frames(written[0])
    assert list(Frames(first + first, written[1]).rows(KEY)) == ROWS[:1]
    assert list(Frames(second + first, written[1]).rows(KEY)) == ROWS[1:2]


def test_a_good_checksum_over_a_changed_row_does_not_help(written: tuple[bytes, bytes]) -> None:
    from zlib import crc32

    changed = bytearray(_frames(written[0])[0])
    changed[-1] ^= 1
    changed[4:8] = crc32(changed[8:]).to_bytes(4, "little")
    frames = Frames(bytes(changed), written[1])
    assert list(frames.rows(KEY)) == []
    assert frames.damage == len(changed)
    assert list(Frames(bytes(changed), written[1]).tagged(KEY, KEY.tag("consent"), AT_CONSENT)) == []


def test_rows_are_found_by_their_tag_alone(written: tuple[bytes, bytes]) -> None:
    assert list(Frames(*written).tagged(KEY, KEY.tag("address 1"), AT_ADDRESS)) == ROWS[1::2]
    assert list(Frames(*written).tagged(KEY, KEY.tag("consent"), AT_CONSENT)) == ROWS
    assert list(Frames(*written).tagged(KEY, KEY.tag("consent"), AT_ADDRESS)) == []
    assert list(Frames(*written).tagged(KEY, KEY.tag("nobody"), AT_ADDRESS)) == []


def test_the_longest_row_stays_below_the_longest_frame(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    much = '"\\\x00한' * 5000
    log.record_visit(
        a_visit(
            site,
            path="/" + much,
            agent=much,
            referrer="https://" + "a" * 5000,
            address=much,
            method=much,
            granted=("analytics", much),
            consent_id=much,
        )
    )
    (path,) = (tmp_path / "records").rglob("*.seg")
    assert 3700 < path.stat().st_size < MAX_FRAME
    (row,) = log.read(site.name, date.min, date.max, now=NOON, who="t", why="t")
    assert row.path.startswith('/"\\\x00한"')  # type: ignore[union-attr]


def test_an_empty_segment_leaves_no_file(tmp_path: Path) -> None:
    Segment(tmp_path / "day", KEY, strict=True).close()
    assert list((tmp_path / "day").iterdir()) == []
    (tmp_path / "day" / f"{'0' * 32}.seg").touch()
    with frames_of(tmp_path / "day" / f"{'0' * 32}.seg") as frames:
        assert len(frames) == 0


@pytest.mark.parametrize("step", ["fcntl.flock", "cookiegate.records.disk.sync_directory"])
def test_a_segment_that_cannot_be_made_leaves_no_file_and_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    Segment(tmp_path / "day", KEY, strict=True).close()
    free = os.dup(0)
    os.close(free)
    monkeypatch.setattr(step, _fails(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        Segment(tmp_path / "day", KEY, strict=True)
    monkeypatch.undo()
    assert list((tmp_path / "day").iterdir()) == []
    again = os.dup(0)
    os.close(again)
    assert again == free


class Watched:
    """AES-GCM that writes down each key and nonce it encrypts with."""

    def __init__(self, used: int, key: bytes) -> None:
        self._used, self._key, self._real = used, key, AESGCM(key)
        self.decrypt = self._real.decrypt

    def encrypt(self, nonce: bytes, data: bytes, bound_to: bytes) -> bytes:
        os.write(self._used, f"{self._key.hex()}:{nonce.hex()}\n".encode())
        return self._real.encrypt(nonce, data, bound_to)


STEPS = st.lists(
    st.sampled_from(["write", "fork", "restart", "no space", "error", "tomorrow", "set back", "sync"]), max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_nonce_is_ever_used_twice(
    steps: list[str], open_log: OpenLog, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not across fork, restart, a full disk, failing writes and steps of the clock."""
    place = tmp_path_factory.mktemp("nonces")
    used = os.open(place / "used", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    site = a_site()
    now = NOON
    with monkeypatch.context() as patch:
        patch.setattr(vault, "AESGCM", partial(Watched, used))
        log = open_log(place, site=site)
        for step in ["write", *steps, "write"]:
            if step == "fork":
                child = os.fork()
                if not child:
                    with suppress(BaseException):
                        for _ in range(3):
                            log.record_visit(a_visit(site, now))
                    os._exit(0)
                os.waitpid(child, 0)
            elif step == "restart":
                log = open_log(place, site=site)
            elif step == "sync":
                log.sync()
            else:
                now += {"tomorrow": A_DAY, "set back": -2 * A_DAY}.get(step, 2)
                _write(log, a_visit(site, now), step, patch)
    os.close(used)
    lines = (place / "used").read_text().split()
    assert len(lines) >= 2
    assert len(set(lines)) == len(lines)


def _write(log: VisitLog, visit: Visit, step: str, patch: pytest.MonkeyPatch) -> None:
    """Record the visit on a disk that is full in the middle of the frame, or fails once."""
    writes = {
        "no space": [lambda file, data: os.write(file, data[:20]), _fails(28)],
        "error": [_fails(5)],
    }.get(step, [])

    class Disk:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def write(self, file: int, data: bytes) -> int:
            return int(writes.pop(0)(file, data)) if writes else os.write(file, data)

    with patch.context() as failing:
        failing.setattr(segment, "os", Disk())
        log.record_visit(visit)


def _fails(number: int) -> Callable[..., int]:
    def write(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return write


def _frames(data: bytes) -> list[bytes]:
    frames = []
    while data:
        length = int.from_bytes(data[:4], "little")
        frames.append(data[:length])
        data = data[length:]
    return frames


def test_a_refused_row_raises_where_the_site_wants_that(open_log: OpenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    site = a_site()
    serving, refusing = open_log(site=site), open_log(site=site, when_full="refuse")
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    serving.record_visit(a_visit(site))
    assert serving.health(NOON).lost == 1
    with pytest.raises(RecordsError, match="No space left"):
        refusing.record_visit(a_visit(site))
