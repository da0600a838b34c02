"""Laws that hold for every page, and for pages that never end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.world import body_of
from tests.golden.gating import APP, HTML, answer, cut, gate
from tests.golden.streaming import CHUNK, KINDS
from tests.golden.writing import anything, own_pages, pages, soups

quick = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
LESS_TO_MORE = ((), ("analytics",), ("analytics", "marketing"), ("analytics", "marketing", "preferences"))
LIMIT = 1 << 20  # the default of gate_memory
LABELS = [
    b"text/html", b"text/html; charset=utf-8", b"text/html; charset=iso-8859-1", b"text/html; charset=euc-kr",
    b"text/html; charset=utf-16", b"text/html; charset=iso-2022-jp", b"text/html; charset=x-tea",
    b"application/xhtml+xml", b"text/vnd.turbo-stream.html", b"", b"*/*",
]  # fmt: skip
MARKER = re.compile(rb"<!--privacy:[a-z0-9-]+-->")


@given(anything, st.sampled_from(LABELS), st.integers(1, 50))
@quick
def test_no_bytes_make_the_gate_fail(page: bytes, label: bytes, size: int) -> None:
    sent = answer(cut(page, size), [(b"content-type", label)])
    assert sent[0]["status"] in {200, 502}  # a page that cannot be read is a plain notice
    assert sent[-1].get("more_body", False) is False


@given(anything, st.lists(st.integers(1, 40), min_size=1, max_size=12))
@quick
def test_where_a_page_is_cut_changes_nothing(page: bytes, sizes: list[int]) -> None:
    assert gate(page, *sizes) == gate(page)


@given(anything)
@quick
def test_what_was_gated_passes_the_gate_unchanged(page: bytes) -> None:
    once = gate(page)
    assert gate(once) == once


@given(own_pages)
@quick
def test_a_page_with_nothing_of_others_keeps_every_byte(page: bytes) -> None:
    assert gate(page) == page


@given(pages)
@quick
def test_who_grants_more_never_receives_less(page: bytes) -> None:
    received = [set(re.findall(rb"\bid=n\d+", gate(page, granted=granted), re.I)) for granted in LESS_TO_MORE]
    assert all(less <= more for less, more in pairwise(received))


@given(soups)
@quick
def test_who_grants_more_finds_no_more_marks_of_what_was_withheld(soup: bytes) -> None:
    withheld = [len(MARKER.findall(gate(soup, granted=granted))) for granted in LESS_TO_MORE]
    assert withheld[0] == 0 or withheld[-1] <= withheld[0]


@given(pages)
@quick
def test_only_spans_are_taken_out_and_all_else_stands_in_its_order(page: bytes) -> None:
    at = 0
    for piece in MARKER.split(re.sub(rb"<iframe[^>]*><p>a</p></iframe>", b"", gate(page))):
        rest = re.split(
            rb"<link rel=\"stylesheet\" href=\"//shop\.test/.*?</span></span></span>", piece, flags=re.DOTALL
        )
        for own in rest:
            found = re.sub(rb"<iframe[^>]*><p>a</p></iframe>", b"", page).find(own, at)
            assert found >= 0 or b"srcset" in own or b'=""' in own, own
            at = found + len(own)


# -- streams


@given(st.lists(own_pages, min_size=1, max_size=6))
@quick
def test_a_flush_stays_a_flush(parts: list[bytes]) -> None:
    parts = [b"<!doctype html><p>tea", *parts]
    answer(parts)
    assert APP.left_before[1:] == [b"".join(parts[: number + 1]) for number in range(len(parts))]


@given(pages, st.integers(1, 200))
@quick
def test_what_has_left_is_never_taken_back(page: bytes, size: int) -> None:
    answer(cut(page, size))
    whole = APP.left()
    assert all(whole.startswith(left) for left in APP.left_before)


def test_the_first_byte_leaves_before_the_last_has_come() -> None:
    answer(
        [
            b"<!doctype html><title>Tea</title><p>first",
            b" <p>second <scr",
            b"ipt src=https://www.google-analytics.com/x>",
        ]
    )
    assert APP.left_before[1] == b"<!doctype html><title>Tea</title><p>first"
    assert APP.left_before[2].endswith(b"<p>second ")
    assert APP.left().endswith(b"<p>second <!--privacy:google-analytics-->")


def test_an_empty_piece_of_a_stream_loses_nothing() -> None:
    sent = answer([b"", b"<p>a", b"", b"<p>b", b""], HTML)
    assert body_of(sent) == b"<p>a<p>b"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_without_end_takes_no_more_memory_than_the_limit(kind: str) -> None:
    size = 200_000_000 if kind == "page" else 20_000_000  # what is too large to be judged is soon skipped
    command = [sys.executable, "-m", "tests.golden.streaming", kind, str(size)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120, cwd=Path(__file__).parents[2])
    told = json.loads(done.stdout)
    assert told["peak"] <= LIMIT + 2 * CHUNK, told
    assert kind != "page" or told["left"] > 0.9 * size
