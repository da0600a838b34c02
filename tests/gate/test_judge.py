from __future__ import annotations

from base64 import b64encode

import pytest

from cookiegate.gate.judge import Judge
from cookiegate.site import Site
from tests.gate.reading import HOME, STRICT, consent, gate, judge, matcher_of

GA = b"https://www.google-analytics.com/analytics.js"


def withheld(name: bytes, attributes: dict[bytes, bytes], *granted: str, site: Site = STRICT) -> str | None:
    """Why the element does not leave, or the first of its attributes that leaves with another value."""
    made = judge(site, *granted)
    found = made.element(name, attributes) or next((part.withheld for part in made.parts(name, attributes)), None)
    return found.slug if found else None


SPELLED = {
    "decimal entity": b"//www.google-analytics&#46;com/x",
    "hexadecimal entity": b"//www.google-analytics&#x2e;com/x",
    "entity without semicolon": b"//www.google-analytics&#46com/x",
    "named entities": b"https&colon;&sol;&sol;www.google-analytics&period;com&sol;x",
    "ampersands": b"//www.google-analytics.com/x?a=1&amp;b=2&copy=3",
    "tab and newline entities": b"&Tab;https://www.goo&NewLine;gle-analytics.com/x",
    "full width": "//ｗｗｗ.google-analytics.com/x".encode(),
    "bytes of no character": b"//www.google-analytics.com/\xff\xfe",
    "Latin-1 in the query": b"//www.google-analytics.com/x?t=caf\xe9",
    "leading blank": b" \n//www.google-analytics.com/x",
}


@pytest.mark.parametrize("url", SPELLED.values(), ids=SPELLED)
def test_an_address_is_read_as_the_attributes_value_not_as_its_source(url: bytes) -> None:
    assert withheld(b"script", {b"src": url}) == "google-analytics"
    assert withheld(b"script", {b"src": url}, "analytics") is None


def test_bytes_of_no_character_hide_no_service_where_strangers_are_allowed() -> None:
    assert gate(b'<script src="//www.google-analytics.com/x?t=caf\xe9"></script>') == b"<!--privacy:google-analytics-->"


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        (b"/a 1x, /b 2x", None),
        (b"/a 1x, " + GA + b" 2x", "google-analytics"),
        (b"/a 1x," + GA + b" 2x", "google-analytics"),
        (b"/a," + GA, None),
        (b"/a, " + GA, "google-analytics"),
        (b",," + GA + b",", "google-analytics"),
        (b"/a 1x (x, y)," + GA, "google-analytics"),
        (b"\t" + GA + b"\n100w", "google-analytics"),
        (b"data:image/png;base64,AAAA 1x, /b 2x", None),
        (b"https://cdn.example/w_1,h_2/a.png 1x", None),
    ],
)
def test_every_candidate_of_a_srcset_is_judged(value: bytes, slug: str | None) -> None:
    assert withheld(b"img", {b"src": b"/a", b"srcset": value}) == slug
    assert withheld(b"link", {b"rel": b"preload", b"imagesrcset": value}) == slug


ENCODED = b64encode(b"<script src=//www.google-analytics.com/a.js></script>")
EMBEDDED = {
    "script": (b"script", b"src", b"data:text/javascript,ga('create','UA-1')"),
    "percent-encoded script": (b"script", b"src", b"data:,%67%61('create')"),
    "document": (b"iframe", b"src", b"data:text/html,<img src=//www.google-analytics.com/x>"),
    "document in Base64": (b"iframe", b"src", b"data:text/html;base64," + ENCODED),
    "document with an entity": (b"iframe", b"src", b"data:text/html,<img src=//www.google-analytics%26%2346;com/x>"),
    "javascript": (b"iframe", b"src", b"javascript:ga('create')"),
    "javascript in disguise": (b"iframe", b"src", b" JAVA&#10;script:ga('create')"),
    "object": (b"object", b"data", b"data:text/html,<img src=//www.google-analytics.com/x>"),
    "srcdoc": (b"iframe", b"srcdoc", b"&lt;img src=//www.google-analytics.com/x&gt;"),
    "srcdoc with an entity": (b"iframe", b"srcdoc", b"&lt;img src=//www.google-analytics&amp;#46;com/x&gt;"),
}


@pytest.mark.parametrize(("name", "attribute", "value"), EMBEDDED.values(), ids=EMBEDDED)
def test_what_stands_inside_an_address_is_judged_like_a_page(name: bytes, attribute: bytes, value: bytes) -> None:
    assert withheld(name, {attribute: value}) == "google-analytics"
    assert withheld(name, {attribute: value}, "analytics") is None


def test_a_stranger_inside_a_frames_own_document_is_withheld_as_anywhere() -> None:
    assert gate(b'<iframe srcdoc="<img src=//stranger.example/x>"></iframe>', site=STRICT) == (
        b'<iframe srcdoc="&lt;!--privacy:unknown--&gt;"></iframe>'
    )


@pytest.mark.parametrize(
    "value", [b"data:image/png;base64,AAAA", b"data:image/svg+xml,%3Csvg/%3E", b"blob:x", b"about:blank"]
)
def test_images_and_frames_without_a_host_pass(value: bytes) -> None:
    assert withheld(b"img", {b"src": value}) is None
    assert withheld(b"iframe", {b"src": value}) is None


STRANGERS = {
    b"script": b"src",
    b"img": b"src",
    b"iframe": b"src",
    b"embed": b"src",
    b"object": b"data",
    b"video": b"poster",
}


@pytest.mark.parametrize("name", STRANGERS, ids=bytes.decode)
def test_third_parties_that_nobody_declared_are_withheld_where_the_site_says_so(name: bytes) -> None:
    attributes = {STRANGERS[name]: b"//stranger.example/x"}
    assert withheld(name, attributes) == "unknown"
    assert withheld(name, attributes, site=Site("x", unknown="allow")) is None
    assert withheld(name, {STRANGERS[name]: b"//cdn.example/x"}) is None
    assert withheld(name, {**attributes, b"data-privacy": b"necessary"}) is None


def test_a_service_that_was_not_declared_is_withheld_whatever_was_granted() -> None:
    script = {b"src": b"https://cdn.mxpnl.com/libs/mixpanel.js"}
    found = judge(STRICT, "analytics", "marketing").element(b"script", script, foreign=False)
    assert found
    assert (found.slug, found.declared) == ("mixpanel", False)
    assert 'add "mixpanel" to services' in found.why


@pytest.mark.parametrize("url", [b"https://js.stripe.com/v3/", b"https://www.google.com/recaptcha/api.js"])
def test_payment_and_captcha_always_pass(url: bytes) -> None:
    assert withheld(b"script", {b"src": url}) is None


@pytest.mark.parametrize(
    ("mark", "granted", "slug"),
    [
        (b"analytics", (), "analytics"),
        (b"analytics", ("analytics",), None),
        (b"marketing", ("analytics",), "marketing"),
        (b" analytics ", (), "analytics"),
        (b"", (), None),
        (b"Analytics", (), "unknown"),
        (b"necessary", (), None),
    ],
)
def test_a_mark_withholds_until_its_purpose_is_granted(mark: bytes, granted: tuple[str, ...], slug: str | None) -> None:
    assert withheld(b"img", {b"src": b"/a", b"data-privacy": mark}, *granted) == slug


def test_necessary_frees_a_service_only_where_marks_are_trusted() -> None:
    attributes = {b"src": GA, b"data-privacy": b"necessary"}
    trusting = Site("x", unknown="withhold", marks="trusted")
    assert withheld(b"script", attributes) == "google-analytics"
    assert withheld(b"script", attributes, site=trusting) is None
    assert judge(STRICT).script(b"ga('create')", attributes)
    assert judge(trusting).script(b"ga('create')", attributes) is None


@pytest.mark.parametrize(
    ("relation", "href", "slug"),
    [
        (b"preconnect", b"//www.google-analytics.com", "google-analytics"),
        (b"DNS-Prefetch", b"//stranger.example", "unknown"),
        (b"preconnect", b"//own.example", None),
        (b"stylesheet", GA, "google-analytics"),
        (b"alternate icon", GA, "google-analytics"),
        (b"preconnect stylesheet", GA, "google-analytics"),
        (b"canonical", GA, None),
        (b"", GA, None),
        (b"&#112;reload", GA, "google-analytics"),
    ],
)
def test_a_link_is_judged_by_what_its_relations_fetch(relation: bytes, href: bytes, slug: str | None) -> None:
    assert withheld(b"link", {b"rel": relation, b"href": href}) == slug


@pytest.mark.parametrize(
    ("kind", "inert"),
    [
        (b"application/json", True),
        (b"application/ld+json", True),
        (b"text/plain", True),
        (b"text/x-template", True),
        (b" TEXT/PLAIN ", True),
        (b"module", False),
        (b"", False),
        (b"text/javascript", False),
        (b"importmap", False),
        (b"text/partytown", False),
        (b"x-shader/x-vertex", True),
        (b"application/json5x", False),
    ],
)
def test_only_data_that_nobody_runs_is_inert(kind: bytes, inert: bool) -> None:
    assert judge().is_inert({b"type": kind}) is inert


def test_a_script_in_svg_that_holds_markup_is_withheld() -> None:
    assert judge().script(b"a<b", {}, foreign=True)
    assert judge().script(b"<![CDATA[a]]>", {}, foreign=True) is None


def test_an_address_is_read_in_the_pages_character_set() -> None:
    korean = Judge(matcher_of(STRICT), consent(STRICT), page=HOME, charset="euc_kr")
    assert korean.element(b"img", {b"src": "/그림.png".encode("euc_kr")}, foreign=False) is None
    assert korean.element(b"img", {b"src": "//한국.example/".encode("euc_kr")}, foreign=False)


MIXED = {
    "srcset": b'<img data-privacy=necessary src=/a srcset="//stranger.example/a 1x, GA 2x">',
    "srcset, the other way round": b'<img data-privacy=necessary src=/a srcset="GA 1x, //stranger.example/a 2x">',
    "style": b'<img data-privacy=necessary src=/a style="a:url(//stranger.example/a);b:url(GA)">',
    "style sheet": b"<style data-privacy=necessary>a{b:url(//stranger.example/a) url(GA)}</style>",
    "ping": b'<a data-privacy=necessary href=/ ping="//stranger.example/a GA">',
}


@pytest.mark.parametrize("markup", MIXED.values(), ids=MIXED)
def test_a_mark_frees_strangers_and_never_a_service_beside_them(markup: bytes) -> None:
    gated = gate(markup.replace(b"GA", GA), site=STRICT)
    assert b"stranger.example" in gated
    assert b"google-analytics" not in gated


def test_a_service_in_the_address_of_any_element_is_emptied() -> None:
    assert gate(b'<lottie-player src="' + GA + b'"></lottie-player>') == b'<lottie-player src=""></lottie-player>'
