"""A cache that asked which variant its visitor is shown may share that page; any other may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .world import NAVIGATE, Answer, Clock, Visitor, gated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .world import Reply

PUBLIC = [("cache-control", "public, max-age=5, s-maxage=60")]
TOLD = ("surrogate-control", "x-accel-expires")
NO_PAGE = {"accept": "*/*", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}


def shared(answer: Answer | None = None, *, give: Iterable[str] | None = None, **site: Any) -> Visitor:
    """A visitor of a site whose pages may be shared, who has chosen *give*; ``None`` has never been asked."""
    visitor = Visitor(gated(answer or Answer(headers=PUBLIC), **{"shared_cache": "by-variant", **site}))
    if give is not None:
        visitor.choose("save", *give)
    return visitor


def variant(visitor: Visitor, headers: Mapping[str, str | None] | None = None) -> str:
    """What a cache is told when it asks on behalf of this visitor."""
    reply = visitor.get("/_privacy/variant", headers)
    assert (reply.status, reply.body, reply.all("cache-control")) == (204, b"", ["no-store"])
    return reply.header("privacy-variant")


def through(visitor: Visitor, headers: Mapping[str, str] | None = None) -> Reply:
    """A page as a cache fetches it: it asks first, and says what it was told."""
    return visitor.get("/", {**(headers or {}), "privacy-variant": variant(visitor, headers)})


@pytest.mark.parametrize(
    ("give", "browsers"),
    [(None, "no-store"), ((), "private, max-age=5"), (("analytics", "marketing"), "private, max-age=5")],
    ids=["undecided", "refused", "granted"],
)
def test_a_public_page_is_the_caches_to_share_and_no_browsers(give: tuple[str, ...] | None, browsers: str) -> None:
    visitor = shared(give=give)
    page = through(visitor)
    assert page.all("cache-control") == [browsers]
    assert [page.header(name) for name in TOLD] == ["max-age=60", "60"]
    assert page.header("privacy-variant") == variant(visitor)
    assert "cookie" in page.header("vary").lower()


def test_who_was_shown_the_same_shares_a_variant_and_nobody_else() -> None:
    def told(give: Iterable[str] | None, headers: Mapping[str, str | None] | None = None) -> str:
        return variant(shared(give=give, languages=["en", "ko"]), headers)

    forged = {"cookie": "__Host-privacy=AAAA.eyJ2IjoxfQ.AAAA"}
    assert told(None) == told(None) == told(None, forged) == told(None, {"accept-language": "fr"})
    assert told(()) == told(())
    variants = [
        told(None),
        told(()),
        told(["analytics"]),
        told(["marketing"]),
        told(None, {"sec-gpc": "1"}),
        told(None, {"accept-language": "ko"}),
        told(None, NO_PAGE),
        told(None, {"sec-fetch-dest": None}),  # its banner has no buttons that leave it on the page
    ]
    assert len(set(variants)) == len(variants)
    assert "private" not in variants


def test_a_cache_that_did_not_ask_or_was_told_something_else_shares_nothing() -> None:
    visitor, other = shared(), shared(give=["analytics"])
    for headers in ({}, {"privacy-variant": variant(other)}, {"privacy-variant": "private"}, {"privacy-variant": ""}):
        page = visitor.get("/", headers)
        assert [page.all(name) for name in TOLD] == [[], []]
        assert page.all("cache-control") == ["no-store"]
        assert page.header("privacy-variant") == variant(visitor), "whose page it is, is said all the same"


@pytest.mark.parametrize(
    "headers",
    [{"cookie": "session=1"}, {"cookie": "session"}, {"authorization": "Basic eA=="}, {"cookie": "_ga=GA1.1"}],
    ids=["a cookie of the app's", "a cookie without a name", "a password", "a cookie that is being cleared"],
)
def test_a_visitor_whom_the_app_may_know_shares_nothing(headers: dict[str, str]) -> None:
    visitor = shared()
    assert variant(visitor, headers) == "private"
    page = through(visitor, headers)
    assert [page.all(name) for name in TOLD] == [[], []]


def test_cookies_that_tell_the_app_nothing_leave_a_page_shared() -> None:
    visitor = shared(give=["analytics"], shared_cache_ignores=["theme", "ab_*"])
    plain = variant(visitor)
    visitor.cookies |= {"_ga": "GA1.1.1", "theme": "dark", "ab_7": "1"}
    assert variant(visitor) == plain
    assert through(visitor).header("x-accel-expires") == "60"
    visitor.cookies["theme2"] = "1"
    assert variant(visitor) == "private"


def test_a_cookie_of_a_necessary_service_may_say_who_it_is() -> None:
    own = {"basket": {"purpose": "necessary", "cookies": ["basket"]}}
    assert variant(shared(service=own), {"cookie": "basket=1"}) == "private"


def test_what_was_allowed_for_minutes_is_not_shared() -> None:
    visitor = shared(give=())
    visitor.choose("allow_once", service="kakao-maps")
    assert variant(visitor) == "private"
    assert through(visitor).all("x-accel-expires") == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("cache-control", "private, max-age=60")],
        [("surrogate-control", "max-age=60"), ("x-accel-expires", "60")],
        [*PUBLIC, ("vary", "Cookie")],
        [*PUBLIC, ("set-cookie", "session=1")],
    ],
    ids=["says nothing", "private", "not in Cache-Control", "varies by Cookie", "sets a cookie"],
)
def test_a_page_is_shared_only_if_the_app_said_so(headers: list[tuple[str, str]]) -> None:
    page = through(shared(Answer(headers=headers)))
    assert [page.all(name) for name in TOLD] == [[], []]
    assert page.all("privacy-variant") != []


def test_a_post_is_answered_for_one_visitor() -> None:
    visitor = shared()
    page = visitor.send("POST", "/", {**NAVIGATE, "sec-fetch-site": "same-origin", "privacy-variant": variant(visitor)})
    assert page.all("x-accel-expires") == []


def test_an_expired_answer_is_another_variant() -> None:
    clock = Clock()
    visitor = Visitor(gated(Answer(headers=PUBLIC), clock=clock, shared_cache="by-variant"))
    undecided = variant(visitor)
    visitor.choose("accept_all")
    assert variant(visitor) != undecided
    clock.forward(days=185)
    assert variant(visitor) == undecided


def test_a_site_that_shares_nothing_names_no_variant() -> None:
    visitor = Visitor(gated(Answer(headers=PUBLIC)))
    assert visitor.get("/_privacy/variant").status == 404
    assert visitor.get("/", {"privacy-variant": "0123456789ab"}).all("privacy-variant") == []


def test_a_site_that_only_observes_says_nothing_to_caches() -> None:
    visitor = shared(mode="observe")
    assert variant(visitor) == "private"
    assert through(visitor).all("cache-control") == ["public, max-age=5, s-maxage=60"]
