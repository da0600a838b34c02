from __future__ import annotations

import pytest

from cookiegate.gate.caching import page_headers, request_headers, tagged, translated, variant, wants_page
from tests.gate.reading import consent

V = b"0123456789ab"
W = b"ba9876543210"
PAGE = (b"accept", b"text/html,*/*;q=0.8")


def named(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for found, value in headers if found == name]


@pytest.mark.parametrize(
    ("etag", "ours"),
    [
        (b'"x"', b'"x~' + V + b'"'),
        (b'W/"x"', b'W/"x~' + V + b'"'),
        (b'""', b'"~' + V + b'"'),
        (b"broken", b'"' + V + b'"'),
    ],
)
def test_a_tag_carries_the_variant_and_is_found_again(etag: bytes, ours: bytes) -> None:
    assert tagged(etag, V) == ours
    if etag != b"broken":
        assert etag in (translated([ours], V, foreign=False) or b"").split(b", ")


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
    seen = request_headers(asked, lambda: V)
    assert seen == [PAGE, (b"host", b"a"), (b"if-none-match", b'"x"'), (b"accept-encoding", b"identity")]


def test_a_request_for_anything_else_keeps_its_headers() -> None:
    asked = [
        (b"accept", b"image/*"),
        (b"if-none-match", b'"x"'),
        (b"range", b"bytes=0-1"),
        (b"accept-encoding", b"gzip"),
    ]
    assert sorted(request_headers(asked, lambda: V)) == sorted(asked)


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
    "name", [b"last-modified", b"content-md5", b"digest", b"repr-digest", b"accept-ranges", b"surrogate-control"]
)
def test_a_page_says_nothing_that_gating_made_untrue(name: bytes) -> None:
    assert named(page_headers([(name, b"x"), (b"server", b"y")], V, vary=[], fleeting=False), name) == []


def test_the_variant_changes_with_all_that_a_page_depends_on_and_with_nothing_else() -> None:
    def of(*granted: str, revision: str = "1", language: str = "en", banner: bool = False) -> bytes:
        from tests.gate.reading import SITE

        return variant(consent(SITE, *granted), revision=revision, language=language, forms=banner)

    assert of() == of()
    assert len({of(), of("analytics"), of("marketing"), of(revision="2"), of(language="ko")}) == 5
    assert len(of()) == 12
