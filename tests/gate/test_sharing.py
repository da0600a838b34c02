from __future__ import annotations

import pytest

from cookiegate.gate.sharing import lifetime, permission

V = b"0123456789ab"
PUBLIC = [(b"cache-control", b"public, max-age=60")]


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        (b"public, max-age=60", 60),
        (b"max-age=60, s-maxage=600", 600),
        (b"public", 0),
        (b"max-age=60", 0),
        (b"s-maxage=0, public, max-age=60", 0),
        (b"s-maxage=5, s-maxage=50", 5),
        (b"s-maxage=-5", 0),
        (b's-maxage="60"', 0),
        (b"s-maxage=" + b"9" * 19, 31_536_000),
        (b"s-maxage=" + b"9" * 5000, 0),
        (b"public, private, max-age=60", 0),
        (b'public, no-cache="set-cookie", max-age=60', 0),
        (b"public, no-store, max-age=60", 0),
        (b"public, max-age=60; x", 0),
        (b"", 0),
    ],
)
def test_a_page_is_shared_only_for_as_long_as_the_app_says(control: bytes, seconds: int) -> None:
    assert lifetime([(b"cache-control", control)]) == seconds


@pytest.mark.parametrize(
    ("vary", "seconds"),
    [(b"Accept-Encoding", 60), (b", accept-encoding ,", 60), (b"Cookie", 0), (b"accept-encoding, X", 0), (b"*", 0)],
)
def test_a_page_that_varies_by_what_no_variant_tells_apart_is_not_shared(vary: bytes, seconds: int) -> None:
    assert lifetime([*PUBLIC, (b"vary", vary)]) == seconds


def test_only_who_named_the_right_variant_may_share() -> None:
    named = [(b"privacy-variant", V)]
    assert permission(PUBLIC, [], named, None) == []
    assert permission(PUBLIC, [], named, V) == [
        (b"privacy-variant", V),
        (b"surrogate-control", b"max-age=60"),
        (b"x-accel-expires", b"60"),
    ]
    private = [(b"privacy-variant", b"private")]
    assert permission(PUBLIC, [], private, b"private") == private
    for asked in ([], [(b"privacy-variant", b"ba9876543210")], [*named, *named], [(b"privacy-variant", b"")]):
        assert permission(PUBLIC, [], asked, V) == named
    assert permission(PUBLIC, [(b"set-cookie", b"a=1")], named, V) == named
    assert permission([], [], named, V) == named
