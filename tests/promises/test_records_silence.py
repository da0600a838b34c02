"""Nothing that a visitor gave away stands anywhere in plaintext: not while it lives, not after."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.contract.world import Clock
from tests.promises.shop import Crowd, at, copy, database, destroyed, live, teller, told, wait
from tests.visits.place import Place, ask, command
from tests.visits.test_visit_purge import end_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.records.database import Server

HOW_MANY = 200


def named(crowd: Crowd, text: str) -> bool:
    return told(text.encode(), crowd.marks())


def test_no_canary_stands_in_files_the_database_its_log_or_a_copy_live_or_destroyed(
    place: Place, url: str, server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    server.sql("postgres", f"ALTER DATABASE {name} SET log_min_duration_statement = 0")  # it logs all it is told
    place.declare(
        top='trusted_proxies = ["203.0.113.77"]',
        records=f'store = "{url}"',
        visits='basis = "security"\nretention = "P1M"',
    )
    today = datetime.now(UTC).date()  # what lies behind today is over for who reads today
    clock, crowd = Clock(at(f"{today}T10:00")), Crowd("silence")
    app = place.app(teller, clock)
    with caplog.at_level(logging.DEBUG):
        for number in range(HOW_MANY):
            crowd.pass_by(app, number)
        wait(lambda: server.count(url) >= 3 * HOW_MANY)
        sought = ("--ip", crowd.address(0), "--path", crowd.path(0), "--consent-id", crowd.consent_ids[0])
        assert [row["address"] for row in place.rows(*sought)] == [crowd.address(0)]
        assert place.rows("--kind", "misuse")
        copied = copy(place.records, tmp_path / "copied")
        assert crowd.standing(place.records, place.keys, copied, *database(server, url)) == []

        live(app, clock, at(f"{end_of(today, 1)}T00:00:01"))
        wait(lambda: bool(ask(app, "/now")) and str(today) in destroyed(place, server, url))
        assert place.rows(*sought) == []
        place.end(app)
        server.sql(url, "CHECKPOINT")
    assert crowd.standing(place.records, place.keys, copied, *database(server, url)) == []
    assert not named(crowd, (server.data / "log").read_text(errors="replace"))
    assert not named(crowd, caplog.text)


def test_the_search_for_canaries_finds_what_stands_there(server: Server, url: str) -> None:
    crowd = Crowd("careless")
    server.sql(url, "CREATE TABLE careless (path text, address inet)")
    server.sql(url, "INSERT INTO careless VALUES ($1, NULL)", crowd.path(7))
    server.sql(url, "CHECKPOINT")
    found = crowd.standing(*database(server, url))
    assert any("/base/" in path for path in found)
    assert any("/pg_wal/" in path for path in found)
    assert named(crowd, f"from {crowd.address(3)}")
    assert named(crowd, crowd.agent(3).encode().hex())


def test_no_line_of_a_store_in_trouble_names_a_visitor(
    place: Place, url: str, server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cookiegate.records.housekeeping.SHIP_AGAIN", 0.1)
    place.declare(top='trusted_proxies = ["203.0.113.77"]', records=f'store = "{url}"')
    app, crowd, said = place.app(teller), Crowd("trouble"), []
    with caplog.at_level(logging.DEBUG):
        crowd.pass_by(app, 0)
        wait(lambda: server.count(url) > 0)
        server.sql(url, "ALTER TABLE cookiegate.frame ADD CONSTRAINT refuses CHECK (false) NOT VALID")
        crowd.pass_by(app, 10)
        wait(lambda: "cannot be shipped" in caplog.text, "nobody was told")
        server.sql(url, "ALTER TABLE cookiegate.frame DROP CONSTRAINT refuses")
        for options in (("--ip", crowd.address(0)), ("--consent-id", crowd.consent_ids[0]), ("--ip", "nonsense")):
            said.append(command("visits", "--config", str(place.path), "--why", "a test", "--status", "599", *options))
        wait(lambda: server.count(url) >= len(place.rows()))
    assert [code for code, _ in said][:2] == [0, 0]
    assert not named(crowd, caplog.text)
    assert not any(named(crowd, text) for _, text in said)
    assert crowd.standing(place.records, place.keys, *database(server, url)) == []
