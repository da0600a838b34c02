"""An earlier copy of everything but ``key_directory`` opens no destroyed day."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Answer, Clock
from tests.promises.shop import at, copy, destroyed, live, put_back, read_by, wait
from tests.visits.place import Place, ask, health
from tests.visits.test_visit_purge import end_of

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate import CookieGateMiddleware
    from tests.records.database import Server

PLAIN = Answer(b"x", content_type="text/plain")
TODAY = datetime.now(UTC).date()  # what lies behind today is over for who reads today
MONTH = 'basis = "security"\nretention = "P1M"'


def dumped(server: Server, url: str, target: Path) -> Path:
    """What ``pg_dump`` makes of a database."""
    _client(server, "pg_dump", "--format=custom", "--file", str(target), url)
    return target


def restored(server: Server, dump: Path) -> str:
    """The address of a fresh database with what stood in *dump*."""
    url = server.database()
    _client(server, "pg_restore", "--no-owner", "--dbname", url, str(dump))
    return url


def _client(server: Server, name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(server._made.bin_path / name), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_copy_of_the_files_opens_no_destroyed_day(place: Place, tmp_path: Path) -> None:
    place.declare(visits=MONTH)
    clock = Clock(at(f"{TODAY}T10:00"))
    app = place.app(PLAIN, clock)
    ask(app, "/destroyed")
    clock.forward(days=1)
    ask(app, "/lives")
    records, keys = copy(place.records, tmp_path / "records-then"), copy(place.keys, tmp_path / "keys-then")
    live(app, clock, at(f"{end_of(TODAY, 1)}T00:00:01"))
    wait(lambda: bool(ask(app, "/now")) and str(TODAY) in destroyed(place))
    place.end(app)
    now = copy(place.keys, tmp_path / "keys-now")

    put_back(records, place.records)
    _, paths, said = read_by(place)
    assert "/destroyed" not in paths
    assert "Traceback" not in said
    put_back(keys, place.keys)  # what the docs say of a copy of key_directory itself, and that the copy was whole
    assert "/destroyed" in read_by(place)[1]
    put_back(now, place.keys)
    assert "/destroyed" not in read_by(place)[1]


def all_follow(apps: list[CookieGateMiddleware], server: Server, url: str, clock: Clock) -> bool:
    """The store itself says how far each host has come; health repeats what its host saw last."""
    clock.forward(seconds=6)  # hosts look again in a while, and health remembers
    [[behind]] = server.sql(url, "SELECT count(*) FROM cookiegate.host JOIN cookiegate.fleet ON host.turn < fleet.turn")
    return behind == 0 and all(health(app)[1]["hosts_behind"] == 0 for app in apps)


def test_a_dump_of_the_database_and_every_hosts_files_open_no_destroyed_day(
    place: Place, url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for often in ("FOLLOW_EVERY", "SHIP_AGAIN"):
        monkeypatch.setattr(f"cookiegate.records.housekeeping.{often}", 0.2)
    (tmp_path / "second").mkdir()
    hosts = [place, Place(tmp_path / "second")]
    for host in hosts:
        host.declare(records=f'store = "{url}"', visits=MONTH)
    clock = Clock(at(f"{TODAY}T10:00"))
    apps = [host.app(PLAIN, clock) for host in hosts]
    for number, app in enumerate(apps):
        ask(app, f"/destroyed/{number}")

    def all_shipped() -> bool:
        clock.forward(seconds=1)  # a host that joins asks again in a while
        return server.count(url) == len(apps)

    wait(all_shipped)
    dump = dumped(server, url, tmp_path / "dump")
    then = [(copy(host.records, host.root / "r-then"), copy(host.keys, host.root / "k-then")) for host in hosts]

    for app in apps:
        clock.now = at(f"{TODAY}T10:00")
        live(app, clock, at(f"{end_of(TODAY, 1)}T00:00:01"))
    wait(lambda: all(ask(app, "/now") for app in apps) and str(TODAY) in destroyed(place, server, url))
    wait(lambda: all_follow(apps, server, url, clock), "a host did not follow")
    assert destroyed(place, server, url).count(str(TODAY)) == 1
    list(map(Place.end, hosts, apps))

    for host, (records, keys) in zip(hosts, then, strict=True):
        now = copy(host.keys, host.root / "k-now")
        for store in (f'store = "{restored(server, dump)}"', ""):
            host.declare(records=store, visits=MONTH)
            put_back(records, host.records)
            _, paths, said = read_by(host)
            assert not [path for path in paths if path.startswith("/destroyed")], store
            assert "Traceback" not in said
        host.declare(records=f'store = "{restored(server, dump)}"', visits=MONTH)
        put_back(records, host.records)
        put_back(keys, host.keys)
        assert set(read_by(host)[1]) >= {"/destroyed/0", "/destroyed/1"}  # so the dump was whole
        put_back(now, host.keys)


@pytest.mark.parametrize("stored", ["files", "postgresql"])
def test_a_destroyed_day_has_no_file_no_table_and_no_row(place: Place, url: str, server: Server, stored: str) -> None:
    shared = stored == "postgresql"
    place.declare(records=f'store = "{url}"' if shared else "", visits=MONTH)
    clock = Clock(at(f"{TODAY}T10:00"))
    app = place.app(PLAIN, clock)
    ask(app, "/destroyed")
    live(app, clock, at(f"{end_of(TODAY, 1)}T00:00:01"))
    known = (server, url) if shared else ()
    wait(lambda: bool(ask(app, "/now")) and str(TODAY) in destroyed(place, *known))
    wait(lambda: not [path for path in place.records.rglob("*") if str(TODAY) in str(path.relative_to(place.root))])
    if not shared:
        return
    of_day = f"SELECT 1 FROM cookiegate.{{}} JOIN cookiegate.day ON day.id = day WHERE date = '{TODAY}'"
    assert not server.sql(url, of_day.format("day_key"))
    wait(lambda: not server.sql(url, of_day.format("frame")))
