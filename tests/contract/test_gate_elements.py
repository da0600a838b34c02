"""What may stand in a page: the whole matrix of elements and of whom they load."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .world import GA, HOTJAR, STRANGER, Answer, Visitor, body_of, drive, gated, http_scope, parsed, visit

DENIED: tuple[str, ...] = ()
ALL = ("analytics", "marketing", "preferences")
SITE = {"own_hosts": ["cdn.shop-static.example"], "keep": ["https://widget.example.net/*"]}
ELEMENTS = {
    "script": '<script src="{}"></script>',
    "async script": '<script async defer src="{}"></script>',
    "module": '<script type="module" src="{}"></script>',
    "unquoted": "<script src={}></script>",
    "in capitals": "<SCRIPT SRC='{}'></SCRIPT>",
    "img": '<img width=1 src="{}" alt="">',
    "iframe": '<iframe src="{}" loading="lazy"></iframe>',
    "preconnect": '<link rel="preconnect" href="{}">',
    "preload": '<link rel="preload" as="script" href="{}">',
    "stylesheet": '<link href="{}" rel=stylesheet>',
    "modulepreload": '<link rel="modulepreload" href="{}">',
    "noscript img": '<noscript><img height="1" src="{}"/></noscript>',
    "noscript iframe": '<noscript><iframe src="{}" height="0"></iframe></noscript>',
}
# url, unknown, given, may leave
LOADED = {
    "declared, denied": (GA, "withhold", DENIED, False),
    "declared, denied, strangers allowed": (GA, "allow", DENIED, False),
    "declared, another purpose granted": (GA, "allow", ("marketing",), False),
    "declared, granted": (GA, "withhold", ("analytics",), True),
    "undeclared, nothing granted": (HOTJAR, "allow", DENIED, False),
    "undeclared, all granted": (HOTJAR, "allow", ALL, False),
    "unknown, withheld": (STRANGER, "withhold", DENIED, False),
    "unknown, withheld from who granted all": (STRANGER, "withhold", ALL, False),
    "unknown, allowed": (STRANGER, "allow", DENIED, True),
    "own path": ("/static/x.js", "withhold", DENIED, True),
    "relative": ("x.js?v=1", "withhold", DENIED, True),
    "own host": ("https://shop.test/x.js", "withhold", DENIED, True),
    "own host without a scheme": ("//shop.test/x.js", "withhold", DENIED, True),
    "the site's subdomain": ("https://img.shop.test/x.js", "withhold", DENIED, True),
    "own_hosts": ("https://cdn.shop-static.example/x.js", "withhold", DENIED, True),
    "keep entry of the catalogue": ("https://js.stripe.com/v3/", "withhold", DENIED, True),
    "keep entry of the site": ("https://widget.example.net/w.js", "withhold", DENIED, True),
}


def _page(markup: str) -> str:
    return f"<!doctype html><html><head><title>Tea</title></head><body>\n<p>Tea</p>{markup}<p>more</p></body></html>"


@pytest.mark.parametrize("element", ELEMENTS.values(), ids=ELEMENTS)
@pytest.mark.parametrize(("url", "unknown", "given_", "leaves"), LOADED.values(), ids=LOADED)
def test_what_loads_from_others_leaves_only_when_it_may(
    element: str, url: str, unknown: str, given_: tuple[str, ...], *, leaves: bool
) -> None:
    markup = element.format(url)
    visitor = visit(Answer(_page(markup)), give=given_, unknown=unknown, **SITE)
    body = visitor.get().text
    if leaves:
        assert body == _page(markup)
    else:
        assert url not in re.sub(r"<a [^>]*>", "", body)  # the visitor may still go there
        assert body.startswith(_page(markup).partition(markup)[0])
        assert body.endswith("<p>more</p></body></html>")


def test_a_keep_entry_of_the_site_frees_even_a_catalogue_service() -> None:
    page = _page(f'<script src="{HOTJAR}"></script>')
    assert visit(Answer(page), keep=["https://static.hotjar.com/*"]).get().text == page


@pytest.mark.parametrize(
    "url",
    ["https://widget.example.net.evil.example/w.js", "https://evil.example/https://widget.example.net/w.js"],
    ids=["host", "path"],
)
def test_a_keep_entry_frees_no_look_alike(url: str) -> None:
    assert url not in visit(Answer(_page(f'<script src="{url}"></script>')), **SITE).get().text


INLINE = {
    "gtag": ("<script>window.dataLayer=[];function gtag(){{}};gtag('js',new Date());gtag('config','G-1');</script>"),
    "classic ga": "<script>ga('create','UA-1','auto');ga('send','pageview');</script>",
    "loader": "<script>(function(d){{var s=d.createElement('script');s.src='https://www.google-analytics.com/analytics.js';"
    "d.head.append(s)}})(document)</script>",
    "escaped loader": r"<script>d.src='https:\/\/www.google-analytics.com\/analytics.js'</script>",
    "loader with a variable": "<script>var u='https://www.google-analytics.com/analytics.js',d=document,"
    "s=d.createElement('script');s.src=u;d.head.append(s)</script>",
    "fetch": "<script>fetch('https://www.google-analytics.com/collect')</script>",
    "beacon": "<script>navigator.sendBeacon('https://www.google-analytics.com/collect')</script>",
    "image": "<script>new Image().src='https://www.google-analytics.com/collect'</script>",
    "written": "<script>document.write('<script src=https://www.google-analytics.com/x.js><\\/script>')</script>",
    "unescaped": "<script>document.write(unescape('%3Cscript src=https://www.google-analytics.com/ga.js'))</script>",
    "module": '<script type="module">import "https://www.google-analytics.com/x.js"</script>',
}


@pytest.mark.parametrize("script", INLINE.values(), ids=INLINE)
def test_an_inline_script_of_a_denied_service_stays_here(script: str) -> None:
    page = _page(script.replace("{{", "{").replace("}}", "}"))
    assert "<script" not in visit(Answer(page), unknown="allow").get().text
    assert visit(Answer(page), give=["analytics"], unknown="allow").get().text == page


def test_an_inline_script_that_nobody_declared_stays_here_whatever_was_granted() -> None:
    page = _page("<script>(function(h){h._hjSettings={hjid:1,hjsv:6};})(window)</script>")
    assert "_hjSettings" not in visit(Answer(page), give=ALL, unknown="allow").get().text


KEPT = {
    "own code": "<script>document.querySelector('h1').hidden = false;</script>",
    "dataLayer alone": "<script>window.dataLayer = window.dataLayer || []; dataLayer.push({a: 1});</script>",
    "json-ld naming a service": f'<script type="application/ld+json">{{"sameAs":["https://www.facebook.com/tr","{GA}"]}}</script>',
    "json naming a service": f'<script type="application/json">{{"u":"{GA}"}}</script>',
    "a link to a service": '<a href="https://www.facebook.com/tea">us</a>',
    "text about a service": f"<p>We use {GA} and gtag('config', 'G-1').</p>",
    "a comment about a service": f'<!-- <script src="{GA}"></script> -->',
    "a textarea": f'<textarea><script src="{GA}"></script></textarea>',
    "a title in svg": "<svg><title>x</title><path d='M0 0'/></svg>",
    "inline image": '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    "own noscript": '<noscript><img src="/own.gif"></noscript>',
}


@pytest.mark.parametrize("markup", KEPT.values(), ids=KEPT)
def test_what_loads_nothing_from_others_is_not_touched(markup: str) -> None:
    page = _page(markup)
    assert visit(Answer(page)).get().text == page


HIDDEN = [
    "https://www.google-analytics&#46;com/x.js", "https://www.google-analytics&period;com/x.js",
    "\\\\www.google-analytics.com\\x.js",
    "//www.google-analytics.com/x.js", "  https://www.google-analytics.com/x.js",
    "ht\ttps://www.google-\nanalytics.com/x.js", "https://user:pass@www.google-analytics.com/x.js",
    "https://www.google-analytics.com:443/x.js", "https://www.google-analytics.com./x.js",
    "HTTPS://WWW.GOOGLE-ANALYTICS.COM/x.js", "https://www.google%2danalytics.com/x.js",
    "http:www.google-analytics.com/x.js",
    "https://ｗｗｗ.google-analytics.com/x.js", "\x01https://www.google-analytics.com/x.js",
    "https://shop.test@google-analytics.com/x",
]  # fmt: skip


@pytest.mark.parametrize("url", HIDDEN, ids=repr)
@pytest.mark.parametrize("kind", ["script", "img"])
def test_a_url_is_read_as_a_browser_reads_it(url: str, kind: str) -> None:
    page = _page(ELEMENTS[kind].format(url))
    body = visit(Answer(page), unknown="allow").get().text
    assert url not in body
    assert "<script" not in body


@pytest.mark.parametrize(
    "url",
    [
        "https://notgoogle-analytics.com/x.js", "https://google-analytics.com.tea.example/x.js",
        "https://tea.example/google-analytics.com/x.js", "https://tea.example/?u=https://www.google-analytics.com/x",
        "https://google-analytics.com@tea.example/x.js", "/www.google-analytics.com/x.js",
    ],
)  # fmt: skip
def test_a_look_alike_is_not_the_service(url: str) -> None:
    page = _page(f'<script src="{url}"></script><img src="{url}">')
    assert visit(Answer(page), unknown="allow").get().text == page


def test_an_own_service_on_an_own_path_is_withheld_until_granted() -> None:
    page = _page('<script src="/stats.js"></script><img src="/stats.json.gif"><img src="/tea.jpg">')
    own = {"service": {"shop-stats": {"purpose": "analytics", "hosts": ["/stats.js"]}}}
    denied = visit(Answer(page), **own).get().text
    assert '/stats.js"' not in denied
    assert "/tea.jpg" in denied
    assert visit(Answer(page), give=["analytics"], **own).get().text == page


def test_what_is_withheld_leaves_an_inert_marker() -> None:
    body = visit(Answer(_page(f'<script src="{GA}"></script>'))).get().text
    assert body == _page("<!--privacy:google-analytics-->")


@pytest.mark.parametrize(
    "markup",
    [
        '<<script src="{}"></script>img src=x onerror=alert(1)>',
        '<im<script src="{}"></script>g src=x onerror=alert(1)>',
        '<a title="<script src="{}"></script>" onclick=alert(1)>x</a>',
        '<script src="{0}"></script><script src="{0}"></script>',
    ],
)
def test_removing_something_never_makes_something_live(markup: str) -> None:
    page = _page(markup.format(GA))

    def live(body: bytes) -> set[tuple[str, ...]]:
        return {
            (element.tag, name)
            for element in parsed(body).iter()
            if isinstance(element.tag, str)
            for name in element.attrib
            if name.startswith("on")
        }

    body = visit(Answer(page)).get().body
    assert live(body) <= live(page.encode())
    assert all(element.get("src") != GA for element in parsed(body).iter("script"))


PIECES = [
    f'<script src="{GA}"></script>', f'<img src="{STRANGER}">', "<p a=b>", "</p>", "<!-- x -->",
    "<!-->", "<![CDATA[x]]>",
    "<noscript>", "</noscript>", "<svg>", "</svg>", "<title>", "</title>", "<script>", "</script>",
    "<!--<script>", "text\r\n",
    "<textarea>", "</textarea>", '<a title=">">', "<", "&#46;", "\x00", "차", '<iframe src="/own">',
    "</iframe>", "<style>", "</style>",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.data())
def test_where_the_page_is_cut_never_matters(pieces: list[str], data: st.DataObject) -> None:
    page = _page("".join(pieces)).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(page)), max_size=8)))
    parts = [page[a:b] for a, b in zip([0, *cuts], [*cuts, len(page)], strict=True)]
    whole, cut = gated(Answer(page)), gated(Answer(*parts))
    assert body_of(drive(cut, http_scope())) == body_of(drive(whole, http_scope()))


def test_byte_by_byte_is_as_good_as_whole() -> None:
    page = _page(
        "".join(ELEMENTS[kind].format(url) for kind in ELEMENTS for url in (GA, HOTJAR, STRANGER, "/x"))
    ).encode()
    bytewise = gated(Answer(*(page[i : i + 1] for i in range(len(page)))))
    assert body_of(drive(bytewise, http_scope())) == body_of(drive(gated(Answer(page)), http_scope()))


@pytest.mark.parametrize("markup", ['<div data-privacy="x">', "<p>"], ids=["marked", "plain"])
def test_a_megabyte_of_openings_does_not_hold_the_server(markup: str) -> None:
    page = _page((markup + "<script <img <!-- ") * 20_000)
    assert Visitor(gated(Answer(page))).get().status == 200
