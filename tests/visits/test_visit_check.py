"""``cookiegate check`` and ``cookiegate init`` about records and the debug page."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from cookiegate import Config, CookieGateMiddleware
from tests.contract.world import Answer, Visitor
from tests.visits.place import Place

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Answer(b"x", content_type="text/plain")


def checked(place: Place) -> tuple[int, str]:
    run = place.run("check", "cookiegate.toml")
    assert "Traceback" not in run.stderr
    return run.returncode, run.stdout + run.stderr


def test_check_passes_and_warns_of_the_access_log_of_the_server(place: Place) -> None:
    code, said = checked(place)
    assert code == 0
    assert "--no-access-log" in said


def test_check_warns_of_pages_that_a_shared_cache_answers_unrecorded(place: Place) -> None:
    assert "shared_cache" not in checked(place)[1]
    text = place.path.read_text().replace('unknown = "withhold"', 'unknown = "withhold"\nshared_cache = "by-variant"')
    place.path.write_text(text)
    code, said = checked(place)
    assert code == 0
    assert "shared_cache" in said


def moved(place: Place, keys: str) -> None:
    place.path.write_text(place.path.read_text().replace('key_directory = "keys"', f'key_directory = "{keys}"'))


@pytest.mark.parametrize("keys", ["keys", "records/keys-of-ours"], ids=["beside the data", "inside the data"])
def test_check_warns_of_keys_that_a_backup_of_the_data_would_hold(place: Place, keys: str) -> None:
    moved(place, keys)
    code, said = checked(place)
    assert "key_directory" in said
    assert "backup" in said or code != 0


def test_check_does_not_warn_of_keys_elsewhere(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    moved(place, str(tmp_path_factory.mktemp("elsewhere") / "keys"))
    assert "lies beside" not in checked(place)[1]


def test_check_makes_neither_records_nor_keys(place: Place) -> None:
    checked(place)
    assert not place.records.exists()
    assert not place.keys.exists()


def test_init_makes_a_password_that_opens_the_debug_page_and_prints_it_once(place: Place, tmp_path: Path) -> None:
    place.path.unlink()
    run = place.run("init", "--debug", "alice", "cookiegate.toml")
    assert run.returncode == 0
    candidates = [word for word in re.findall(r"\S+", run.stdout) if len(word) >= 12]
    text = place.path.read_text()
    config = Config.load(place.path)
    assert config.debug is not None
    assert list(config.debug.people) == ["alice"]
    visitor = Visitor(CookieGateMiddleware(PLAIN, config=config))

    def opens(password: str) -> bool:
        credentials = base64.b64encode(f"alice:{password}".encode()).decode()
        return int(visitor.get("/_privacy/debug", {"authorization": f"Basic {credentials}"}).status) == 200

    password = next(word for word in reversed(candidates) if "cookiegate" not in word and opens(word))
    assert (run.stdout + run.stderr).count(password) == 1
    assert password not in text
    assert text.count("scrypt:") == 1
    assert place.path.stat().st_mode & 0o777 == 0o600
