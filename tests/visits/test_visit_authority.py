"""``--for-authority``: one sealed file, and who took it; ``cookiegate audit``: who read what, and what is destroyed."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import ADDRESS, Answer
from tests.visits.place import ALWAYS, PASSWORD, Place, ask, command, status_of

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Answer(b"x", content_type="text/plain")


def _export(place: Place, file: Path, *options: str) -> tuple[int, str]:
    reference = ("--for-authority", "2026-수사-17/3", "--output", str(file), "--why", "warrant", "--who", "Kim")
    return command("visits", "--config", str(place.path), *ALWAYS, *reference, *options)


def _verify(place: Place, file: Path, *options: str) -> tuple[int, str]:
    return command("verify", "--config", str(place.path), "--export", str(file), *options)


def test_an_export_says_what_it_holds_and_stands_as_it_was_sealed(place: Place) -> None:
    app = place.app(PLAIN)
    for path in ("/a", "/b", "/c"):
        ask(app, path)
    file = place.root / "export.jsonl"
    code, said = _export(place, file, "--path", "/a")
    assert code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    header, row, end, seal = map(json.loads, file.read_text("utf-8").splitlines())
    assert (header["reference"], header["who"], header["filters"]) == ("2026-수사-17/3", "Kim", {"path": "/a"})
    assert (row["path"], row["address"], end) == ("/a", ADDRESS, {"end": {"rows": 1, "damaged": 0}})
    assert seal["key"] in said
    [entry] = place.ledger("access")
    assert (entry["who"], entry["why"]) == ("Kim", "for authority 2026-수사-17/3: warrant")
    [given] = [row for row in place.ledger("statement") if row["what"] == "export"]
    assert json.loads(given["content"])["sha256"] == seal["sha256"]
    assert [_verify(place, file)[0], _verify(place, file, "--key", seal["key"])[0]] == [0, 0]
    assert _verify(place, file, "--key", "ab" * 32)[0] == 1
    assert _verify(place, file, "--key", "no key")[0] == 1
    assert command("verify", "--config", str(place.path))[0] == 0


def test_an_export_that_was_changed_is_found_out(place: Place) -> None:
    app = place.app(PLAIN)
    for path in ("/a", "/b", "/c"):
        ask(app, path)
    file = place.root / "export.jsonl"
    _export(place, file)
    lines = file.read_bytes().splitlines(keepends=True)
    seal = json.loads(lines[-1])
    forged = json.dumps({**seal, "signature": "zz"}).encode()
    wrongs = [
        [lines[0], *lines[2:]],
        lines[:-1],
        [*lines[:-1], lines[-1][:-40]],
        [*lines, b"\n"],
        [lines[0], lines[2], lines[1], *lines[3:]],
        [lines[0].replace(b"warrant", b"warrent"), *lines[1:]],
        [*lines[:-1], forged],
        [b"no json\n", b"at all"],
        [],
    ]
    for wrong in wrongs:
        file.write_bytes(b"".join(wrong))
        assert _verify(place, file)[0] == 1, wrong


def test_an_export_takes_no_other_files_place_and_leaves_nothing_half_written(place: Place) -> None:
    ask(place.app(PLAIN), "/a")
    file = place.root / "export.jsonl"
    file.write_text("mine")
    assert _export(place, file)[0] == 1
    assert file.read_text() == "mine"
    assert place.ledger("access") == []
    assert _export(place, place.root / "other.jsonl", "--site", "Shop", "--ip", "999/99")[0] == 1
    assert sorted(path.name for path in place.root.glob("*export*")) == ["export.jsonl"]
    assert list(place.root.glob(".*.new")) == []


@pytest.mark.parametrize("options", [("--from", "yesterday"), ("--to", "2026-11-22T25:00"), ("--ip", "10.0.0.0/99")])
def test_what_cannot_be_understood_is_said_and_nothing_read(place: Place, options: tuple[str, ...]) -> None:
    ask(place.app(PLAIN), "/a")
    assert command("visits", "--config", str(place.path), "--why", "x", *options) == (1, "")
    assert place.ledger("access") == []


def _audit(place: Place, *options: str) -> list[dict[str, object]]:
    code, text = command("audit", "--config", str(place.path), "--format", "jsonl", *options)
    assert code == 0
    return [json.loads(line) for line in text.splitlines()]


def test_the_audit_shows_who_read_whose_rows_from_where(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(place.app(PLAIN), "/a")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.50 50000 192.0.2.1 22")
    place.rows("--ip", ADDRESS)
    place.rows("--ip", "192.0.2.200")
    place.rows()
    first, *others = _audit(place)
    assert str(first["place"]).endswith(", from 192.0.2.50")
    assert (first["sought"], first["rows"], len(others)) == ("address", 1, 2)
    assert _audit(place, "--whose", ADDRESS) == [first]
    assert place.run("audit").stdout.count("address of Shop") == 2
    assert _audit(place, "--destructions") == []
    assert command("audit", "--config", str(place.path), "--format", "csv")[1].startswith("at,who,place,why")


def test_a_look_at_the_debug_page_is_entered_and_a_refused_one_is_not(place: Place) -> None:
    place.declare(people=["alice"], top='https = "always"')
    app = place.app(PLAIN)
    for password, status in ((PASSWORD, 200), ("wrong", 401)):
        secret = b64encode(f"alice:{password}".encode())
        lines = [(b"authorization", b"Basic " + secret), (b"x-forwarded-proto", b"https")]
        sent = ask(app, "/_privacy/debug", lines)
        assert status_of(sent) == status
    [entry] = place.ledger("access")
    assert (entry["who"], entry["place"], entry["kind"]) == ("alice", ADDRESS, "debug page")


def test_where_an_officer_decides_the_command_lists_and_waits(place: Place) -> None:
    place.declare(records='destruction = "approval"')
    ask(place.app(PLAIN), "/a")
    code, text = command("purge", str(place.path))
    assert (code, text.strip()) == (0, "Nothing is due.")
    code, text = command("check", str(place.path))
    assert "once an officer approves" in text.replace("\n", " ")
    assert "visits of 'Shop': P3M, security" in text
