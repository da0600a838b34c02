"""The catalogue is data that others write: these are the laws its entries obey."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cookiegate.catalogue import catalogue
from cookiegate.service import NECESSARY, Service
from cookiegate.site import DEFAULT_PURPOSES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# Serve visitors' content, or several services: only a path or a subdomain of theirs may be claimed.
SHARED_HOSTS = {
    "amazonaws.com",
    "bing.com",
    "blob.core.windows.net",
    "cafe24.com",
    "cdn.jsdelivr.net",
    "cdn.shopify.com",
    "cdnjs.cloudflare.com",
    "cloudflare.com",
    "cloudfront.net",
    "daum.net",
    "daumcdn.net",
    "dapi.kakao.com",
    "facebook.com",
    "fbcdn.net",
    "githubusercontent.com",
    "google.co.kr",
    "google.com",
    "googleapis.com",
    "gstatic.com",
    "instagram.com",
    "jsdelivr.net",
    "kakao.com",
    "kakaocdn.net",
    "linkedin.com",
    "microsoft.com",
    "naver.com",
    "naver.net",
    "paypal.com",
    "pinimg.com",
    "pinterest.com",
    "pstatic.net",
    "reddit.com",
    "redditstatic.com",
    "s.pinimg.com",
    "s.yimg.com",
    "ssl.daumcdn.net",
    "ssl.pstatic.net",
    "t.co",
    "t1.daumcdn.net",
    "t1.kakaocdn.net",
    "tiktok.com",
    "toast.com",
    "twitter.com",
    "unpkg.com",
    "windows.net",
    "www.google.com",
    "www.gstatic.com",
    "x.com",
    "yahoo.com",
    "yandex.ru",
    "youtu.be",
    "youtube.com",
}

# Stand in many harmless scripts: data for somebody else, ids, a shop's own cart, everybody's names.
GENERIC_FINGERPRINTS = {
    "CAPP_ASYNC_METHODS",
    "EC_GLOBAL_",
    "G-",
    "GTM-",
    "UA-",
    "analytics",
    "dataLayer",
    "dataLayer.push(",
    "event(",
    "ga",
    "ga(",
    "google",
    "gtag",
    "gtag(",
    'gtag("config"',
    'gtag("consent"',
    "init(",
    "push(",
    "send(",
    "track(",
}

# wcslog.js belongs to naver-analytics; only the calls tell the two apart.
CALLS_ONLY = {"naver-ads-conversion"}

SERVICES = catalogue().values()
WITHHELD = [service for service in SERVICES if not service.keep]
KEPT = [service for service in SERVICES if service.keep]


def each_of(services: Collection[Service]) -> Callable[[Callable[[Service], None]], Callable[[], None]]:
    """Hold all of *services* to a law in one test: thousands of tests would take minutes to collect."""

    def held_to(law: Callable[[Service], None]) -> Callable[[], None]:
        def test() -> None:
            for service in services:
                try:
                    law(service)
                except AssertionError as broken:
                    broken.add_note(f"the service is {service.slug!r}")
                    raise

        return test

    return held_to


def covers(pattern: str, other: str) -> bool:
    """Whether all that *other* matches is matched by *pattern* too."""
    host, _, path = pattern.partition("/")
    other_host, _, other_path = other.partition("/")
    return (other_host == host or (host != "" and other_host.endswith("." + host))) and other_path.startswith(path)


@each_of(SERVICES)
def test_every_purpose_is_a_default_one(service: Service) -> None:
    assert service.purpose in DEFAULT_PURPOSES


@each_of(SERVICES)
def test_only_what_is_kept_is_necessary(service: Service) -> None:
    assert service.keep == (service.purpose == NECESSARY)


@each_of(SERVICES)
def test_every_service_says_who_runs_it_and_when_that_was_checked(service: Service) -> None:
    assert service.name
    assert service.operator
    assert service.checked is not None
    assert re.fullmatch(r"(?:[A-Z]{2})?", service.country)


@each_of(SERVICES)
def test_every_service_says_where_its_facts_come_from(service: Service) -> None:
    assert service.privacy or service.source
    assert re.fullmatch(r"(?:https://[^\s/]+/\S*|general knowledge)?", service.source)


@each_of(SERVICES)
def test_every_service_tells_visitors_in_english_and_korean_what_it_does(service: Service) -> None:
    assert set(service.use) == {"en", "ko"}
    assert all(sentence.endswith(".") for sentence in service.use.values())
    assert not re.search("[가-힣]", service.use["en"])
    assert re.search("[가-힣]", service.use["ko"])


@each_of(SERVICES)
def test_every_cookie_says_in_a_few_words_what_it_is_for(service: Service) -> None:
    for cookie in service.cookies:
        assert set(cookie.use) == {"en", "ko"}, cookie.name
        assert all(0 < len(words) <= 60 for words in cookie.use.values()), cookie.name
        assert cookie.lifetime, cookie.name


@each_of(SERVICES)
def test_no_cookie_of_a_service_is_listed_twice(service: Service) -> None:
    names = [(cookie.name, cookie.third_party) for cookie in service.cookies]

    assert len(set(names)) == len(names)


@each_of(SERVICES)
def test_pages_about_privacy_are_reached_over_https(service: Service) -> None:
    assert all(re.fullmatch(r"https://[^\s/]+/\S*", page) or not page for page in (service.privacy, service.opt_out))


@each_of(WITHHELD)
def test_what_can_be_withheld_is_known_by_its_hosts(service: Service) -> None:
    assert bool(service.hosts) != (service.slug in CALLS_ONLY)


@each_of(KEPT)
def test_what_is_kept_has_hosts_and_no_inline_code_that_a_tracker_could_hide_beside(service: Service) -> None:
    assert service.hosts
    assert not service.inline


@each_of(SERVICES)
def test_no_host_that_serves_others_too_is_claimed_as_a_whole(service: Service) -> None:
    assert not SHARED_HOSTS & {pattern.removesuffix("/") for pattern in service.hosts}


@each_of(SERVICES)
def test_no_pattern_of_a_service_is_covered_by_another_of_its_own(service: Service) -> None:
    assert [
        (pattern, other)
        for pattern in service.hosts
        for other in service.hosts
        if pattern != other and covers(pattern, other)
    ] == []
    assert len(set(service.hosts)) == len(service.hosts)


def test_no_two_services_claim_the_same_host_pattern() -> None:
    claims = [pattern for service in catalogue().values() for pattern in service.hosts]

    assert len(set(claims)) == len(claims)


def test_nothing_that_is_kept_covers_what_can_be_withheld() -> None:
    assert [
        (kept.slug, withheld.slug, pattern)
        for kept in KEPT
        for withheld in WITHHELD
        for wide in kept.hosts
        for pattern in withheld.hosts
        if covers(wide, pattern)
    ] == []


def test_no_two_services_share_a_fingerprint() -> None:
    fingerprints = [fingerprint for service in catalogue().values() for fingerprint in service.inline]

    assert len(set(fingerprints)) == len(fingerprints)


@each_of(WITHHELD)
def test_every_fingerprint_is_a_call_or_words_and_never_a_generic_one(service: Service) -> None:
    # Of a call on a number or a variable, as in ym(7, "reachGoal"), only what follows it is the same everywhere.
    name = r"\.?[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\[\"[\w$]+\"\])*"
    call = rf'{name}(?:\((?:"[^"]+"(?:, "[^"]+"?)?|"[^"]+)?)?'
    for fingerprint in service.inline:
        assert re.fullmatch(rf'{call}|, "[A-Za-z]+"', fingerprint), fingerprint
        assert fingerprint not in GENERIC_FINGERPRINTS
