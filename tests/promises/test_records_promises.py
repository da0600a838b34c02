"""The table of promises cannot rot: each row names tests, and all of them exist."""

from __future__ import annotations

import re

from tests.http.test_http_tables import rows, there


def test_every_promise_names_tests_that_there_are() -> None:
    table = rows("promises.md")
    assert len(table) >= 25
    for promise, tests in table:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named, promise
        assert named <= there(), named - there()
