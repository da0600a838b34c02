"""Where a choice returns to, and where it never does."""

from __future__ import annotations

import pytest

from .world import SAME_ORIGIN, Visitor

GOOD = [
    "/",
    "/tea",
    "/tea?kind=green&x=1#steep",
    "/%EB%85%B9%EC%B0%A8",
    "/[1]",
    "/~a!$'()*+,;=:@",
    "/a//b",
    "/http://x",
]
BAD = [
    "", "tea", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "https://evil.example/", "HTTPS:evil.example", "javascript:alert(1)", "data:text/html,x", " /tea", "/ tea",
    "\t//evil.example", "/\t/evil.example", "/\n/evil.example", "/tea\n", "/tea\r\nSet-Cookie: a=b",
    "/tea\r\n\r\n<script>alert(1)</script>", "/tea\x00", "/tea\x7f", "/te\x85a", "/녹차", "/te\u2028a", "/a\\b",
    "?x=1", "#x", "/\u00a0", "\ufeff/tea",
]  # fmt: skip


@pytest.mark.parametrize("place", GOOD, ids=repr)
def test_a_choice_returns_to_where_it_was_made(visitor: Visitor, place: str) -> None:
    reply = visitor.choose("reject_all", return_to=place)
    assert (reply.status, reply.all("location")) == (303, [place])


@pytest.mark.parametrize("place", BAD, ids=repr)
def test_a_hostile_return_address_becomes_the_front_page(visitor: Visitor, place: str) -> None:
    reply = visitor.choose("reject_all", return_to=place)
    assert (reply.status, reply.all("location")) == (303, ["/"])
    assert len(reply.all("set-cookie")) == 1


def test_without_a_return_address_it_is_the_front_page(visitor: Visitor) -> None:
    reply = visitor.post({"action": "reject_all"}, SAME_ORIGIN)
    assert (reply.status, reply.all("location")) == (303, ["/"])
