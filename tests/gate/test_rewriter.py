from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiegate.gate.places import Withheld
from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.reading import STRICT, gate, survivors

quick = settings(deadline=None, suppress_health_check=list(HealthCheck))
GA = b"https://www.google-analytics.com/analytics.js"
GONE = b"<!--privacy:google-analytics-->"
SEEDS = (*HTML, *FOREIGN, *SHARDS, b'<img data-privacy="analytics" src=/a>', b"<script>fbq('init')</script>")
SOUP = st.lists(st.sampled_from(SEEDS), max_size=9).map(b"".join)

PAIRS = {
    "external script": (b"<p><script async src=GA></script>x", b"<p>GONEx"),
    "script in upper case, cut by line ends": (b"<SCRIPT\nSRC = 'GA'\n></SCRIPT\n>x", b"GONEx"),
    "module script": (b"<script type=module src=GA></script>", b"GONE"),
    "inline script": (b"<script>ga('create','UA-1')</script>", b"GONE"),
    "inline module": (b"<script type=module>import 'GA'</script>", b"GONE"),
    "import map": (b'<script type=importmap>{"imports":{"a":"GA"}}</script>', b"GONE"),
    "own inline script": (b"<script>if (a < b) c('</p>')</script>", b"<script>if (a < b) c('</p>')</script>"),
    "JSON": (b'<script type=application/json>{"u":"GA"}</script>', b'<script type=application/json>{"u":"GA"}</script>'),  # noqa: E501
    "structured data": (b'<script type="application/ld+json">"GA"</script>',) * 2,
    "template script": (b'<script type="text/x-template"><img src=GA></script>',) * 2,
    "parked script": (b'<script type="text/plain">ga("create")</script>',) * 2,
    "own module": (b"<script type=module src=/own.js></script>",) * 2,
    "nonce and integrity": (b'<script nonce=a integrity="sha256-x" src=/own.js></script>',) * 2,
    "image": (b"<img alt='a>b' src=GA>", b"GONE"),
    "image, first of duplicates": (b"<img src=/a src=GA>", b"<img src=/a src=GA>"),
    "srcset": (b"<img src=/a srcset='/b 1x, GA 2x'>", b'<img src=/a srcset="/b 1x">'),
    "srcset without spaces": (b"<img src=/a srcset='/b 1x,GA 2x'>", b'<img src=/a srcset="/b 1x">'),
    "srcset with a comma in an address": (b"<img srcset='/b,w_1/a.png 1x, /c 2x'>",) * 2,
    "source": (b"<picture><source srcset='GA'></picture>", b"<picture>GONE</picture>"),
    "video poster": (b"<video poster=GA></video>", b'<video poster=""></video>'),
    "object": (b"<object data=GA></object>", b"GONE</object>"),
    "lazy image": (b"<img src=/a data-src=GA>", b"GONE"),
    "frame": (b"a<iframe src=GA><p>x</p></iframe>b", b"aGONEb"),
    "frame set": (b"<frameset><frame src=GA></frameset>", b"<frameset>GONE</frameset>"),
    "style sheet": (b"<link rel=StyleSheet href=GA>", b"GONE"),
    "preload": (b"<link href=GA rel='x preload' as=script>", b"GONE"),
    "preconnect": (b"<link rel=preconnect href=https://www.google-analytics.com>", b"GONE"),
    "dns-prefetch": (b"<link rel=dns-prefetch href=//www.google-analytics.com>", b"GONE"),
    "image preload by imagesrcset": (
        b"<link rel=preload as=image imagesrcset='/a 1x, GA 2x'>",
        b"GONE",
    ),
    "link that fetches nothing": (b"<link rel=canonical href=GA>",) * 2,
    "plain link": (b"<a href=GA>x</a>",) * 2,
    "base": (b"<base href=https://www.google-analytics.com/><script src=/analytics.js></script>",
             b"<!--privacy:base--><script src=/analytics.js></script>"),
    "own base": (b"<base href=/shop/ target=_self>",) * 2,
    "noscript image": (b"<noscript><p>a<img src=GA>b</noscript>c", b"<noscript><p>aGONEb</noscript>c"),
    "noscript frame": (b"<noscript><iframe src=GA></iframe></noscript>", b"<noscript>GONE</noscript>"),
    "own noscript": (b"<noscript><img src=/a></noscript>",) * 2,
    "noscript in two readings": (b'<noscript><p a="</noscript>x', b"<noscript><!--privacy:noscript--></noscript>x"),
    "denied mark": (b'a<script data-privacy="analytics">x()</script>b', b"a<!--privacy:analytics-->b"),
    "necessary mark": (b'<script data-privacy="necessary" defer>x()</script>', b"<script defer>x()</script>"),
    "mark of no purpose": (b"<img data-privacy=analitycs src=/a>", b"<!--privacy:unknown-->"),
    "mark twice": (b"<img data-privacy=necessary src=/a DATA-PRIVACY=x>", b"<img src=/a>"),
    "mark does not free a service": (b"<script data-privacy=necessary src=GA></script>", b"GONE"),
    "svg script": (b"<svg><script href=GA></script><g/></svg>", b"<svg>GONE<g/></svg>"),
    "svg script by xlink": (b"<svg><script xlink:href=GA></script><g/></svg>", b"<svg>GONE<g/></svg>"),
    "svg inline script": (b"<svg><script>ga&#40;'create'</script></svg>", b"<svg>GONE</svg>"),
    "svg script in CDATA": (b"<svg><script><![CDATA[ga('send')]]></script></svg>", b"<svg>GONE</svg>"),
    "svg image": (b"<svg><image href=GA /></svg>", b"<svg>GONE</svg>"),
    "svg drawing": (b"<svg><path d='M0'/><style>a{}</style></svg>",) * 2,
    "template": (b"<template><img src=GA></template>", b"<template>GONE</template>"),
    "script without end": (b"<p>a<script>ga('create')", b"<p>aGONE"),
    "own script without end": (b"<p>a<script>x(", b"<p>a<script>x("),
    "frame without end": (b"<p>a<iframe src=GA>b", b"<p>aGONE"),
    "comment without end": (b"<p>a<!-- <img src=GA>",) * 2,
    "title without end": (b"<title><img src=GA>",) * 2,
    "tag without end": (b"<p>a<img src=GA", b"<p>a<img src=GA"),
    "Latin-1": (b"<p title=\xe9>\xff<img src=GA>\xe9", b"<p title=\xe9>\xffGONE\xe9"),
    "CRLF and NUL": (b"a\r\n\0<img\r\nsrc=GA>\r\n", b"a\r\n\0GONE\r\n"),
    "empty": (b"", b""),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), PAIRS.values(), ids=PAIRS)
def test_what_a_visitor_who_was_not_asked_receives(before: bytes, after: bytes) -> None:
    before = before.replace(b"GA", GA)
    assert gate(before) == after.replace(b"GONE", GONE).replace(b"GA", GA)


@pytest.mark.parametrize("before", [pair[0] for pair in PAIRS.values()], ids=PAIRS)
def test_nothing_but_marks_goes_where_everything_is_granted(before: bytes) -> None:
    before = before.replace(b"GA", GA)
    if b"privacy" not in before.lower() and b'a="<' not in before and b"<base href=https" not in before:
        assert gate(before, "analytics", "marketing", "preferences") == before


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b"<!doctype html><head><title>x</title></head><body class=a>x", b"<body class=a>[B]x"),
        (b"<!doctype html><title>x</title><p>x", b"</title>[B]<p>x"),
        (b"<!doctype html>text", b"html>[B]text"),
        (b"\xef\xbb\xbf<!doctype html><body><p>x", b"<body>[B]<p>x"),
        (b"<html></head>\n<!-- <body> -->text", b"-->[B]text"),
        (b"<!doctype html><title></body></title><!--<body>--><p a='<body>'>", b"[B]<p a='<body>'>"),
        (b"<!doctype html><script>'<body>'</script><meta a='<body>'><body>x", b"<body>[B]x"),
        (b"<!doctype html><template><body><p></template><body>x", b"</template><body>[B]x"),
        (b"<body><p></body><body>", b"<body>[B]<p></body><body>"),
        (b"<!doctype html><script src=//www.google-analytics.com/x></script><p>", GONE + b"[B]<p>"),
        (b"<!doctype html><img src=//www.google-analytics.com/x>", b"[B]" + GONE),
        (b"<!doctype html>", b"<!doctype html>[B]"),
        (b"<!doctype html><title>x</title>", b"</title>[B]"),
    ],
    ids=["body", "implied", "text", "byte order mark", "comment", "strings", "script", "template", "second body",
         "withheld in head", "withheld is the body's start", "empty page", "only a head"],
)  # fmt: skip
def test_the_question_stands_where_the_body_begins(page: bytes, expected: bytes) -> None:
    gated = gate(page, banner=_banner)
    assert expected in gated
    assert gated.count(b"[B]") == 1
    assert gate(page, size=1, banner=_banner) == gated


@pytest.mark.parametrize(
    "page", [b"<p>a", b"text", b"", b"<html><frameset>", b"<!doctype html><script>x", b"<li>a<li>b"], ids=ascii
)
def test_nobody_is_asked_in_a_fragment_a_frameset_or_what_stays_open(page: bytes) -> None:
    assert gate(page, banner=_banner) == page


def _banner(*, based: bool, forms_forbidden: bool) -> bytes:
    return b"[B]"


# -- laws that hold for every page


@given(st.one_of(st.binary(max_size=300), SOUP), st.integers(1, 30))
@settings(quick, max_examples=300)
def test_no_bytes_make_the_gate_fail(page: bytes, size: int) -> None:
    gate(page, size=size, limit=4096, site=STRICT, banner=_banner)


@given(SOUP)
@settings(quick, max_examples=200)
def test_a_gated_page_passes_the_gate_unchanged(page: bytes) -> None:
    once = gate(page)
    assert gate(once) == once


@given(SOUP)
@settings(quick, max_examples=200)
def test_who_grants_more_never_receives_less(page: bytes) -> None:
    withheld: list[set[int]] = []
    for granted in ((), ("analytics",), ("analytics", "marketing"), ("analytics", "marketing", "preferences")):
        report: list[Withheld] = []
        gate(page, *granted, report=report)
        withheld.append({item.offset for item in report})  # the reason may be another
    assert all(less >= more for less, more in pairwise(withheld))


@given(SOUP)
@settings(quick, max_examples=200)
def test_a_page_from_which_nothing_is_withheld_keeps_every_byte(page: bytes) -> None:
    report: list[Withheld] = []
    gated = gate(page, report=report)
    assert report or gated == page or b"data-privacy" in page


@pytest.mark.parametrize(
    "before", [pair[0] for name, pair in PAIRS.items() if "fetches nothing" not in name], ids=ascii
)
def test_no_reader_finds_a_tracker_in_what_leaves(before: bytes) -> None:
    assert survivors(gate(before.replace(b"GA", GA))) == []
