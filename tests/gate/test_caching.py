from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cookiegate.consent.consent import Consent, Overruled
from cookiegate.consent.decide import nobody_asked
from cookiegate.consent.exceptions import ServiceException
from cookiegate.gate.caching import (
    directives,
    page_headers,
    request_headers,
    tagged,
    translated,
    variant,
    wants_page,
    weakened,
)
from cookiegate.gate.sharing import lifetime
from tests.gate.reading import SITE, consent

V = b"0123456789ab"
W = b"ba9876543210"
PAGE = (b"accept", b"text/html,*/*;q=0.8")
NAMES = [
    *(b"cache-control", b"vary", b"etag", b"expires", b"pragma", b"surrogate-control", b"cdn-cache-control"),
    *(b"x-accel-expires", b"if-none-match", b"if-range", b"range", b"if-modified-since", b"content-encoding"),
]


def named(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for found, value in headers if found == name]


@pytest.mark.parametrize(
    ("etag", "ours"),
    [
        (b'"x"', b'"x~' + V + b'"'),
        (b'W/"x"', b'W/"x~' + V + b'"'),
        (b'""', b'"~' + V + b'"'),
    ],
)
def test_a_tag_carries_the_variant_and_is_found_again(etag: bytes, ours: bytes) -> None:
    assert tagged(etag, V) == ours
    assert etag in (translated([ours], V, foreign=False) or b"").split(b", ")


@pytest.mark.parametrize("etag", [b"broken", b'"', b'"a"b"', b'w/"x"', b""])
def test_what_is_no_tag_does_not_leave(etag: bytes) -> None:
    assert tagged(etag, V) == b""
    assert named(page_headers([(b"etag", etag)], V, vary=[], fleeting=False), b"etag") == []


@pytest.mark.parametrize(("coding", "ours"), [(b"gzip", b'W/"x~' + V + b'"'), (b"", b'"x~' + V + b'"')])
def test_the_tag_of_a_page_that_we_encode_anew_is_weak(coding: bytes, ours: bytes) -> None:
    headers = [(b"etag", b'"x"'), *([(b"content-encoding", coding)] if coding else [])]
    assert named(page_headers(headers, V, vary=[], fleeting=False), b"etag") == [ours]
    assert tagged(b'W/"x"', V, weak=True) == b'W/"x~' + V + b'"'


@pytest.mark.parametrize("foreign", [True, False])
def test_a_tag_of_another_variant_never_reaches_the_app(foreign: bool) -> None:
    assert translated([tagged(b'"x"', W)], V, foreign=foreign) is None
    assert translated([tagged(b'"x"', W) + b", " + tagged(b'"y"', V)], V, foreign=foreign) == b'"y"'


def test_a_tag_that_was_never_ours_stays_only_where_no_page_is_asked_for() -> None:
    assert translated([b'"a", W/"b"', b"*"], V, foreign=True) == b'"a", W/"b", *'
    assert translated([b'"a", W/"b"', b"*"], V, foreign=False) is None


def test_a_request_for_a_page_reaches_the_app_without_conditions_that_cross_variants() -> None:
    asked = [
        PAGE,
        (b"if-none-match", tagged(b'"x"', V)),
        (b"if-modified-since", b"x"),
        (b"range", b"bytes=0-1"),
        (b"if-range", b"x"),
        (b"accept-encoding", b"gzip, br"),
        (b"host", b"a"),
    ]
    seen = request_headers(asked, lambda: V, method="GET")
    assert seen == [PAGE, (b"host", b"a"), (b"if-none-match", b'"x"'), (b"accept-encoding", b"identity")]


@pytest.mark.parametrize("accept", [b"text/html", b"*/*"])
def test_a_condition_that_protects_from_a_lost_update_is_never_dropped(accept: bytes) -> None:
    asked = [
        (b"if-match", tagged(b'"x"', W) + b', "y"'),
        (b"if-none-match", b"*"),
        (b"if-unmodified-since", b"then"),
        (b"accept", accept),
    ]
    for method in ("PUT", "DELETE", "POST"):
        assert request_headers(asked, lambda: V, method=method)[:3] == [(b"if-match", b'"x", "y"'), *asked[1:3]]


def test_a_part_of_a_page_that_the_visitor_has_is_never_asked_for() -> None:
    asked = [(b"accept", b"*/*"), (b"range", b"bytes=5-"), (b"if-range", tagged(b'"x"', V))]
    assert request_headers(asked, lambda: V, method="GET") == [(b"accept", b"*/*")]


def test_a_request_for_anything_else_keeps_its_headers() -> None:
    asked = [
        (b"accept", b"image/*"),
        (b"if-none-match", b'"x"'),
        (b"range", b"bytes=0-1"),
        (b"accept-encoding", b"gzip"),
    ]
    assert sorted(request_headers(asked, lambda: V, method="GET")) == sorted(asked)


@pytest.mark.parametrize(
    ("accept", "page"), [(b"text/html", True), (b"a/b, TEXT/HTML;q=0.1", True), (b"*/*", False), (b"", False)]
)
def test_who_names_text_html_wants_a_page(accept: bytes, page: bool) -> None:
    assert wants_page([(b"accept", accept)]) is page


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([], b"private"),
        ([b"public, max-age=60"], b"private, max-age=60"),
        ([b"s-maxage=9", b"no-cache"], b"private, no-cache"),
        ([b"PRIVATE"], b"private"),
        ([b'private="a, b", max-age=1'], b"private, max-age=1"),
        ([b"no-store"], b"private, no-store"),
        ([b"proxy-revalidate,must-revalidate"], b"private, must-revalidate"),
        ([b'no-cache="set-cookie, x"', b"PUBLIC"], b'private, no-cache="set-cookie, x"'),
        ([b'x="a\\", public", max-age=1'], b'private, x="a\\", public", max-age=1'),
        ([b"no-transform, immutable, stale-while-revalidate=9"], b"private, no-transform"),
        ([b"max-age=60, max-age=9", b"max-age = 30"], b"private, max-age=9"),
        ([b'no-cache="a"', b"no-cache"], b"private, no-cache"),
        ([b", ,"], b"private"),
        ([b'max-age="5, public'], b"no-store"),
        ([b"no-store; max-age=0"], b"no-store"),
        ([b"max age"], b"no-store"),
    ],
)
def test_a_page_is_private_to_its_visitor(said: list[bytes], kept: bytes) -> None:
    headers = [(b"cache-control", line) for line in said]
    assert named(page_headers(headers, V, vary=[b"Cookie"], fleeting=False), b"cache-control") == [kept]
    assert named(page_headers(headers, V, vary=[b"Cookie"], fleeting=True), b"cache-control") == [b"no-store"]


@pytest.mark.parametrize(
    ("said", "vary"),
    [
        ([], b"Cookie"),
        ([b"accept"], b"accept, Cookie"),
        ([b"cookie, Accept", b"X"], b"cookie, Accept, X"),
        ([b"*"], b"*"),
        ([b"a", b" * "], b"*"),
        ([b" , "], b"Cookie"),
    ],
)
def test_vary_names_all_that_the_page_depends_on(said: list[bytes], vary: bytes) -> None:
    out = page_headers([(b"vary", line) for line in said], V, vary=[b"Cookie"], fleeting=False)
    assert [value.lower() for value in named(out, b"vary")] == [vary.lower()]


@pytest.mark.parametrize(
    "name",
    [
        *(b"last-modified", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"accept-ranges"),
        *(b"privacy-variant", b"surrogate-control", b"x-accel-expires", b"edge-control"),
        *(b"cdn-cache-control", b"cloudflare-cdn-cache-control", b"x-litespeed-cache-control", b"pragma"),
    ],
)
def test_a_page_says_nothing_that_gating_made_untrue(name: bytes) -> None:
    assert named(page_headers([(name, b"x"), (b"server", b"y")], V, vary=[], fleeting=False), name) == []


def test_the_variant_changes_with_all_that_a_page_depends_on_and_with_nothing_else() -> None:
    def of(
        visitor: Consent, *, revision: str = "1", language: str = "en", forms: tuple[bool, bool] = (False, False)
    ) -> bytes:
        return variant(visitor, revision=revision, language=language, forms=forms)

    nobody = consent(SITE)
    refused = nobody_asked(SITE).refuse(now=0)
    watches = refused.allow("youtube", until=None, now=0, new_id="id")
    told = [
        of(nobody),
        of(refused),
        of(consent(SITE, "analytics")),
        of(consent(SITE, "marketing")),
        of(watches),
        of(replace(refused, signal=True)),
        of(nobody, revision="2"),
        of(nobody, language="ko"),
        of(nobody, forms=(True, False)),
        of(nobody, forms=(True, True)),
    ]
    assert len(set(told)) == len(told)
    assert {len(name) for name in told} == {12}
    assert of(refused) == of(nobody_asked(SITE).refuse(now=99_999))
    assert of(replace(watches, id="other", time=5)) == of(watches)
    gone = replace(refused, exceptions={"no-longer-declared": ServiceException(granted=True)})
    assert of(gone) == of(refused)


def test_a_service_that_a_rule_denies_all_the_same_is_another_variant_than_the_allowed_one() -> None:
    allowed = nobody_asked(SITE).refuse(now=0).allow("youtube", until=None, now=0, new_id="id")
    child = replace(allowed, overruled=dict.fromkeys(SITE.asked, Overruled.CHILD))
    names = {variant(each, revision="1", language="en", forms=(False, False)) for each in (allowed, child)}
    assert len(names) == 2


@pytest.mark.parametrize("sent", [[b'W/"x~' + V + b'"'], [b'"y", W/"x~' + V + b'"'], [b'"y"', b'W/"~' + V + b'"']])
def test_a_copy_whose_tag_is_weak_is_told_so_with_the_weak_tag(sent: list[bytes]) -> None:
    assert weakened(sent, V)
    assert not weakened(sent, W)
    assert not weakened([tagged(b'"x"', V)], V)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=40)), max_size=6), st.booleans())
@settings(max_examples=60)
def test_whatever_an_app_says_its_page_is_private_and_tells_visitors_apart(
    headers: list[tuple[bytes, bytes]], fleeting: bool
) -> None:
    out = page_headers(headers, V, vary=[b"Cookie"], fleeting=fleeting)
    [control], [vary] = named(out, b"cache-control"), named(out, b"vary")
    assert control == b"no-store" or (control.startswith(b"private") and not fleeting)
    assert not {b"public", b"s-maxage"} & set(directives(out) or ())
    assert b"Cookie" in vary or b"*" in vary or b"cookie" in vary.lower()
    assert all(tag.endswith(b"~" + V + b'"') for tag in named(out, b"etag"))
    assert not {b"surrogate-control", b"cdn-cache-control", b"x-accel-expires"} & {name for name, _ in out}
    seen = request_headers([*headers, PAGE], lambda: V, method="GET")
    assert not {b"range", b"if-range", b"if-modified-since"} & {name for name, _ in seen}
    assert lifetime(headers) >= 0
