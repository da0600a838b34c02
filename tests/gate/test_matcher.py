from __future__ import annotations

import re

import pytest

from cookiegate.gate.matcher import Matcher
from cookiegate.site import Site
from tests.gate.reading import SITE, matcher_of

EMPTY = Matcher(Site("Any", unknown="allow"))

# As the services' own manuals print them, shortened to what identifies them.
SNIPPETS = {
    "google-tag-manager": "(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':\n new Date().getTime(),event:'gtm.js'});"  # noqa: E501
    "var f=d.getElementsByTagName(s)[0];})(window,document,'script','dataLayer','GTM-XXXX');",
    "google-analytics": "window.dataLayer = window.dataLayer || [];\nfunction gtag(){dataLayer.push(arguments);}\n"
    "gtag('js', new Date());\ngtag('config', 'G-ABC123');",
    "google-ads": "gtag( 'config' , \"AW-123456789\" );",
    "meta-pixel": "!function(f,b,e,v){n=f.fbq=function(){};}(window,document);\nfbq('init', '123');\nfbq('track', 'PageView');",  # noqa: E501
    "matomo": "var _paq = window._paq = window._paq || [];\n_paq.push(['trackPageView']);",
    "hotjar": "(function(h,o,t,j,a,r){h.hj=h.hj||function(){};h._hjSettings={hjid:1,hjsv:6};})(window,document);",
    "microsoft-clarity": "(function(c,l,a,r,i,t,y){t=l.createElement(r);t.src=\"https://www.clarity.ms/tag/\"+i;})(window,document);",
    "tiktok-pixel": "!function (w, d, t) { w.TiktokAnalyticsObject=t;var ttq=w[t]=w[t]||[]; ttq.load('C1'); ttq.page(); }();",  # noqa: E501
    "pinterest-tag": "pintrk('load', '261');\npintrk('page');",
    "x-ads": "!function(e,t,n){e.twq||(s=e.twq=function(){})}(window,document);\ntwq('config','o1');",
    "naver-analytics": "if (!wcs_add) var wcs_add = {};\nwcs_add['wa'] = 's_1';\nif (window.wcs) { wcs_do(); }",
    "kakao-pixel": "kakaoPixel('123').pageView();",
    "linkedin-insight": '_linkedin_partner_id = "1";\nwindow._linkedin_data_partner_ids = [];',
    "snap-pixel": "snaptr('init', '1');\nsnaptr('track', 'PAGE_VIEW');",
    "reddit-pixel": 'rdt("init", "t2_1");\nrdt("track", "PageVisit");',
    "criteo": "window.criteo_q = window.criteo_q || [];",
    "mixpanel": "mixpanel.init('x', {debug: true});",
    "amplitude": "amplitude.init('KEY');",
    "yandex-metrica": "(function(m,e,t,r){m.x=1;k=e.createElement(t);k.src='https://mc.yandex.ru/metrika/tag.js'})(window,document);",
    "taboola": "window._taboola = window._taboola || [];\n_taboola.push({article:'auto'});",
    "microsoft-uet": "(function(w,d,t,r,u){w[u]=w[u]||[];var o={ti:\"1\"};o.q=w[u],w[u]=new UET(o)})(window,document,'script','','uetq');",  # noqa: E501
    "channel-talk": "ChannelIO('boot', {pluginKey: 'x'});",
}  # fmt: skip


def found(script: str, matcher: Matcher = EMPTY, *, data: bool = False) -> set[str]:
    return {match.service.slug for match in matcher.inline(script.encode(), data=data)}


@pytest.mark.parametrize("slug", SNIPPETS)
def test_a_documented_snippet_is_known_plain_and_minified(slug: str) -> None:
    plain = SNIPPETS[slug]
    assert slug in found(plain)
    assert slug in found(re.sub(r"\s*([^\w\s$])\s*", r"\1", plain))
    assert slug in found(plain.replace("'", '"'))


CLASSIC = "('https:' == document.location.protocol ? 'https://ssl' : 'http://www') + '.google-analytics.com/ga.js'"
LOADERS = {
    "element": "s=document.createElement('script');s.src='//www.google-analytics.com/analytics.js'",
    "escaped slashes": r"load('https:\/\/www.google-analytics.com\/analytics.js')",
    "hexadecimal escapes": r"load('\x2F\x2Fwww\x2Egoogle-analytics.com/a.js')",
    "Unicode escapes": r"load('\u002f\u{2F}www.google\u002Danalytics.com/a.js')",
    "host in parts": f"ga=document.createElement('script'); ga.src = {CLASSIC};",
    "document.write": "document.write('<script src=\"//www.google-analytics.com/urchin.js\"><\\/script>')",
    "unescape": "document.write(unescape('%3Cscript src=%22//www.google-analytics.com/ga.js%22%3E%3C/script%3E'))",
    "import": "import('https://www.google-analytics.com/a.mjs')",
    "beacon": "navigator.sendBeacon('https://www.google-analytics.com/g/collect')",
    "image": "new Image().src = `https://region1.google-analytics.com/g/collect`",
    "userinfo": "fetch('https://x@www.google-analytics.com/g/collect')",
    "upper case": "fetch('HTTPS://WWW.GOOGLE-ANALYTICS.COM/g/collect')",
    "entity in written markup": "document.write('<img src=//www.google-analytics&#46;com/x>')",
}


@pytest.mark.parametrize("script", LOADERS.values(), ids=LOADERS)
def test_a_script_that_loads_from_a_service_is_known(script: str) -> None:
    assert "google-analytics" in found(script)


OWN = {
    "name in a comment": "// we left google-analytics.com in 2024\nstart()",
    "name in a sentence": "var text = 'We do not use Google Analytics or Hotjar.'; show(text)",
    "longer name": "myfbq('x'); fbqueue(1); $fbq(2); agtag('js')",
    "address that is not loaded": "var links = {a: 'https://www.google-analytics.com/'}",
    "look-alike": "fetch('https://notgoogle-analytics.com/'); fetch('//google-analytics.com.own.example/')",
    "host in the path": "fetch('/proxy/www.google-analytics.com/x')",
    "own push": "dataLayer.push({event: 'x'})",
    "empty": "",
}


@pytest.mark.parametrize("script", OWN.values(), ids=OWN)
def test_an_own_script_that_only_mentions_a_service_is_none_of_it(script: str) -> None:
    assert found(script) == set()


def test_in_data_every_address_counts() -> None:
    assert found('{"imports": {"a": "https://www.google-analytics.com/a.js"}}') == set()
    assert "google-analytics" in found('{"imports": {"a": "https://www.google-analytics.com/a.js"}}', data=True)


@pytest.mark.parametrize(
    ("host", "path", "slug"),
    [
        ("google-analytics.com", "/", "google-analytics"),
        ("a.b.google-analytics.com", "/x", "google-analytics"),
        ("www.googletagmanager.com", "/gtag/js", "google-analytics"),
        ("www.googletagmanager.com", "/gtm.js", "google-tag-manager"),
        ("www.google.com", "/recaptcha/api.js", "google-recaptcha"),
        ("www.google.com", "/pagead/1p-user-list", "google-ads"),
        ("www.google.com", "/search", None),
        ("notgoogle-analytics.com", "/", None),
        ("google-analytics.com.evil.example", "/", None),
        ("com", "/", None),
        ("", "/", None),
    ],
)
def test_the_nearest_host_and_the_longest_path_win(host: str, path: str, slug: str | None) -> None:
    match = EMPTY.place(host, path)
    assert (match.service.slug if match else None) == slug


@pytest.mark.parametrize(
    ("cookie", "slugs"),
    [(b"_ga", {"google-analytics"}), (b"_ga_ABC", {"google-analytics"}), (b"_fbp", {"meta-pixel"}), (b"session", set()),
     (b"x_ga", set()), (b"_GA", set()), (b"", set()), (b"\xff", set())],
)  # fmt: skip
def test_a_cookie_belongs_to_the_declared_services_that_set_it(cookie: bytes, slugs: set[str]) -> None:
    assert {service.slug for service in matcher_of(SITE).cookie(cookie)} == slugs


def test_cookies_of_undeclared_services_are_left_alone() -> None:
    assert EMPTY.cookie(b"_ga") == ()


def test_own_hosts_and_keep_entries_are_known_exactly() -> None:
    from cookiegate.gate.url import read_url

    matcher = Matcher(Site("x", unknown="allow", hosts=["*.own.example"], keep=["https://w.example.net/a/*"]))
    assert matcher.is_own("a.own.example")
    assert not matcher.is_own("own.example")
    assert not matcher.is_own("notown.example")
    assert matcher.kept(read_url("//w.example.net/a/b", "https://own.example/"))
    assert not matcher.kept(read_url("//w.example.net/b", "https://own.example/"))
    assert not matcher.kept(read_url("//w.example.net/a/../b", "https://own.example/"))
    assert not matcher.kept(read_url("//x.w.example.net/a/b", "https://own.example/"))
