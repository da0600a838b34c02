"""An earlier copy of everything but ``key_directory`` opens no destroyed day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Answer, Clock
from tests.promises.shop import at, copy, destroyed, live, put_back, read_by, wait
from tests.visits.place import Place, ask
from tests.visits.test_visit_purge import end_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.records.database import Server

PLAIN = Answer(b"x", content_type="text/plain")
TODAY = datetime.now(UTC).date()  # what lies behind today is over for who reads today
MONTH = 'basis = "security"\nretention = "P1M"'


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
