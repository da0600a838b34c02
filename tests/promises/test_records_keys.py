"""A wrong or lost key is said with its place and its remedy, and costs nothing once it is put right."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import CookieGateError
from tests.contract.world import Answer, Clock
from tests.promises.shop import copy, put_back, read_by, wait
from tests.visits.place import Place, ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.records.database import Server

PLAIN = Answer(b"x", content_type="text/plain")
OLD, NEW, WRONG = "o" * 32, "n" * 32, "w" * 32


def kept(place: Place) -> dict[str, bytes]:
    """The keys as they lie there."""
    return {path.name: path.read_bytes() for path in place.keys.iterdir() if path.is_file()}


def begun(place: Place) -> None:
    ask(place.app(PLAIN), "/kept")
    place.end()


def test_a_wrong_operators_key_is_said_and_nothing_is_written_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", OLD)
    begun(place)
    before = kept(place)
    for key, said_of in ((WRONG, ("inner", "COOKIEGATE_VAULT_KEY")), ("short", ("COOKIEGATE_VAULT_KEY", "32"))):
        for line in (["visits", "--why", "a test"], ["purge"]):
            run = place.run(*line, COOKIEGATE_VAULT_KEY=key)
            assert run.returncode != 0, line
            said = run.stdout + run.stderr
            assert "Traceback" not in said
            assert [word for word in said_of if word not in said] == [], said
            assert key not in said.replace("too short", "") or key == "short"
            assert "/kept" not in said
        monkeypatch.setenv("COOKIEGATE_VAULT_KEY", key)
        with pytest.raises(CookieGateError) as found:
            place.app(PLAIN)
        assert [word for word in said_of if word not in str(found.value)] == []
    assert kept(place) == before
    assert read_by(place, COOKIEGATE_VAULT_KEY=OLD)[1] == ["/kept"]


@pytest.mark.parametrize("lost", ["operator", "inner"])
def test_a_lost_key_is_said_and_none_is_made_in_its_place(place: Place, lost: str) -> None:
    begun(place)
    content = (place.keys / lost).read_bytes()
    (place.keys / lost).unlink()
    for line in (["visits", "--why", "a test"], ["purge"], ["check"]):
        run = place.run(*line)
        assert run.returncode != 0, line
        said = " ".join((run.stdout + run.stderr).split())
        assert "Traceback" not in said
        assert str(place.keys) in said.replace(" ", "") or "keys" in said
        assert "put" in said.lower() or "restore" in said.lower() or "set " in said.lower(), said
    with pytest.raises(CookieGateError):
        place.app(PLAIN)
    assert not (place.keys / lost).exists()
    (place.keys / lost).write_bytes(content)
    (place.keys / lost).chmod(0o600)
    assert read_by(place)[1] == ["/kept"]


def test_after_a_rotation_the_old_key_and_old_copies_of_the_keys_open_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", OLD)
    begun(place)
    then = copy(place.keys, tmp_path / "keys-then")
    run = place.run("keys", "rotate", COOKIEGATE_VAULT_KEY=f"{NEW},{OLD}")
    assert run.returncode == 0, run.stderr
    assert OLD not in run.stdout + run.stderr
    assert read_by(place, COOKIEGATE_VAULT_KEY=NEW)[1] == ["/kept"]
    assert read_by(place, COOKIEGATE_VAULT_KEY=OLD)[:2] == (1, [])
    now = copy(place.keys, tmp_path / "keys-now")
    put_back(then, place.keys)
    assert read_by(place, COOKIEGATE_VAULT_KEY=NEW)[:2] == (1, [])
    put_back(now, place.keys)
    assert read_by(place, COOKIEGATE_VAULT_KEY=NEW)[1] == ["/kept"]
    assert place.run("verify", COOKIEGATE_VAULT_KEY="").returncode in (0, 1)  # needs no key


def test_hosts_of_one_store_rotate_one_after_the_other(
    place: Place, url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for often in ("FOLLOW_EVERY", "SHIP_AGAIN"):
        monkeypatch.setattr(f"cookiegate.records.housekeeping.{often}", 0.2)
    (tmp_path / "second").mkdir()
    hosts = [place, Place(tmp_path / "second")]
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", OLD)
    apps, clock = [], Clock(time.time())
    for number, host in enumerate(hosts):
        host.declare(records=f'store = "{url}"')
        apps.append(host.app(PLAIN, clock))
        ask(apps[-1], f"/{number}")

    def all_shipped() -> bool:
        clock.forward(seconds=1)  # a host that joins asks again in a while
        return server.count(url) == len(hosts)

    wait(all_shipped)
    for host, app in zip(hosts, apps, strict=True):
        host.end(app)
    for host in hosts:
        assert host.run("keys", "rotate", COOKIEGATE_VAULT_KEY=f"{NEW},{OLD}").returncode == 0
    for host in hosts:
        assert sorted(read_by(host, COOKIEGATE_VAULT_KEY=NEW)[1]) == ["/0", "/1"]
        assert read_by(host, COOKIEGATE_VAULT_KEY=OLD)[:2] == (1, [])
