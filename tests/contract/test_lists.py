"""Filter lists from the outside: a page, a start that fails, and what `check` says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cookiegate.cli.check import check

from .world import STRANGER, Answer, Visitor, gated

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a-key-for-the-command-line-of-32-bytes-or-more"


def test_what_a_list_names_never_leaves_not_even_for_who_granted_all(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("||stranger.example^\n")
    page = Answer(f'<!doctype html><script src="{STRANGER}"></script><img src="https://else.example/a.png">')
    visitor = Visitor(gated(page, unknown="allow", lists=[tmp_path / "list.txt"]))
    visitor.choose("accept_all")
    text = visitor.get("/").text
    assert "stranger.example" not in text
    assert "<!--privacy:listed-->" in text
    assert "else.example" in text


def _configuration(tmp_path: Path, rules: str) -> Path:
    (tmp_path / "list.txt").write_text(rules)
    file = tmp_path / "cookiegate.toml"
    file.write_text(f'secret_keys = ["{KEY}"]\n[[sites]]\nname = "Shop"\nunknown = "withhold"\nlists = ["list.txt"]\n')
    return file


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(20, {"note": "2 rules; 1 exceptions are ignored, since consent knows none; last"}, id="young"),
        pytest.param(40, {"note": "2 rules", "warning": "is 40 days old. Fetch it anew"}, id="old"),
        pytest.param(None, {"note": "does not say when it was last modified"}, id="of unknown age"),
    ],
)
def test_check_reports_every_list(tmp_path: Path, days: int | None, said: dict[str, str]) -> None:
    head = f"! Last modified: {datetime.now(UTC) - timedelta(days=days, minutes=5):%Y-%m-%dT%H:%MZ}\n" if days else ""
    file = _configuration(tmp_path, head + "||a.example^\n||b.example^\n@@||b.example/x\n")
    told: dict[str, str] = {
        finding.level: finding.sentence for finding in check(file) if "list.txt" in finding.sentence
    }
    assert told.keys() == said.keys()
    assert all(part in told[level] for level, part in said.items())


def test_check_fails_where_a_list_cannot_be_used(tmp_path: Path) -> None:
    [finding] = check(_configuration(tmp_path, "127.0.0.1 a.example\n"))
    assert finding.level == "error"
    assert "'list.txt' holds no rule" in finding.sentence
