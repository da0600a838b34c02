"""``cookiegate visits``: entered in the ledger, narrowed, and harmless to terminals and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pytest

from tests.contract.world import Answer, Clock, shop
from tests.visits.place import ALWAYS, Place, ask

PLAIN = Answer(b"x", content_type="text/plain")
READ = ("visits", "--config", "cookiegate.toml", *ALWAYS)


def test_a_reading_is_entered_with_who_and_why(place: Place) -> None:
    ask(place.app(PLAIN), "/x")
    run = place.run(*READ, "--why", "abuse report 17", "--who", "Kim Min-ji", "--format", "csv")
    assert run.returncode == 0
    [entry] = place.ledger("access")
    assert (entry["who"], entry["why"], entry["site"]) == ("Kim Min-ji", "abuse report 17", "Shop")
    [end] = place.ledger("access_end")
    assert (end["rows"], end["damaged"]) == (1, 0)


@pytest.mark.parametrize("options", [(), ("--why", ""), ("--why", "  ")], ids=["left out", "empty", "spaces"])
def test_without_a_reason_nothing_is_read(place: Place, options: tuple[str, ...]) -> None:
    ask(place.app(PLAIN), "/x")
    run = place.run(*READ, *options)
    assert run.returncode != 0
    assert "203.0.113.77" not in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert place.ledger("access") == []


def test_a_reading_that_finds_nothing_is_entered_too(place: Place) -> None:
    ask(place.app(PLAIN), "/x")
    assert place.rows("--ip", "192.0.2.200") == []
    assert len(place.ledger("access")) == 1


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        pytest.param((), ["/tea", "/tea/green", "/coffee", "/tomorrow"], id="all"),
        pytest.param(("--ip", "192.0.2.1"), ["/tea", "/tea/green"], id="address"),
        pytest.param(("--ip", "2001:DB8:0:0::5"), ["/coffee"], id="address written otherwise"),
        pytest.param(("--path", "/tea"), ["/tea", "/tea/green"], id="path prefix"),
        pytest.param(("--path", "/tea/"), ["/tea/green"], id="longer prefix"),
        pytest.param(("--path", "tea"), [], id="no prefix"),
        pytest.param(("--status", "404"), ["/coffee"], id="status"),
        pytest.param(("--from", "2026-11-19", "--to", "2026-11-19"), ["/tomorrow"], id="day"),
        pytest.param(("--from", "2026-11-18", "--to", "2026-11-18"), ["/tea", "/tea/green", "/coffee"], id="before"),
        pytest.param(("--ip", "192.0.2.1", "--path", "/coffee"), [], id="both must hold"),
        pytest.param(("--ip", "192.0.2.0/30"), ["/tea", "/tea/green", "/tomorrow"], id="network"),
        pytest.param(("--ip", "2001:db8::/32"), ["/coffee"], id="IPv6 network"),
        pytest.param(("--from", "2026-11-18T12:00:01", "--to", "2026-11-18T12:00:02"), ["/tea/green"], id="moments"),
        pytest.param(("--from", "2026-11-18T21:00:02+09:00"), ["/coffee", "/tomorrow"], id="moment of another zone"),
    ],
)
def test_rows_are_narrowed(place: Place, clock: Clock, options: tuple[str, ...], paths: list[str]) -> None:
    fine, missing = Answer(b"x", content_type="text/plain"), Answer(b"x", content_type="text/plain", status=404)
    for path in ("/tea", "/tea/green"):
        ask(place.app(fine, clock), path, client=("192.0.2.1", 1))
        clock.forward(seconds=1)
    ask(place.app(missing, clock), "/coffee", client=("2001:db8::5", 1))
    clock.forward(days=1)
    ask(place.app(fine, clock), "/tomorrow", client=("192.0.2.3", 1))
    assert place.paths(*options) == paths


def test_rows_of_one_consent_are_found(place: Place) -> None:
    visitor = place.visitor(shop())
    visitor.choose("accept_all")
    told = json.loads(visitor.get("/consent").body)["id"]
    other = place.visitor(shop())
    other.choose("accept_all")
    other.get("/consent")
    assert [row["consent_id"] for row in place.rows("--consent-id", told)] == [told]


HOSTILE = [
    "=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "/a\x1b[31mred\x1b]0;title\x07", "/\x9b31m\x85",
    "/[red]rich[/red][link=https://evil.example]x[/link]", "/new\nline,\"quoted\"", "/\u202efdp.exe", "/\x7f\x00end",
]  # fmt: skip
EVIL_AGENT = b"Mozilla/5.0 (compatible; \x1b[31mEvilBot/1.0; +https://evil.example) \x1b]0;x\x07"


def _visited(place: Place) -> None:
    app = place.app(PLAIN)
    for path in HOSTILE:
        ask(app, path, [(b"user-agent", EVIL_AGENT), (b"referer", b"https://ok.example/")])
    ask(app, "/", [(b"user-agent", EVIL_AGENT)], method="=CMD")


def _controls(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\r\n"}


def test_csv_defuses_formulas_and_control_characters(place: Place) -> None:
    _visited(place)
    run = place.run(*READ, "--why", "a test", "--format", "csv")
    assert _controls(run.stdout) == set()
    head, *rows = csv.reader(io.StringIO(run.stdout))
    assert len(rows) == len(HOSTILE) + 1
    assert all(len(row) == len(head) for row in rows)
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert any("HYPERLINK" in cell for row in rows for cell in row)


def test_a_table_gives_the_terminal_no_orders(place: Place) -> None:
    _visited(place)
    run = place.run(*READ, "--why", "a test", "--format", "table")
    assert run.returncode == 0
    assert _controls(run.stdout) == set()
    assert "[link=https://evil.example]" in run.stdout
    assert "[red]rich[/red]" in run.stdout


def test_a_coloured_terminal_gets_no_orders_of_visitors(place: Place) -> None:
    _visited(place)
    run = place.run(*READ, "--why", "a test", "--format", "table", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b]" not in run.stdout
    assert "\x07" not in run.stdout
    assert "\x9b" not in run.stdout
    assert "evil.example\x1b\\" not in run.stdout


def test_json_lines_are_one_object_a_row_and_keep_every_character(place: Place) -> None:
    _visited(place)
    run = place.run(*READ, "--why", "a test", "--format", "jsonl")
    assert _controls(run.stdout) == set()
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [row["path"] for row in rows[:-1]] == HOSTILE


def test_a_site_that_does_not_exist_is_named_and_nothing_read(place: Place) -> None:
    ask(place.app(PLAIN), "/x")
    run = place.run(*READ, "--why", "a test", "--site", "Shpo")
    assert run.returncode != 0
    assert "Shpo" in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
