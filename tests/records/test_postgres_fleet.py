"""Hosts that share a store: who may join, who is left out, and what each is told when it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records.vault import Handover
from tests.records.test_postgres import SITE, paths_read, shipped
from tests.records.visits import NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.records.database import Server


def test_a_host_with_another_operators_key_is_given_nothing(
    open_log: OpenLog, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_log(tmp_path / "a", store=url), open_log(tmp_path / "b", store=url)
    first.ship(NOON)
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "x" * 32 + "," + "o" * 32)
    with pytest.raises(RecordsError, match="none has answered"):
        second.ship(NOON)
    first.ship(NOON)  # answers with the newest of its keys
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "o" * 32)
    with pytest.raises(RecordsError, match="must be the same on all"):
        second.ship(NOON)


def test_a_host_of_one_store_does_not_join_another(open_log: OpenLog, url: str, server: Server, tmp_path: Path) -> None:
    open_log(tmp_path / "a", store=url).ship(NOON)
    other = server.database()
    open_log(tmp_path / "b", store=other).ship(NOON)
    with pytest.raises(RecordsError, match="belongs to another store"):
        open_log(tmp_path / "a", store=other).ship(NOON)


def test_a_store_that_was_lost_as_a_whole_is_begun_anew(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    log = open_log(store=url)
    log.record_visit(a_visit(SITE, NOON, path="/lost with it"))
    shipped(log)
    again = open_log(store=server.database())
    again.record_visit(a_visit(SITE, NOON, path="/kept"))
    assert shipped(again) == 1
    assert paths_read(again) == ["/kept"]


def test_a_store_that_is_older_than_every_host_is_not_written_to(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    log = open_log(store=url)
    log.ship(NOON)
    (tmp_path / "records" / "store-keys.json").unlink()
    server.sql(url, "UPDATE cookiegate.fleet SET turn = turn - 1, generation = '0123456789abcdef'")
    with pytest.raises(RecordsError, match="older than the inner key of this host"):
        open_log(store=url).ship(NOON)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("UPDATE cookiegate.fleet SET version = 2", "are of version 2, ours of 1"),
        ("DROP TABLE cookiegate.host", "refuses"),
        ("INSERT INTO cookiegate.question VALUES ('nothing that we ask')", ""),
    ],
    ids=["newer", "damaged", "nonsense"],
)
def test_a_store_that_is_not_as_we_made_it_is_named(
    open_log: OpenLog, url: str, server: Server, query: str, said: str
) -> None:
    open_log(store=url).ship(NOON)
    server.sql(url, query)
    log = open_log(store=url)
    for _ in "again":  # what was said once holds until it is mended
        if said:
            with pytest.raises(RecordsError, match=said):
                log.ship(NOON)
        else:
            assert log.ship(NOON) == 0


def test_a_host_card_that_says_nothing_is_named(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    log.record_visit(a_visit(SITE, NOON, path="/"))
    card = tmp_path / "records" / "host"
    card.write_text("{")
    with pytest.raises(RecordsError, match="Remove it; the host then joins"):
        log.ship(NOON)
    card.unlink()
    assert shipped(log) == 1
    assert set(json.loads(card.read_text())) == {"id", "fleet", "turn"}


def test_a_host_that_is_gone_for_good_can_be_left_out(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    log.ship(NOON)
    gone = json.loads((tmp_path / "records" / "host").read_text())["id"]
    assert log.leave_out(gone)
    assert not log.leave_out(gone)
    with pytest.raises(RecordsError, match="Only hosts that share a store"):
        open_log(tmp_path / "files").leave_out(gone)


def test_files_are_shipped_nowhere(open_log: OpenLog) -> None:
    assert open_log().ship(NOON) is None


def test_a_second_process_leaves_shipping_to_the_first(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    log.ship(NOON)
    code = (
        "import fcntl, os, sys; file = os.open(sys.argv[1], os.O_RDWR)\n"
        "try: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept OSError: print('held')"
    )
    lock = str(tmp_path / "records" / "shipper.lock")
    run = subprocess.run([sys.executable, "-c", code, lock], capture_output=True, text=True, check=True)
    assert run.stdout == "held\n"


def test_without_asyncpg_the_remedy_is_named(open_log: OpenLog) -> None:
    code = (
        "import sys; sys.modules['asyncpg'] = None\n"
        "from cookiegate.errors import RecordsError\n"
        "try: import cookiegate.records.postgres\nexcept RecordsError as fault: print(fault)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'cookiegate[postgres]'" in run.stdout


def test_who_only_has_the_store_cannot_even_ask_for_the_key(open_log: OpenLog, url: str, server: Server) -> None:
    log = open_log(store=url)
    log.ship(NOON)
    theirs = Handover("a key of their own" * 2)
    server.sql(url, "INSERT INTO cookiegate.question (asked) VALUES ($1)", theirs.question)
    log.ship(NOON)
    ((answer,),) = server.sql(url, "SELECT answer FROM cookiegate.question")
    assert answer == b""
