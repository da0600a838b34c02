"""Every bullet of what the gate promises, as pairs of pages: what an app wrote, what leaves of it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.world import body_of
from tests.golden.gating import answer, cut
from tests.golden.oracle import contacted
from tests.golden.pages import ANYTHING, GOLDEN, Golden, matches

pairs = pytest.mark.parametrize("golden", GOLDEN, ids=str)
quick = settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))


def gate(golden: Golden, *sizes: int) -> bytes:
    """What leaves of the pair's page, given whole or in chunks of these sizes."""
    return body_of(answer(cut(golden.before, *sizes), golden.headers))


@pairs
def test_of_a_page_leaves_what_the_pair_says(golden: Golden) -> None:
    left = gate(golden)
    assert golden.becomes(left), left.decode(errors="replace")
    assert golden.before == golden.after or left != golden.before, "nothing was withheld"


@pairs
def test_an_independent_reader_finds_no_service_in_what_leaves(golden: Golden) -> None:
    assert contacted(gate(golden)) == set()


@pytest.mark.parametrize("size", [1, 16])
@pairs
def test_where_a_page_is_cut_changes_nothing(golden: Golden, size: int) -> None:
    assert gate(golden, size) == gate(golden)


@given(st.sampled_from(GOLDEN), st.lists(st.integers(1, 60), min_size=1, max_size=20))
@quick
def test_however_a_page_is_cut_nothing_changes(golden: Golden, sizes: list[int]) -> None:
    assert gate(golden, *sizes) == gate(golden)


@pairs
def test_what_was_gated_passes_the_gate_unchanged(golden: Golden) -> None:
    start, *body = answer([golden.before], golden.headers)
    labels = [(name, value) for name, value in start["headers"] if name == b"content-type"]
    assert body_of(answer([body_of(body)], labels)) == body_of(body)


NAMED = {name for golden in GOLDEN for text in (golden.headers_before, golden.headers_after)
         for name in [line.partition(":")[0] for line in text.splitlines()]}  # fmt: skip


@pytest.mark.parametrize("golden", [g for g in GOLDEN if g.name.startswith(("headers/", "encodings/"))], ids=str)
def test_of_the_headers_leaves_what_the_pair_says(golden: Golden) -> None:
    sent = answer([golden.before], golden.headers)[0]["headers"]
    left = "\n".join(f"{name.decode()}: {value.decode()}" for name, value in sent if name.decode() in NAMED)
    assert matches(golden.headers_after.encode(), left.encode()) or left == _without_lines(golden.headers_after), left
    if golden.name.startswith("headers/") and not golden.untouched:
        assert "www.google-analytics.com" not in left


def _without_lines(pattern: str) -> str:
    return "\n".join(line for line in pattern.splitlines() if line != ANYTHING)


def test_the_pairs_cover_what_the_gate_promises() -> None:
    bullets = {golden.name.partition("/")[0] for golden in GOLDEN}
    assert bullets == {
        "tokenisation", "readings", "loads", "visitor-acts", "urls", "inline", "frames", "adjacency", "headers",
        "encodings",
    }  # fmt: skip


@pytest.mark.parametrize("golden", [g for g in GOLDEN if g.untouched], ids=str)
def test_a_page_that_must_stay_as_it_is_contacts_no_service(golden: Golden) -> None:
    assert contacted(golden.before) == set()
