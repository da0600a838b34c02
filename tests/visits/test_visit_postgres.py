"""An app whose records come together in PostgreSQL: shipped beside it, read and destroyed by command."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from tests.contract.world import Answer
from tests.visits.place import Place, ask, command, health
from tests.visits.place import soon as within

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.records.database import Server

SECONDS = 60  # on a busy machine; an idle one needs one or two
PLAIN = Answer(b"x", content_type="text/plain")


def soon(true: Callable[[], bool]) -> bool:
    return within(true, SECONDS)


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


def test_an_app_tells_once_that_its_store_is_away_and_once_that_it_is_back(
    place: Place, url: str, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cookiegate.records.housekeeping.SHIP_EVERY", 0.05)
    monkeypatch.setattr("cookiegate.records.housekeeping.SHIP_AGAIN", 0.05)
    monkeypatch.setattr("cookiegate.records.housekeeping.FRESH", 0.0)
    place.declare(records=f'store = "{url}"')
    app = place.app(PLAIN)
    with caplog.at_level(logging.INFO, "cookiegate"):
        ask(app, "/before")
        assert soon(lambda: server.count(url) == 1)
        server.stop()
        try:
            ask(app, "/during")
            assert soon(lambda: "Records cannot be shipped now" in caplog.text)
            code, seen = health(app)
            assert (code, seen["store_fault"]) == (200, "the store cannot be reached; the log says why")
            code, _ = command("visits", "--config", str(place.path), "--why", "a test")
            assert code == 1
        finally:
            server.start()
        assert soon(lambda: "The store is reached again." in caplog.text)
    assert caplog.text.count("Records cannot be shipped now") == 1
    assert place.paths("--path", "/d") == ["/during"]


def test_check_names_hosts_that_have_not_followed(place: Place, url: str, server: Server) -> None:
    place.declare(records=f'store = "{url}"')
    assert command("purge", str(place.path))[0] == 0
    server.sql(url, "INSERT INTO cookiegate.host VALUES ('0123', 'away', -1)")
    assert command("purge", str(place.path))[0] == 0
    code, said = checked(place)
    assert code == 0
    assert "Host away (0123) has not followed the last destruction" in said
    code, said = command("purge", str(place.path), "--gone", "0123")
    assert (code, said.splitlines()[0]) == (0, "Host 0123 is left out of account.")
    assert "has not followed" not in checked(place)[1]


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
