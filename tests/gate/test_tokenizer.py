from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiegate.gate import grammar, skipping
from cookiegate.gate.tag import Kind
from cookiegate.gate.tokenizer import Tokenizer
from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.reading import Stop, elements, gate, ours, pieces, stops, survivors, theirs

EVERY = HTML + FOREIGN + SHARDS
BOTH = pytest.mark.parametrize("scripting", [True, False], ids=["with scripts", "without scripts"])
quick = settings(deadline=None, suppress_health_check=list(HealthCheck))


def soups(*fragments: bytes, most: int = 9) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(fragments), min_size=1, max_size=most).map(b"".join)


def outside_drawings(found: list[Stop]) -> list[Stop]:
    """A plain drawing is one match where it comes whole, and tags of no interest where it is cut."""
    names = {b"script", b"style", b"title"} | skipping.INTERESTING - {b"svg"}
    return [stop for stop in found if stop[0] is Kind.RAW_END or (stop[0] is Kind.START and stop[1] in names)]


# -- however the bytes arrive


@BOTH
@pytest.mark.parametrize("fragment", EVERY, ids=ascii)
def test_a_fragment_is_read_the_same_however_it_is_cut(fragment: bytes, scripting: bool) -> None:
    page = b"<p>" + fragment + b"<img src=/own.png>"
    whole = outside_drawings(stops(page, [page], scripting=scripting))
    assert outside_drawings(stops(page, pieces(page, 1), scripting=scripting)) == whole
    for cut in range(1, len(page)):
        assert outside_drawings(stops(page, [page[:cut], page[cut:]], scripting=scripting)) == whole


@pytest.mark.parametrize("fragment", EVERY, ids=ascii)
def test_a_fragment_is_gated_the_same_however_it_is_cut(fragment: bytes) -> None:
    page = b"<p>" + fragment + b"<img src=//www.google-analytics.com/y>"
    whole = gate(page)
    assert gate(page, size=1) == whole
    for cut in range(1, len(page)):
        assert gate(page, cut=cut) == whole


@given(soups(*EVERY), st.integers(1, 40))
@settings(quick, max_examples=300)
def test_a_soup_is_read_and_gated_the_same_in_chunks_of_any_size(page: bytes, size: int) -> None:
    assert outside_drawings(stops(page, pieces(page, size))) == outside_drawings(stops(page, [page]))
    assert gate(page, size=size) == gate(page)


@given(st.binary(max_size=200), st.integers(1, 20))
@settings(quick, max_examples=200)
def test_any_bytes_are_read_the_same_in_chunks_of_any_size(page: bytes, size: int) -> None:
    assert outside_drawings(stops(page, pieces(page, size))) == outside_drawings(stops(page, [page]))


@given(soups(*EVERY))
@settings(quick, max_examples=150)
def test_thorough_reading_sees_the_tags_that_quick_reading_sees(page: bytes) -> None:
    tokenizer = Tokenizer(limit=1 << 20)
    tokenizer.thorough = True
    thorough = [(tag.kind, tag.name, tag.start) for tag in (*tokenizer.read(page), *tokenizer.read(b"", final=True))]
    for kind, name, _, start, _, _ in outside_drawings(stops(page, [page])):
        assert (kind, name) in {(k, n) for k, n, _ in thorough}, start


# -- as an independent reader sees it


@BOTH
@pytest.mark.parametrize("fragment", HTML, ids=ascii)
def test_a_fragment_holds_the_elements_that_html5lib_finds(fragment: bytes, scripting: bool) -> None:
    page = b"<p>" + fragment + b"<img src=/own.png>"
    assert ours(page, scripting=scripting) == theirs(page, scripting=scripting)


@given(soups(*HTML, *SHARDS, most=7), st.booleans())
@settings(quick, max_examples=500)
def test_a_soup_holds_the_elements_that_html5lib_finds(page: bytes, scripting: bool) -> None:
    assert ours(page, scripting=scripting) == theirs(page, scripting=scripting)


@BOTH
@pytest.mark.parametrize("fragment", FOREIGN, ids=ascii)
def test_svg_and_math_hold_the_html_that_html5lib_finds(fragment: bytes, scripting: bool) -> None:
    assert ours(fragment, scripting=scripting) == theirs(fragment, scripting=scripting)


# Where we see more than html5lib's tree holds; that is safe. A start tag that we do not see would not be.
MORE_THAN_THE_TREE = [
    pytest.param(b"<frame src=/x>", "a frame outside a frameset is dropped by the tree, and gated by us", id="frame"),
    pytest.param(b"<frameset><img src=/x>", "a frameset drops all but frames", id="img in frameset"),
    pytest.param(b"<frameset><script src=/x></script>", "a frameset drops scripts", id="script in frameset"),
    pytest.param(b"<select><img src=/x>", "html5lib has the select of before 2025, which dropped images", id="select"),
    pytest.param(b"<svg></p><video src=/x>", "html5lib does not leave svg at </p>, as HTML does since 2021", id="</p>"),
]


@pytest.mark.parametrize(("page", "reason"), MORE_THAN_THE_TREE)
def test_where_we_differ_from_html5lib_we_see_more(page: bytes, reason: str) -> None:
    assert theirs(page) == [], f"html5lib has changed its mind: {reason}"
    assert len(ours(page)) == 1, reason


HIDDEN = [
    pytest.param(b"<svg><desc><![CDATA[ > <!-- ]]><img src=TRACKER> -->", id="CDATA directly in desc"),
    pytest.param(b"<svg><desc><p></desc><![CDATA[><img src=TRACKER>]]>", id="end of desc inside a paragraph"),
    pytest.param(b"<svg><desc></svg></desc><![CDATA[><img src=TRACKER>]]>", id="end of svg inside desc"),
    pytest.param(b"<svg><title></desc><![CDATA[><img src=TRACKER>]]>", id="end of desc inside title"),
    pytest.param(b"<svg></span><style><img src=TRACKER></style>", id="stray end tag in svg"),
    pytest.param(b"<svg></body><style><img src=TRACKER></style>", id="end of body in svg"),
    pytest.param(b"<video><svg></video><style><!--</style><img src=TRACKER>-->", id="end of video around svg"),
    pytest.param(b"<x-y><svg></x-y><style><!--</style><img src=TRACKER>-->", id="end of custom element around svg"),
    pytest.param(b"<svg><script href=/own.js><img src=TRACKER></script></svg>", id="markup in svg script with href"),
    pytest.param(b"<svg><script><![CDATA[</script><!--]]><img src=TRACKER>-->", id="end tag in CDATA of svg script"),
    pytest.param(b"<math><mi><mglyph><style><img src=TRACKER></style>", id="mglyph"),
    pytest.param(
        b"<math><annotation-xml><svg><foreignObject><style><!--</style><img src=TRACKER>-->", id="svg in annotation-xml"
    ),
    pytest.param(b"<math><mi><svg></math><style><!--</style><img src=TRACKER>-->", id="end of math inside svg"),
    pytest.param(b"<select><style><script src=TRACKER></script></style></select>", id="style in select"),
    pytest.param(b"<select><title><script src=TRACKER></script></title></select>", id="title in select"),
    pytest.param(b"<select><iframe><script src=TRACKER></script></iframe></select>", id="iframe in select"),
    pytest.param(b"<select><svg><![CDATA[><script src=TRACKER></script>]]>", id="svg in select"),
    pytest.param(b"<frameset><style><frame src=TRACKER></style></frameset>", id="style in frameset"),
    pytest.param(b"<noscript><p a=\"</noscript><p b=\"><img src=TRACKER>", id="noscript's end in an attribute"),
    pytest.param(b"<noscript><!--</noscript><img src=TRACKER>-->", id="noscript's end in a comment"),
    pytest.param(b"<noscript><style></noscript><img src=TRACKER></style>", id="noscript's end in a style"),
    pytest.param(b"<noscript><svg></noscript><style><img src=TRACKER></style>", id="svg left open in noscript"),
    pytest.param(b"<noscript><iframe></noscript><img src=TRACKER></iframe>", id="noscript's end in a frame"),
    pytest.param(b"<noscript><textarea></noscript><noscript></textarea><img src=TRACKER>", id="text over two noscripts"),  # noqa: E501
    pytest.param(b"<noscript><plaintext></noscript><img src=TRACKER>", id="plaintext in noscript"),
    pytest.param(b"<noscript><script></noscript><img src=TRACKER></script>", id="script left open in noscript"),
    pytest.param(b"<noscript><img src=TRACKER>", id="noscript left open"),
]  # fmt: skip


@pytest.mark.parametrize("page", HIDDEN)
def test_no_trick_of_markup_carries_a_tracker_past_the_gate(page: bytes) -> None:
    assert survivors(gate(page.replace(b"TRACKER", b"//www.google-analytics.com/x"))) == []


@given(soups(*HTML, *SHARDS))
@settings(quick, max_examples=300)
def test_no_soup_of_html_carries_a_tracker_past_the_gate(page: bytes) -> None:
    assert survivors(gate(page)) == []


@given(soups(*HTML, *SHARDS, most=5), soups(*HTML, *SHARDS, most=4))
@settings(quick, max_examples=300)
def test_noscript_is_gated_for_browsers_with_and_without_scripts(inside: bytes, after: bytes) -> None:
    assert survivors(gate(b"<noscript>" + inside + b"</noscript>" + after)) == []


def test_noscript_is_text_to_browsers_with_scripts_and_markup_to_others() -> None:
    page = b"<body><noscript><img src=/x></noscript>"
    assert [name for name, _ in elements(page) if name == "img"] == []
    assert [name for name, _ in elements(page, scripting=False) if name == "img"] == ["img"]
    assert (len(ours(page)), len(ours(page, scripting=False))) == (0, 1)


# -- the interpreter's traps


def test_repeats_of_groups_are_never_given_back_on_this_interpreter() -> None:
    import re

    end = re.compile(grammar.many(rb"ab?c")).match(b"abcaca")
    assert end is not None
    assert end.end() == 5
