"""The archive: what is held moves before its day dies, is read with a reason, and dies when the hold ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records.archive import Hold
from tests.records.visits import A_DAY, NOON, a_site, a_visit
from tests.visits.place import command

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records import VisitLog
    from tests.records.visits import OpenLog

DUE = datetime(2027, 2, 22, tzinfo=UTC).timestamp()


def _held(log: VisitLog, **sought: Any) -> Hold:
    days = {"first": "2026-11-21", "last": "2026-11-21"}
    given = {"site": "Example Shop", "zone": "UTC", "reference": "dispute 9", "who": "Kim", "why": "a claim", **days}
    return log.archive.add(Hold(**{**given, **sought}), now=NOON)


def _purge(log: VisitLog, until: float = DUE) -> None:
    now = NOON
    while now < until + A_DAY:
        log.purge(now, steady=now)
        now += A_DAY


def _read(log: VisitLog, hold: Hold) -> list[str]:
    return [
        getattr(row, "path", "") for row in log.desk.read_hold(hold, now=DUE, who="Lee", why="hearing", place="here")
    ]


def test_what_is_held_moves_and_the_rest_dies_on_time(open_log: OpenLog, memory_path: Path) -> None:
    site = a_site()
    log = open_log(memory_path, site=site)
    for path, address in (("/sought", "198.51.100.7"), ("/other", "203.0.113.9"), ("/also", "198.51.100.8")):
        log.record_visit(a_visit(site, path=path, address=address))
    log.record_visit(a_visit(site, NOON + A_DAY, path="/tomorrow", address="198.51.100.7"))
    hold = _held(log, address="198.51.100.7")
    assert _read(log, hold) == []
    _purge(log)
    assert [entry.kind for entry in log.ledger.destructions()] == ["visits"]
    assert _read(log, hold) == ["/sought"]
    assert log.health(DUE, steady=DUE).ok
    again = open_log(memory_path, site=site)
    assert again.archive.holds() == [hold]
    assert _read(again, hold) == ["/sought"]
    assert [entry.kind for entry in again.ledger.accesses()] == ["archive"] * 3
    assert again.ledger.accesses()[-1].sought == f"hold {hold.id}"
    _purge(again, DUE + A_DAY)  # a further destruction, a further inner key
    assert _read(again, hold) == ["/sought"]
    assert again.seals
    again.seals.close(DUE + 2 * A_DAY)
    assert list(again.seals.verify()) == []
    again.end_hold(hold, now=DUE + 2 * A_DAY, who="Lee", why="settled")
    assert again.archive.holds() == []
    assert [path for path in (memory_path / "records" / "archive").rglob("*") if path.is_file()] == []
    assert {entry.kind for entry in again.ledger.destructions()} == {"visits", "archive"}
    assert list(again.seals.verify()) == []
    with pytest.raises(RecordsError, match="no hold"):
        again.archive.hold(hold.id)


def test_nothing_on_the_disk_says_whose_visits_are_held(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    _held(log, address="198.51.100.7", consent_id="consent-of-somebody", path="/secret")
    for path in (*(tmp_path / "records").rglob("*"), *(tmp_path / "keys").rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        assert not any(word in content for word in (b"198.51.100.7", b"consent-of-somebody", b"/secret")), path


@pytest.mark.parametrize(
    ("sought", "paths"),
    [
        ({}, ["/a", "/a/b", "/c"]),
        ({"address": "198.51.100.0/24"}, ["/a", "/a/b"]),
        ({"address": "192.0.2.0/24"}, []),
        ({"path": "/a/"}, ["/a/b"]),
        ({"consent_id": "one"}, ["/c"]),
        ({"first": "2026-11-22", "last": "2026-12-31"}, []),
    ],
    ids=["everything", "network", "another network", "path", "consent id", "other days"],
)
def test_a_hold_is_narrowed(open_log: OpenLog, sought: dict[str, str], paths: list[str]) -> None:
    site = a_site(basis="consent")
    log = open_log(site=site)
    rows = (("/a", "198.51.100.7", ""), ("/a/b", "198.51.100.8", ""), ("/c", "203.0.113.9", "one"))
    for number, (path, address, consent_id) in enumerate(rows):
        log.record_visit(a_visit(site, NOON + number, path=path, address=address, consent_id=consent_id))
    hold = _held(log, **sought)
    days = list(log.archive._keys.days())  # as the purge gives them
    log.archive.preserve(days)
    log.archive.preserve(days)  # after a crash: nothing twice
    assert _read(log, hold) == paths


def test_a_move_that_was_cut_short_begins_anew(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site, path="/a"))
    hold = _held(log)
    torn = tmp_path / "records" / "archive" / hold.id / "2026-11-21.new"
    torn.mkdir(parents=True)
    (torn / f"{'ab' * 16}.seg").write_bytes(b"half a frame")
    log.archive.preserve(list(log.archive._keys.days()))
    assert _read(log, hold) == ["/a"]
    assert not torn.exists()


def test_a_hold_whose_key_is_gone_lets_nothing_be_destroyed(open_log: OpenLog, memory_path: Path) -> None:
    site = a_site()
    log = open_log(memory_path, site=site)
    log.record_visit(a_visit(site))
    hold = _held(log)
    for path in (memory_path / "records" / "keys" / "archive" / hold.id).iterdir():
        path.unlink()
    with pytest.raises(RecordsError, match="key of this hold is gone"):
        _purge(log)
    assert log.ledger.destructions() == []


def test_an_end_that_was_cut_short_stops_no_purge(open_log: OpenLog) -> None:
    log = open_log()
    hold = _held(log)
    log._retention.destroy(log.archive.all_days(hold), NOON)
    assert log.archive.holds() == []
    log.purge(NOON + 60)


@pytest.mark.parametrize("missing", ["reference", "who", "why"])
def test_a_hold_needs_a_reason_and_a_name(open_log: OpenLog, missing: str) -> None:
    log = open_log()
    with pytest.raises(RecordsError, match="must be given"):
        _held(log, **{missing: " "})
    hold = _held(log)
    for act in (log.desk.read_hold, log.end_hold):
        with pytest.raises(RecordsError, match="must be given"):
            act(hold, now=NOON, who="Lee", why=" ")


def test_the_commands_add_list_read_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cookiegate.toml").write_text(
        f'secret_keys = ["{"k" * 32}"]\n[records]\ndirectory = "records"\nkey_directory = "keys"\n'
        '[[sites]]\nname = "Example Shop"\nunknown = "withhold"\n[sites.visits]\nbasis = "security"\n'
    )
    monkeypatch.chdir(tmp_path)
    code, said = command("hold", "add", "dispute 9", "--why", "a claim", "--from", "2026-11-01", "--ip", "10.0.0.1")
    assert code == 0
    name = said.split()[1].rstrip(":")
    assert (command("hold", "list")[0], "10.0.0.1" in command("hold", "list")[1]) == (0, False)
    for form in ("table", "csv", "jsonl"):
        assert command("hold", "read", name, "--why", "hearing", "--format", form)[0] == 0
    assert command("hold", "read", "ffffff", "--why", "hearing")[0] == 1
    assert command("hold", "end", name, "--why", "settled")[0] == 0
    assert command("hold", "end", name, "--why", "settled")[0] == 1
    assert command("hold", "add", "x", "--why", " ", "--from", "2026-11-01")[0] == 1
