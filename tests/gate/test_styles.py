"""Style sheets, read once more by an independent reader (tinycss2) after they were gated."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
import tinycss2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gate.reading import SITE, STRICT, gate

if TYPE_CHECKING:
    from collections.abc import Iterator

GA = b"https://www.google-analytics.com/x"
SHARDS = (
    GA, b"//www.google-analytics.com/x", b"url(", b"url( ", b'URL("', b"url('", b")", b'")', b"')", b'"', b"'", b";",
    b"{", b"}", b"a", b"a{b:", b'content:"x"', b"content:''", b"@import ", b'@import"', b"@import url(", b"@media(",
    b"/*", b"*/", b"//", b"\\", b"\\\n", b"\n", b" ", b"u\\72l(", b"\\75 rl(", b"-url(", b"image-set(", b"src(", b"=",
    b'[href^="', b'"]', b"data:text/css,", b"data:image/png;base64,AAAA", b"!important", b'\\"', b"\\29 ", b"/own.png",
    b"--x:", b"\xed\x95\x9c",
)  # fmt: skip

TRACKED = re.compile(r"\s*(?:https?:)?//www\.google-analytics\.com", re.IGNORECASE).match

# What must not survive, in spellings that a person would write.
SHEETS = {
    "url": b"a{b:url(GA)}",
    "url in quotes": b"a{b:url( 'GA' )}",
    "behind a closed string": b'a{content:"x";b:url(GA)}',
    "behind an empty string": b"a{content:'';b:url(GA)}",
    "behind an import of one's own": b'@import "/own.css";@import url(GA);',
    "import": b'@import "GA";',
    "import without a space": b"@import'GA'layer(a);",
    "import behind a comment": b'@import/**/"GA";',
    "set of images": b'a{b:image-set("GA" 1x, "/own.png" 2x)}',
    "a quote in a comment": b'/* " */a{b:url(GA)}',
    "a comment that looks like an address": b"/* // */a{b:url(GA)}",
    "a quote in an address": b'a{b:url(/x"y) url(GA)}',
    "a bracket in a string": b'a{content:")";b:url(GA)}',
    "a broken string": b'a{content:"x\n;b:url(GA)}',
    "an escaped quote": b'a{content:"\\"";b:url(GA)}',
    "an escaped name": b"a{b:\\75 rl(GA)}",
    "unclosed": b"a{b:url(GA",
    "variable": b"a{--b:url(GA)}",
    "a sheet inside": b"@import 'data:text/css,@import url(GA)';",
}


def loaded(css: bytes) -> list[str]:
    """Return every address that the independent reader would load: url tokens, and strings that are no comparison."""
    return list(_loaded(tinycss2.parse_component_value_list(css.decode("utf-8", "replace"))))


def _loaded(nodes: list[Any], *, compares: bool = False) -> Iterator[str]:
    before = None
    for node in nodes:
        if node.type == "url" or (node.type == "string" and not (compares and before == "=")):
            yield node.value
        inside = getattr(node, "arguments", None) or getattr(node, "content", None)
        if inside:
            yield from _loaded(inside, compares=node.type == "[] block")
        if node.type != "whitespace":
            before = node.value[-1:] if node.type == "literal" else None


def test_a_style_sheet_inside_an_address_is_read_in_base64_too() -> None:
    inside = b64encode(b"@import url(" + GA + b");")
    for css in (
        b"@import 'data:text/css;base64," + inside + b"';",
        b"@import url(data:text/css;base64," + inside + b");",
    ):
        assert inside not in gate(b"<style>" + css + b"</style>")


def gated_style(css: bytes) -> bytes:
    return gate(b"<style>" + css + b"</style>").removeprefix(b"<style>").removesuffix(b"</style>")


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
@pytest.mark.parametrize("site", [SITE, STRICT], ids=["strangers allowed", "strangers withheld"])
def test_no_spelling_of_an_address_survives_in_a_style_sheet(sheet: bytes, site: Any) -> None:
    css = sheet.replace(b"GA", GA)
    for size in (0, 1, 7):
        assert b"google-analytics" not in gate(b"<style>" + css + b"</style>", site=site, size=size)
    attribute = b'<p style="' + css.replace(b'"', b"&quot;") + b'">'
    assert b"google-analytics" not in gate(attribute, site=site)
    assert gate(b"<style>" + css + b"</style>", "analytics") == b"<style>" + css + b"</style>"


@pytest.mark.parametrize(
    "css",
    [
        b'a[href^="https://www.google-analytics.com/"]{color:red}',
        b".md\\:flex,.w-1\\/2{margin:0}/*! https://www.google-analytics.com */",
        b'a:before{content:"\\f101";font:url(/own.woff2)}',
        b"a{b:url(data:image/png;base64,iVBORw0KGgo//www.google-analytics.com/)}",
        b"@namespace svg url(http://www.w3.org/2000/svg);",
        b'a{content:"www.google-analytics.com"}',
    ],
)
def test_what_only_names_a_service_stays_in_a_style_sheet(css: bytes) -> None:
    assert gated_style(css) == css


@given(st.lists(st.sampled_from(SHARDS), min_size=1, max_size=12).map(b"".join))
@settings(deadline=None, max_examples=600, suppress_health_check=list(HealthCheck))
def test_an_independent_reader_finds_no_service_in_a_soup_of_styles(css: bytes) -> None:
    if b"</style" not in css:
        assert [url for url in loaded(gated_style(css)) if TRACKED(url)] == []
