"""``cookiegate stats``: counts of closed days without a look at anybody's row, of open ones with an entry."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from cookiegate.cli.charts import report
from cookiegate.config import Config, Records
from cookiegate.records import VisitLog
from cookiegate.records.statistics import statistics
from tests.contract.world import Answer
from tests.records.visits import A_DAY, NOON, a_site, a_visit
from tests.visits.place import Place, ask, command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from cookiegate.records.statistics import Statistics
    from cookiegate.site import Site

FIRST, LAST = date(2026, 11, 19), date(2026, 11, 21)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
HOSTILE = '/<script>alert(1)</script>"\x1b]0;x\x07\u202e&'


def _log(root: Path, site: Site) -> VisitLog:
    records = Records(directory=root / "records", key_directory=root / "keys")
    log = VisitLog.open(Config(sites=(site,), secret_keys=("k" * 32,), records=records))
    assert log is not None
    return log


def _visited(log: VisitLog, site: Site) -> None:
    """Three days: six networks each day on one page; one person alone on another."""
    for day in range(3):
        for number in range(6):
            row = {"address": f"192.0.{number}.9", "agent": CHROME, "granted": ("analytics",) * (day == 2)}
            log.record_visit(a_visit(site, NOON - day * A_DAY, path=HOSTILE, referrer="https://ok.example/", **row))
        log.record_visit(a_visit(site, NOON - day * A_DAY, path=f"/only/{day}", status=200))


def _found(log: VisitLog, site: Site) -> Statistics:
    return statistics(log, site, FIRST, LAST, now=NOON + 3600, who="Kim", place="here")


def test_days_are_counted_once_closed_or_open(tmp_path: Path) -> None:
    site = a_site()
    log = _log(tmp_path, site)
    _visited(log, site)
    before = _found(log, site)
    [entry] = log.ledger.accesses()
    assert (entry.first, entry.last, entry.rows, entry.place) == ("2026-11-19", "2026-11-21", 21, "here")
    assert "statistics" in entry.why
    assert log.seals
    log.seals.close(NOON + 3600)
    after = _found(log, site)
    assert after == before
    assert [(entry.first, entry.rows) for entry in log.ledger.accesses()[1:]] == [("2026-11-21", 7)]
    assert after.visits == 21
    assert [after.of_day(day) for day in after.days] == [7, 7, 7]
    assert after.table("pages") == {HOSTILE: 18, "other": 3}
    assert after.table("referrers") == {"https://ok.example": 18, "other": 3}
    assert after.table("consents") == {"none": 14, "analytics": 6, "other": 1}
    assert after.hours[12] == 21


def test_counts_outlive_the_records(tmp_path: Path) -> None:
    site = a_site()
    log = _log(tmp_path, site)
    _visited(log, site)
    assert log.seals
    log.seals.close(NOON + 2 * A_DAY)
    later = datetime(2027, 3, 1, tzinfo=UTC).timestamp()
    found = statistics(log, site, FIRST, LAST, now=later, who="Kim", place="here")
    assert found.visits == 21
    assert log.ledger.accesses() == []


def test_the_report_is_one_file_that_loads_and_runs_nothing(tmp_path: Path) -> None:
    site = a_site().model_copy(update={"name": "Tea & <Co>"})
    log = _log(tmp_path, site)
    _visited(log, site)
    html = report(_found(log, site), at="2026-11-21 12:00").decode()
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import|\son\w+=", html)
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    assert "Tea &amp; &lt;Co&gt;" in html
    assert "&lt;script&gt;alert(1)" in html
    assert not {"\x1b", "\x07", "\u202e"} & set(html)
    assert html.count("<svg") == html.count("</svg>") >= 7
    for chart in re.findall(r"<svg[^>]*>", html):
        assert 'role="img" aria-label=' in chart or "bar" in chart
    assert html.count('<th scope="row">2026-11-') == 3
    assert report(statistics(log, site, LAST, LAST, now=NOON - 30 * A_DAY, who="a", place="b"), at="now")


def test_the_command_writes_a_table_rows_or_the_report(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    app = place.app(Answer(b"x", content_type="text/plain"))
    for path in ("/a", "/b"):
        ask(app, path)
    monkeypatch.chdir(place.root)
    assert "2 visits to Shop" in command("stats")[1]
    code, text = command("stats", "--format", "csv", "--from", "2026-01-01")
    assert code == 0
    assert list(csv.DictReader(io.StringIO(text)))[-1]["visits"] == "2"
    last = json.loads(command("stats", "--format", "jsonl")[1].splitlines()[-1])
    assert (last["visits"], last["pages"]) == (2, {"other": 2})
    assert command("stats", "--html", "report.html")[0] == 0
    assert (place.root / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert command("stats", "--site", "None")[0] == 1
    assert command("stats", "--from", "soon")[0] == 1
