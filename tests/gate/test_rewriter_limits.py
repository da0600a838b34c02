from __future__ import annotations

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiegate.gate.rewriter import Rewriter
from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.reading import SITE, elements, gate, judge, pieces
from tests.gate.test_rewriter import GA, GONE, PAIRS

quick = settings(deadline=None, suppress_health_check=list(HealthCheck))
SOUP = st.lists(st.sampled_from((*HTML, *FOREIGN, *SHARDS)), max_size=9).map(b"".join)

# -- nothing is held for long, and nothing that is too large gets out

LIMIT = 4096
OVERSIZED = {
    "inline script": (b"<script>", b"x", b"</script>"),
    "tag": (b'<img src="', b"x", b'">'),
    "tag that holds text": (b'<iframe a="', b"x", b'"><p></iframe>'),
    "bare value": (b"<img src=", b"x", b">"),
    "many attributes": (b"<img ", b"a=b ", b">"),
    "noscript": (b"<noscript>", b"<p>", b"</noscript>"),
    "end tag": (b"<title></title ", b"x ", b">"),
    "end tag of a script": (b"<script>y</script ", b"x ", b">"),
    "comment": (b"<!--", b"x-", b"-->"),
    "style": (b"<style>", b"x", b"</style>"),
    "bogus comment": (b"<?", b"x", b">"),
    "svg CDATA": (b"<svg><![CDATA[", b"]", b"]]></svg>"),
}


@pytest.mark.parametrize("size", [7, 64, 1024])
@pytest.mark.parametrize(("start", "filler", "end"), OVERSIZED.values(), ids=OVERSIZED)
def test_what_is_too_large_to_judge_is_withheld_and_the_rest_goes_on(
    start: bytes, filler: bytes, end: bytes, size: int
) -> None:
    page = b"<p>a</p>" + start + filler * (4 * LIMIT) + end + b"<p>b</p><img src=//www.google-analytics.com/x><p>c"
    rewriter = Rewriter(judge(SITE), limit=LIMIT, report=lambda _: None)
    fed, out = 0, b""
    for chunk in pieces(page, size):
        fed += len(chunk)
        out += rewriter.feed(chunk)
        held = len(rewriter._captured) + rewriter._tokenizer.held
        assert held <= LIMIT + size, f"{held} bytes are held after {fed}"
    out += rewriter.close()
    assert out.startswith(b"<p>a</p>")
    assert out.endswith(b"<p>b</p>" + GONE + b"<p>c")


def test_the_first_bytes_leave_before_the_last_have_come() -> None:
    rewriter = Rewriter(judge(SITE), limit=LIMIT, report=lambda _: None)
    assert rewriter.feed(b"<p>a</p><scr") == b"<p>a</p>"
    assert rewriter.feed(b"ipt>x()") == b""
    assert rewriter.feed(b"</script><p>b") == b"<script>x()</script><p>b"
    assert rewriter.close() == b""


# -- what goes leaves no gap for its neighbours to close

NEIGHBOURS = {
    "tag": (b"<", b"img src=x onerror=alert(1)>"),
    "end tag": (b"</", b"p onclick=x>"),
    "script": (b"<scr", b"ipt>alert(1)</script>"),
    "name": (b"<im", b"g src=x onerror=alert(1)>"),
    "comment": (b"<!-", b"- x --><img onerror=x>"),
    "comment's end": (b"<!-- --", b"><script>alert(1)</script>-->"),
    "entity": (b"&l", b"t;img onerror=x&gt;"),
    "attribute": (b"<p title=", b"onclick=x>"),
    "text": (b"<title></tit", b"le><img onerror=x>"),
    "CDATA": (b"<svg><![CDA", b"TA[<p onclick=x>]]></svg>"),
}


@pytest.mark.parametrize("gone", PAIRS, ids=PAIRS)
@pytest.mark.parametrize(("before", "after"), NEIGHBOURS.values(), ids=NEIGHBOURS)
def test_neighbours_of_what_is_withheld_do_not_become_markup(before: bytes, after: bytes, gone: str) -> None:
    page = before + PAIRS[gone][0].replace(b"GA", GA) + after
    for scripting in (True, False):
        assert _active(gate(page), scripting=scripting) <= _active(page, scripting=scripting)


def _active(page: bytes, *, scripting: bool) -> set[str]:
    found = set()
    for name, attributes in elements(page, scripting=scripting):
        found |= {f"{name} {attribute}" for attribute in attributes if str(attribute).startswith("on")}
        found |= {"script"} if name == "script" else set()
    return found


@given(SOUP, st.sampled_from([pair[0] for pair in PAIRS.values()]), SOUP)
@settings(quick, max_examples=200)
def test_no_soup_around_what_is_withheld_becomes_a_script(before: bytes, gone: bytes, after: bytes) -> None:
    page = before + gone.replace(b"GA", GA) + after
    assert _scripts(gate(page)) <= _scripts(page)


def _scripts(page: bytes) -> int:
    """How many scripts there are where scripts run at all, those in svg included."""
    tree = html5lib.parse(page.decode("utf-8", "replace"), scripting=True)
    return sum(isinstance(element.tag, str) and element.tag.endswith("}script") for element in tree.iter())
