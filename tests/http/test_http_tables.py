"""The tables of the docs cannot rot: every test that they name exists, and every row names one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]


@cache
def there() -> frozenset[str]:
    """The names of all tests."""
    trees = (ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return frozenset(
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def rows(name: str) -> list[list[str]]:
    lines = (ROOT / "docs" / name).read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[-1] != "tests"]


@pytest.mark.parametrize(("name", "least"), [("http.md", 45), ("threats.md", 23)])
def test_every_row_names_tests_that_there_are(name: str, least: int) -> None:
    assert len(rows(name)) >= least
    for rule, source, tests in rows(name):
        named = re.findall(r"`(test_\w+)`", tests)
        assert rule, source
        assert named, rule
        assert set(named) <= there(), set(named) - there()
