"""Strategies that write HTML: as sites do, and as nobody should."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from tests.golden.pages import GOLDEN

GA: Final = "https://www.google-analytics.com/collect"
# Addresses, one for each of who may be asked: the site, a stranger, services of three purposes, nobody's service.
OWN: Final = (
    "/own.js",
    "own.gif?u=a&amp;b=c",
    "//cdn.example/x.js",
    "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    "#a",
    "",
)
SERVICES: Final = (
    GA,
    "//www.googletagmanager.com/gtm.js?id=GTM-1",
    "https://www.facebook.com/tr?id=1",
    "https&colon;//www.youtube.com/embed/M7",
    "HTTPS:\\\\region1.google-analytics.com./g",
    "https://static.hotjar.com/c/hotjar-1.js",
)
# ``{n}`` numbers the elements of a page, ``{u}`` is an address.
ELEMENTS: Final = (
    '<script id=n{n} async src="{u}"></script>',
    "<SCRIPT ID=n{n} SRC='{u}'\n></SCRIPT >",
    '<img id=n{n} alt="a>b" src="{u}">',
    "<img id=n{n} srcset='/own.gif 1x, {u} 2x'/>",
    '<iframe id=n{n} src="{u}"><p>a</p></iframe>',
    '<link id=n{n} rel="preload stylesheet" as=style href="{u}">',
    '<noscript><img id=n{n} src="{u}"></noscript>',
    '<video id=n{n} poster="{u}"><source src="{u}"></video>',
    '<svg id=n{n}><image href="{u}" /><path d="M0 0"/></svg>',
    '<picture><source id=n{n} srcset="{u}"><img src=/own.gif></picture>',
    '<template><embed id=n{n} src="{u}"></template>',
    '<object id=n{n} data="{u}"></object>',
    '<table><tr><td id=n{n}><input type=image src="{u}"></table>',
    "<a id=n{n} href='{u}'>a</a>",
    '<script id=n{n}>tea("</p>", 1 < 2)</script>',
    '<script id=n{n} type="application/ld+json">{{"u": "{u}"}}</script>',
)
TEXTS: Final = (
    "tea",
    " a < b <3 & &lt;img&gt; ",
    "\r\n\t",
    "<p>차 é",
    "</p>",
    "<br/>",
    "<!-- <img src=https://www.google-analytics.com/x> -->",
    "<!doctype html>",
    "<style>p{color:red}</style>",
    "<title>a</title>",
    "<textarea><p></textarea>",
    "<ul><li a=b c='d' e>",
    "<?php echo '>' ?>",
)
# What opens and is never closed, closes what was never opened, or is no tag at all.
SHARDS: Final = (
    "<", "</", "<!", "<!-", "<!--", "-->", "--!>", "<!-->", "<![CDATA[", "]]>", "<?", "<script", "<script>",
    "</script", "</script>", "<!--<script>", "<noscript>", "</noscript>", "<svg>", "</svg>", "<math><mi>",
    "</math>", "<title>", "</title>", "<style>", "</style>", "<textarea>", "<iframe>", "</iframe>",
    "<template>", "</template>", "<select>", "<plaintext>", "<p title=\"", "<p title='", '"', "'", ">", "=",
    "/", " ", "\0", "\x0c", "&", "&#", "<img src=", "<img/src=", "<a ping=", "<base href=",
    "<meta http-equiv=refresh content='0;", "<p style='background:url(", GA, "data-privacy=analytics ",
    "\ufeff", "\u212a",
)  # fmt: skip

_numbers = st.integers(0, 999)
_own = st.builds(
    lambda markup, n, u: markup.format(n=n, u=u), st.sampled_from(ELEMENTS), _numbers, st.sampled_from(OWN)
)
_any = st.builds(
    lambda markup, n, u: markup.format(n=n, u=u), st.sampled_from(ELEMENTS), _numbers, st.sampled_from(OWN + SERVICES)
)
_text = st.sampled_from(TEXTS)


def _page(parts: list[str]) -> bytes:
    return "".join(parts).encode()


own_pages = st.lists(st.one_of(_text, _own), max_size=12).map(_page)
"""Pages as sites write them, from which nothing is to be withheld."""

pages = st.lists(st.one_of(_text, _any), max_size=12).map(_page)
"""Pages as sites write them: whole elements, some of services."""

soups = st.lists(st.one_of(_text, _any, st.sampled_from(SHARDS)), max_size=16).map(_page)
"""Pages as nobody should write them."""

goldens = st.lists(st.sampled_from([golden.before for golden in GOLDEN]), max_size=3).map(b"".join)
"""The golden pages, one after another: what one leaves open swallows the next."""

anything = st.one_of(
    soups, pages, goldens, st.binary(max_size=400), st.tuples(soups, st.binary(max_size=40)).map(b"".join)
)
