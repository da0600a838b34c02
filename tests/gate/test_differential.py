"""Our tokenizer beside two others that know nothing of it (oracles.py), tag by tag and attribute by attribute.

A reading ends where browsers may disagree and the gate withholds or closes explicitly; DOUBTS lists these places, and
FAULTS where another reader departs from the specification. Anywhere else all three must see the same.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.pages import written
from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.oracles import Reading, by_html5lib, by_lolhtml, disagreement, lolhtml_is_installed, ours
from tests.gate.reading import gate

if TYPE_CHECKING:
    from cookiegate.gate.places import Withheld

EVERY = (*HTML, *FOREIGN, *SHARDS)
SPECIAL = (*b"<>/=!-?'\"& \t\n\f\r\0aAsS[]", 0xC3, 0xFF)
quick = settings(deadline=None, suppress_health_check=list(HealthCheck))
lolhtml = pytest.mark.skipif(not lolhtml_is_installed(), reason="python-lolhtml has no wheel for this interpreter")


class Fault(NamedTuple):
    """A page that *reader* reads otherwise than the specification says; *pattern* finds more of its kind."""

    reader: str
    page: bytes
    pattern: bytes
    why: str


FAULTS = {
    "comment that begins with NUL": Fault(
        "html5lib", b"<!--\0><p>", rb"<!--\0-?>",
        "13.2.5.43: only '>' directly behind '<!--' or '<!---' ends a comment at once; NUL is text of it",
    ),
    "svg that closes itself": Fault(
        "lol-html", b"<svg/><title><p></title>", rb"<(?:svg|math)[^>]*/>",
        "13.2.6.5: '<svg/>' is closed at once, so the title is RCDATA; lol-html stays in svg",
    ),
    "svg in svg": Fault(
        "lol-html", b"<svg><svg><p><script><a></script>", rb"<(?:svg|math).*<(?:svg|math)",
        "13.2.6.5: a <p> closes every svg up to HTML; lol-html leaves one",
    ),
    "svg in a point of integration": Fault(
        "lol-html", b"<math><mi><svg></math><style><p></style>", rb"<(?:svg|math).*<(?:svg|math)",
        "13.2.6.4.7: inside <mi> the end tag of math closes nothing; lol-html reads on as in math",
    ),
    "point of integration behind an end tag": Fault(
        "lol-html", b"<svg><g></g><title>a</title>", rb"(?s)<(?:svg|math).*</[^>]*+>.*<",
        "a start tag that opens one is not reported at all where it follows an end tag in svg",
    ),
}  # fmt: skip

# Older and newer browsers read these in two ways, or only who builds the whole tree can tell. html5lib has the rules of
# before 2025 for select and of before 2021 for </p> in svg; the specification of today is right where they differ.
DOUBTS = {
    "text in a select": (b"<select><style><p></style>", "before 2025 a select ignored what is no option or script"),
    "title in a select": (b"<select><title><p></title>", "the same"),
    "frame in a select": (b"<select><iframe><p></iframe>", "the same"),
    "text in a frameset": (b"<frameset><style><p></style>", "a frameset ignores all but frames, so that is no text"),
    "</p> in svg": (b"<svg></p><style><p></style>", "since 2021 </p> and </br> leave svg and math"),
    "end tag in svg": (b"<svg></span><style><p></style>", "it closes svg if a <span> is open around it"),
    "end tag in math": (b"<math></mi><style><p></style>", "it may close an element around math"),
    "end of video in svg": (b"<video><svg></video><style><p></style>", "svg is closed: the video is open around it"),
    "end of desc in a paragraph": (b"<svg><desc><p></desc><style><p></style>", "whether the <p> was closed before"),
    "CDATA in a point": (b"<svg><desc><p><![CDATA[><b>]]>", "CDATA if a browser has closed the <p>, else a comment"),
}  # fmt: skip


def _known(reader: str, page: bytes) -> bool:
    return any(fault.reader == reader and re.search(fault.pattern, page, re.IGNORECASE) for fault in FAULTS.values())


def _soup(dice: random.Random) -> bytes:
    """A few fragments with a few bytes changed."""
    page = bytearray(b"".join(dice.choices(EVERY, k=dice.randint(1, 7))))
    for _ in range(dice.randint(0, 4)):
        at = dice.randint(0, len(page))
        page[at : at + dice.choice((0, 0, 1, 3))] = bytes((dice.choice(SPECIAL),))[: dice.choice((0, 1, 1))]
    return bytes(page)


# -- html5lib


@pytest.mark.parametrize("scripting", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("fragment", EVERY, ids=ascii)
def test_html5lib_sees_the_same_tags_of_a_fragment(fragment: bytes, scripting: bool) -> None:
    page = b"<p>" + fragment + b"<img src=/own.png>"
    assert disagreement(ours(page, scripting=scripting), by_html5lib(page, scripting=scripting)) == ""


@given(st.lists(st.sampled_from(EVERY), max_size=8).map(b"".join), st.booleans())
@settings(quick, max_examples=300)
def test_html5lib_sees_the_same_tags_of_a_soup(page: bytes, scripting: bool) -> None:
    if not _known("html5lib", page):
        assert disagreement(ours(page, scripting=scripting), by_html5lib(page, scripting=scripting)) == ""


@pytest.mark.parametrize("seed", range(5))
def test_html5lib_sees_the_same_tags_of_damaged_soups(seed: int) -> None:
    dice = random.Random(seed)
    for page in (_soup(dice) for _ in range(200)):
        if not _known("html5lib", page):
            assert disagreement(ours(page), by_html5lib(page)) == "", page


def test_html5lib_sees_the_same_tags_of_whole_pages() -> None:
    for page in written(2):
        reading = ours(page)
        assert (reading.whole, len(reading.tags) > 500) == (True, True)
        assert disagreement(reading, by_html5lib(page)) == ""


# -- lol-html


@lolhtml
def test_lolhtml_sees_the_same_tags() -> None:
    dice = random.Random(1)
    pages = [*EVERY, *written(4), *(_soup(dice) for _ in range(3000))]
    pages = [page for page in pages if not _known("lol-html", page) or len(page) > 10_000]
    parted = {
        page: found
        for page, theirs in zip(pages, by_lolhtml(pages), strict=True)
        if (found := disagreement(ours(page), theirs))
    }
    assert parted == {}


# -- where they part


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_where_another_reader_is_wrong_the_third_agrees_with_us(fault: Fault) -> None:
    if fault.reader == "lol-html" and not lolhtml_is_installed():
        pytest.skip("python-lolhtml has no wheel for this interpreter")
    assert re.search(fault.pattern, fault.page, re.IGNORECASE)
    lol = by_lolhtml([fault.page])[0] if lolhtml_is_installed() else Reading([], whole=False)
    wrong, right = (lol, by_html5lib(fault.page)) if fault.reader == "lol-html" else (by_html5lib(fault.page), lol)
    assert disagreement(ours(fault.page), wrong), f"{fault.reader} has been mended: {fault.why}"
    assert disagreement(ours(fault.page), right) == "", fault.why


@pytest.mark.parametrize(("page", "why"), DOUBTS.values(), ids=DOUBTS)
def test_where_browsers_disagree_the_gate_is_in_doubt_and_lets_only_what_all_read_alike_leave(
    page: bytes, why: str
) -> None:
    assert not ours(page).whole, why
    report: list[Withheld] = []
    gated = gate(page, report=report)
    assert (gated != page, len(report) > 0) == (True, True), why
    assert ours(gated).whole, why
    assert disagreement(ours(gated), by_html5lib(gated)) == "", why
