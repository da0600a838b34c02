"""The operator's key: rotated, lost, wrong, or kept by a service."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.config import Config, Records
from cookiegate.errors import ConfigError, RecordsError
from cookiegate.records import disk, operators_key
from cookiegate.records.keys import Keys
from cookiegate.records.vault import InnerKey
from tests.records.test_keys import DyingProcess, paths_read
from tests.records.test_seal import faults, seals_of
from tests.records.visits import NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path

SITE = a_site()
OLD, NEW = "an-old-key-of-the-operator-of-32-bytes", "a-new-key-of-the-operator-of-32-bytes"


def kept(log_of: OpenLog, place: Path, **options: Any) -> None:
    log = log_of(place, **options)
    log.record_visit(a_visit(SITE, path="/kept"))
    seals_of(log).seal(NOON)
    log.close()


def records_in(place: Path, **options: Any) -> Records:
    return Records(directory=place / "records", key_directory=place / "keys", **options)


def opens(place: Path, key: str) -> bool:
    return InnerKey.unwrap((place / "keys" / "inner").read_bytes(), [key]) is not None


def test_after_a_rotation_only_the_new_key_opens_the_records(
    open_log: OpenLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(operators_key.KEY_VARIABLE, OLD)
    kept(open_log, tmp_path)
    monkeypatch.setenv(operators_key.KEY_VARIABLE, f"{NEW},{OLD}")
    assert Keys(records_in(tmp_path)).rotate() is False
    assert (opens(tmp_path, OLD), opens(tmp_path, NEW)) == (False, True)
    monkeypatch.setenv(operators_key.KEY_VARIABLE, NEW)
    log = open_log()
    assert paths_read(log) == ["/kept"]
    log.record_visit(a_visit(SITE))
    assert seals_of(log).seal(NOON) == 1
    assert faults(log) == []
    monkeypatch.setenv(operators_key.KEY_VARIABLE, OLD)
    with pytest.raises(RecordsError, match="the operator's key does not open it"):
        open_log()


def test_a_rotation_of_our_own_key_cut_short_anywhere_is_finished_by_the_next(
    open_log: OpenLog, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(open_log, memory_path / "start")
    old = (memory_path / "start" / "keys" / "operator").read_text()
    steps, survived = 0, False
    while not survived:
        place = memory_path / f"{steps}"
        shutil.copytree(memory_path / "start", place)
        dying = DyingProcess(steps)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "os", dying)
            patch.setattr(operators_key, "os", dying)
            with suppress(SystemExit):
                survived = Keys(records_in(place)).rotate()
        assert paths_read(open_log(place)) == ["/kept"]
        assert Keys(records_in(place)).rotate()
        log = open_log(place)
        assert paths_read(log) == ["/kept"]
        assert seals_of(log).checkpoint(NOON)
        assert not opens(place, old)
        left = {path.name for path in (place / "keys").iterdir()}
        assert left == {"heads", "inner", "lock", "operator", "seal", "turning"}, steps
        assert not [path for path in (place / "keys").iterdir() if old.encode() in path.read_bytes()]
        shutil.rmtree(place)
        steps += 1
    assert steps > 10


def test_a_lost_operators_key_is_said_and_nothing_is_written_over(open_log: OpenLog, tmp_path: Path) -> None:
    kept(open_log, tmp_path)
    (tmp_path / "keys" / "operator").rename(tmp_path / "lost")
    with pytest.raises(RecordsError, match="The operator's key stands there: put it back"):
        open_log()
    assert [str(fault) for fault in verified_without_keys(tmp_path)] == []
    (tmp_path / "lost").rename(tmp_path / "keys" / "operator")
    assert paths_read(open_log()) == ["/kept"]


def verified_without_keys(place: Path) -> list[object]:
    from cookiegate.records import VisitLog

    return list(seals_of(VisitLog(records_in(place), (SITE,))).verify())


def test_a_lost_inner_key_is_said_and_no_other_is_made(open_log: OpenLog, tmp_path: Path) -> None:
    kept(open_log, tmp_path)
    shutil.move(tmp_path / "keys", tmp_path / "lost")
    with pytest.raises(RecordsError, match=r"the inner key is gone|The operator's key stands there"):
        open_log()
    shutil.rmtree(tmp_path / "keys", ignore_errors=True)
    shutil.move(tmp_path / "lost", tmp_path / "keys")
    assert paths_read(open_log()) == ["/kept"]


def test_the_operators_key_may_come_from_a_service(open_log: OpenLog, tmp_path: Path) -> None:
    asked = []

    def service() -> str:
        asked.append(1)
        return "k" * 40

    kept(open_log, tmp_path, operator_key=service)
    assert asked
    assert not (tmp_path / "keys" / "operator").exists()
    assert paths_read(open_log(operator_key=service)) == ["/kept"]
    for wrong, said in {
        "k" * 9: "at least 32 bytes",
        "": "operator_key: the operator's key needs",
        "x" * 40: "open",
    }.items():
        with pytest.raises(RecordsError, match=said):
            open_log(operator_key=lambda wrong=wrong: wrong)


def test_a_file_cannot_name_a_service(tmp_path: Path) -> None:
    path = tmp_path / "cookiegate.toml"
    path.write_text('[records]\ndirectory = "a"\nkey_directory = "b"\noperator_key = "os.getcwd"\n')
    with pytest.raises(ConfigError, match="operator_key"):
        Config.load(path)
    assert os.getcwd()
