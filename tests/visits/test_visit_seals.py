"""``cookiegate verify``, ``checkpoint``, ``erase`` and ``keys rotate``, as an operator meets them."""

from __future__ import annotations

import sys
from subprocess import run
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Answer
from tests.visits.place import Place, ask, command, health
from tests.visits.test_visit_purge import WITHOUT_EXTRAS

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Answer(b"x", content_type="text/plain")


@pytest.fixture
def sealed(place: Place) -> Place:
    """A log of four rows, sealed because somebody wanted a checkpoint of it."""
    app = place.app(PLAIN)
    for number in range(4):
        ask(app, f"/{number}")
    place.end()
    assert asked(place, "checkpoint")[0] == 0
    return place


def asked(place: Place, *arguments: str) -> tuple[int, str]:
    return command(*arguments, "--config", str(place.path))


def segment(place: Place) -> Path:
    (path,) = (place.records / "visits").rglob("*.seg")
    return path


def flip(path: Path, byte: int) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)


def test_verify_says_what_stands_and_fails_at_a_flipped_byte_with_its_place(sealed: Place) -> None:
    code, said = asked(sealed, "verify")
    assert (code, said.startswith("4 rows stand as they were sealed.")) == (0, True), said
    flip(segment(sealed), 50)
    code, said = asked(sealed, "verify")
    assert code == 1
    assert f"writer {segment(sealed).stem}, row 0, byte 0: a row was changed." in " ".join(said.split())
    assert asked(sealed, "verify", "--site", "another")[0] == 0
    assert asked(sealed, "verify", "--day", "2020-02-29")[0] == 0
    assert asked(sealed, "verify", "--day", segment(sealed).parent.name)[0] == 1


def test_a_tail_cut_by_somebody_with_the_keys_is_found_by_a_checkpoint(sealed: Place) -> None:
    kept = sealed.root / "kept elsewhere"
    kept.write_text(asked(sealed, "checkpoint")[1])
    assert asked(sealed, "verify", "--checkpoint", str(kept))[0] == 0
    for path in (segment(sealed), segment(sealed).with_suffix(".seal"), sealed.keys / "heads"):
        path.unlink()
    assert asked(sealed, "verify")[0] == 0
    code, said = asked(sealed, "verify", "--checkpoint", str(kept))
    assert code == 1
    assert "the ledger knows of no destruction" in " ".join(said.split())


@pytest.mark.parametrize("extras", [True, False], ids=["python -m", "without extras"])
def test_verify_runs_for_cron(sealed: Place, extras: bool) -> None:
    start = [sys.executable, *(["-m", "cookiegate"] if extras else ["-c", WITHOUT_EXTRAS])]
    line = [*start, "verify", *(["--config"] if extras else []), "cookiegate.toml"]
    fine = run(line, cwd=sealed.root, capture_output=True, text=True, timeout=60, check=False)
    assert (fine.returncode, fine.stdout[:6]) == (0, "4 rows"), fine.stderr
    flip(segment(sealed), 50)
    found = run(line, cwd=sealed.root, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 1
    assert "row 0, byte 0" in found.stdout


def test_verify_needs_something_that_was_kept(place: Place) -> None:
    assert asked(place, "verify")[0] == 1
    assert not place.records.exists()
    app = place.app(PLAIN)
    ask(app)
    place.end()
    assert asked(place, "checkpoint")[0] == 0
    (place.records / "ledger.db").unlink()
    assert asked(place, "verify")[0] == 1
    assert not (place.records / "ledger.db").exists()


def test_health_and_check_fail_where_the_seals_do_not_fit(sealed: Place) -> None:
    seals = segment(sealed).with_suffix(".seal")
    content = seals.read_bytes()
    seals.write_bytes(b"")
    assert asked(sealed, "checkpoint")[0] == 1
    app = sealed.app(PLAIN)
    status, said = health(app)
    assert (status, said["broken"]) == (503, "the seals do not fit: run cookiegate verify")
    checked = sealed.run("check", "cookiegate.toml")
    assert checked.returncode == 1
    assert "The seals do not fit: the seals of visits/" in checked.stdout
    seals.write_bytes(content)
    assert asked(sealed, "checkpoint")[0] == 0
    assert sealed.run("check", "cookiegate.toml").returncode == 0


def test_the_key_is_rotated_and_the_seals_still_fit(sealed: Place) -> None:
    before = (sealed.keys / "operator").read_text()
    assert asked(sealed, "keys", "rotate")[0] == 0
    assert before not in (sealed.keys / "operator").read_text()
    assert asked(sealed, "verify")[0] == 0
    assert len(sealed.paths()) == 4


def test_erasing_needs_somebody_whose_rows_are_erased(sealed: Place) -> None:
    options = ("--site", "Example Shop", "--why", "request 7")
    assert asked(sealed, "erase", "--consent-id", "nobody", *options)[1].startswith("Erased 0 rows.")
    assert asked(sealed, "erase", "--consent-id", "", *options)[0] == 1
