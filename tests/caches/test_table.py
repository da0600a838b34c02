from __future__ import annotations

import re

from tests.caches.conftest import DOCS, ROOT


def test_each_rule_of_the_table_names_tests_that_there_are() -> None:
    rules = [line for line in DOCS.partition("## The rules and their tests")[2].splitlines() if line.startswith("| ")]
    files = (ROOT / "tests").rglob("test_*.py")
    there = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))}
    for rule in rules[1:]:
        named = re.findall(r"`(test_\w+)`", rule)
        assert named, rule
        assert set(named) <= there, rule
