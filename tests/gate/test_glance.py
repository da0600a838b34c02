"""A glance may save work, never change what leaves: every page is gated with it and, tag by tag, without it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiegate.gate import rewriter, skipping
from cookiegate.site import Site
from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.reading import SITE, STRICT, gate
from tests.gate.test_judge import SPELLED

GA = b"https://www.google-analytics.com/x"
# Spellings of an address between the quotes of an attribute, and what could hide one elsewhere.
ADDRESSES = (
    *SPELLED.values(),
    GA,
    b"/matomo.js",
    b"matomo.js",
    b"../matomo.js",
    b"/%6datomo.js",
    b"/x/./../matomo.php",
    b"https://stats.example/matomo.js",
    b"https:www.google-analytics.com/x",
    b"data:text/html,<script src=//www.google-analytics.com/x></script>",
    b"data:text/css,@import '//www.google-analytics.com/x'",
    b"/own.png",
    b"https://own.example/x?u=//www.google-analytics.com/",
    b"https://free.example:8443/x",
    b"https://me@www.google-analytics.com/x",
    b"//www.google-analytics.com'/x",
    b"//free.example&shy.google-analytics.com/",
)
TAGS = (
    b"<img src=%s>", b'<img src="%s">', b"<img src='%s'>", b'<img\nsrcset="%s 1x"\nalt="a > b">', b'<IMG SRC="%s"/>',
    b'<script src="%s"></script>', b'<script defer src="%s" type="text/javascript"></script>',
    b'<link rel="stylesheet" href="%s">', b'<div style="background:url(%s)">', b'<a ping="%s" href="/">',
    b'<style>a{background:url("%s")}</style>', b"<style>@import '%s';</style>", b'<body background="%s">',
    b"<style>.a\\:b{background:u\\72l(%s)}</style>", b'<meta http-equiv="refresh" content="5; url=%s">',
    b'<input type="image" src="%s">', b'<p data-src="%s">', b"<script>fetch('%s')</script>",
    b"<p onload=\"fetch('%s')\">", b"<img src=\"/own.png\" onerror=\"fbq('init')\" alt=\"%s\">",
    b"<svg onload=\"fbq('init')\"><path d=\"M0 0\"/></svg>",
    b"<style>@import 'data:text/css;base64,QGltcG9ydA==';</style>",
    b'<img data-privacy="marketing" src="%s">', b'<svg><rect fill="url(%s)"/></svg>', b"<title>%s</title>",
    b'<script type="application/json">{"a":"%s"}</script>', b"<script><!--\nfetch('%s')//--></script>",
)  # fmt: skip
SITES = pytest.mark.parametrize("site", [SITE, STRICT], ids=["strangers allowed", "strangers withheld"])


def without_glance(page: bytes, patch: pytest.MonkeyPatch, site: Site) -> bytes:
    with patch.context() as patched:
        patched.setattr(rewriter, "Glance", lambda _: lambda buf, pos: skipping.HTML(buf, pos).end())  # type: ignore[union-attr]
        return gate(page, site=site)


@SITES
@pytest.mark.parametrize("tag", TAGS, ids=ascii)
def test_no_spelling_of_an_address_is_passed_at_a_glance(
    tag: bytes, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ADDRESSES:
        page = b"<p>a</p>" + tag.replace(b"%s", address) + b"<p>b</p>"
        assert gate(page, site=site) == without_glance(page, monkeypatch, site), address


@SITES
@given(st.lists(st.sampled_from((*HTML, *FOREIGN, *SHARDS)), min_size=1, max_size=9).map(b"".join))
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_a_soup_leaves_the_same_with_a_glance_and_without(site: Site, page: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert gate(page, site=site) == without_glance(page, patch, site)
