"""An app whose records come together in PostgreSQL: shipped beside it, read and destroyed by command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from tests.contract.world import Answer
from tests.visits.place import Place, ask, command, health, soon

if TYPE_CHECKING:
    from tests.records.database import Server

PLAIN = Answer(b"x", content_type="text/plain")


def checked(place: Place) -> tuple[int, str]:
    code, said = command("check", str(place.path))
    return code, " ".join(said.split())


def test_what_an_app_records_is_shipped_and_read(place: Place, url: str, server: Server) -> None:
    place.declare(records=f'store = "{url}"')
    app = place.app(PLAIN)
    for number in range(3):
        ask(app, f"/{number}")
    assert soon(lambda: server.count(url) == 3)
    assert place.paths() == ["/0", "/1", "/2"]
    assert soon(lambda: health(app)[1].get("store_backlog") == 0)
    code, seen = health(app)
    assert (code, seen["store_fault"], seen["hosts_behind"]) == (200, "", 0)
    place.end(app)
    ask(place.app(PLAIN), "/3")  # a restart; what the first left is taken away
    assert soon(lambda: len(place.segments()) == 1)
    assert [path for path in place.paths() if "health" not in path] == ["/0", "/1", "/2", "/3"]


def test_purge_without_the_app_keeps_the_store_in_order(place: Place, url: str) -> None:
    place.declare(records=f'store = "{url}"')
    code, said = command("purge", str(place.path), "--gone", "nobody")
    assert (code, said) == (0, "No host has the id nobody.\nNothing is due.\n")


def test_check_says_how_the_store_stands(place: Place, url: str) -> None:
    place.declare(records=f'store = "{url}"')
    code, said = checked(place)
    assert code == 0
    assert "answers: PostgreSQL" in said
    assert not place.records.exists()
    place.declare(records='store = "postgresql://kim:geheim@db.invalid/visits"')
    code, said = checked(place)
    assert code == 1
    assert "cannot be reached" in said
    assert "?sslmode=verify-full" in said
    assert "geheim" not in said


def test_hosts_that_share_a_store_need_the_same_operators_key(
    place: Place, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COOKIEGATE_VAULT_KEY")
    place.declare(records=f'store = "{url}"')
    with pytest.raises(RecordsError, match="set COOKIEGATE_VAULT_KEY or vault_key_file"):
        place.app(PLAIN)
