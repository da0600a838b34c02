"""The catalogue is data that others write: these are the laws its entries obey."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cookiegate.catalogue import catalogue, find
from cookiegate.errors import ConfigError
from cookiegate.service import NECESSARY, Service
from cookiegate.site import DEFAULT_PURPOSES

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

WITHHELD = [service for service in catalogue().values() if not service.keep]
KEPT = [service for service in catalogue().values() if service.keep]
EVERY = pytest.mark.parametrize("service", catalogue().values(), ids=lambda service: service.slug)
EVERY_WITHHELD = pytest.mark.parametrize("service", WITHHELD, ids=lambda service: service.slug)
EVERY_KEPT = pytest.mark.parametrize("service", KEPT, ids=lambda service: service.slug)


def covers(pattern: str, other: str) -> bool:
    """Whether all that *other* matches is matched by *pattern* too."""
    host, _, path = pattern.partition("/")
    other_host, _, other_path = other.partition("/")
    return (other_host == host or (host != "" and other_host.endswith("." + host))) and other_path.startswith(path)


def test_the_catalogue_holds_what_sites_embed() -> None:
    assert len(catalogue()) >= 60
    assert len(KEPT) >= 15


@pytest.mark.parametrize(
    "slug",
    [
        "acecounter",
        "adn-rainbownine",
        "adbrix",
        "airbridge",
        "beusable",
        "bizspring-logger",
        "cafe24-analytics",
        "channel-talk",
        "crema",
        "dable",
        "datarize",
        "daum-postcode",
        "daum-roosevelt",
        "groobee",
        "hackle",
        "iamport-portone",
        "kakao-adfit",
        "kakao-maps",
        "kakao-pixel",
        "kakao-sdk",
        "kakao-tiara",
        "kakao-tv",
        "mobon",
        "naver-ads-conversion",
        "naver-analytics",
        "naver-gfa",
        "naver-login",
        "naver-maps",
        "naver-pay",
        "naver-tv",
        "toast-exchange",
        "widerplanet",
        # what the facts call "Nasmedia / Cauly / TNK and other Korean ad networks"
        "adinc",
        "cauly",
        "interworksmedia",
        "nasmedia",
        "realclick",
        "tnk-factory",
        # ad networks, affiliates and pixels beyond the facts
        "adop",
        "clickmon",
        "coupang-partners",
        "edn",
        "karrot-pixel",
        "linkprice",
        "tenping",
        "toss-ads",
        "wisetracker",
    ],
)
def test_the_services_of_korean_sites_exist_and_are_run_in_korea(slug: str) -> None:
    assert find(slug).country == "KR"


@pytest.mark.parametrize(
    "slug",
    [
        "google-analytics",
        "google-tag-manager",
        "meta-pixel",
        "naver-analytics",
        "kakao-pixel",
        "youtube",
        "google-maps",
        "hotjar",
    ],
)
def test_the_slugs_that_the_documentation_uses_exist(slug: str) -> None:
    assert find(slug).slug == slug


def test_an_unknown_slug_names_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="'google-analytics'"):
        find("google-analitics")


def test_a_slug_like_no_other_is_told_how_to_declare_itself() -> None:
    with pytest.raises(ValueError, match=re.escape("[sites.service.zzzzzzzz]")) as failure:
        find("zzzzzzzz")

    assert "Did you mean" not in str(failure.value)


@EVERY
def test_every_purpose_is_a_default_one(service: Service) -> None:
    assert service.purpose in DEFAULT_PURPOSES


@EVERY
def test_only_what_is_kept_is_necessary(service: Service) -> None:
    assert service.keep == (service.purpose == NECESSARY)


@EVERY
def test_every_service_says_who_runs_it_and_when_that_was_checked(service: Service) -> None:
    assert service.name
    assert service.operator
    assert service.checked is not None
    assert re.fullmatch(r"(?:[A-Z]{2})?", service.country)


@EVERY
def test_every_service_says_where_its_facts_come_from(service: Service) -> None:
    assert service.privacy or service.source
    assert re.fullmatch(r"(?:https://[^\s/]+/\S*|general knowledge)?", service.source)


@EVERY
def test_every_service_tells_visitors_in_english_and_korean_what_it_does(service: Service) -> None:
    assert set(service.use) == {"en", "ko"}
    assert all(sentence.endswith(".") for sentence in service.use.values())
    assert not re.search("[가-힣]", service.use["en"])
    assert re.search("[가-힣]", service.use["ko"])


@EVERY
def test_every_cookie_says_in_a_few_words_what_it_is_for(service: Service) -> None:
    for cookie in service.cookies:
        assert set(cookie.use) == {"en", "ko"}, cookie.name
        assert all(0 < len(words) <= 60 for words in cookie.use.values()), cookie.name
        assert cookie.lifetime, cookie.name


@EVERY
def test_no_cookie_of_a_service_is_listed_twice(service: Service) -> None:
    names = [(cookie.name, cookie.third_party) for cookie in service.cookies]

    assert len(set(names)) == len(names)


@EVERY
def test_pages_about_privacy_are_reached_over_https(service: Service) -> None:
    assert all(re.fullmatch(r"https://[^\s/]+/\S*", page) or not page for page in (service.privacy, service.opt_out))


@EVERY_WITHHELD
def test_what_can_be_withheld_is_known_by_its_hosts(service: Service) -> None:
    assert bool(service.hosts) != (service.slug in CALLS_ONLY)


@EVERY_KEPT
def test_what_is_kept_has_hosts_and_no_inline_code_that_a_tracker_could_hide_beside(service: Service) -> None:
    assert service.hosts
    assert not service.inline


@EVERY
def test_no_host_that_serves_others_too_is_claimed_as_a_whole(service: Service) -> None:
    assert not SHARED_HOSTS & {pattern.removesuffix("/") for pattern in service.hosts}


@EVERY
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


@EVERY_WITHHELD
def test_every_fingerprint_is_a_call_or_words_and_never_a_generic_one(service: Service) -> None:
    # Of a call on a number or a variable, as in ym(7, "reachGoal"), only what follows it is the same everywhere.
    name = r"\.?[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*|\[\"[\w$]+\"\])*"
    call = rf'{name}(?:\((?:"[^"]+"(?:, "[^"]+"?)?|"[^"]+)?)?'
    for fingerprint in service.inline:
        assert re.fullmatch(rf'{call}|, "[A-Za-z]+"', fingerprint), fingerprint
        assert fingerprint not in GENERIC_FINGERPRINTS


@pytest.mark.parametrize(
    ("pattern", "slug"),
    [
        ("googletagmanager.com", "google-tag-manager"),
        ("googletagmanager.com/gtag/js", "google-analytics"),
        ("google-analytics.com", "google-analytics"),
        ("connect.facebook.net/en_us/fbevents.js", "meta-pixel"),
        ("connect.facebook.net/ko_kr/fbevents.js", "meta-pixel"),
        ("facebook.com/tr", "meta-pixel"),
        ("connect.facebook.net", "facebook-sdk"),
        ("wcs.naver.net", "naver-analytics"),
        ("wcs.pstatic.net", "naver-analytics"),
        ("t1.daumcdn.net/kas/static/kp.js", "kakao-pixel"),
        ("t1.daumcdn.net/kas/static/ba.min.js", "kakao-adfit"),
        ("theareport.com", "acecounter"),
        ("youtube.com/embed", "youtube"),
        ("youtube-nocookie.com", "youtube"),
        ("google.com/maps", "google-maps"),
        ("google.com/recaptcha", "google-recaptcha"),
        ("challenges.cloudflare.com", "turnstile"),
        ("t1.daumcdn.net/mapjsapi", "kakao-maps"),
        ("t1.daumcdn.net/mapjsapi/bundle/postcode", "daum-postcode"),
        ("t1.kakaocdn.net/mapjsapi/bundle/postcode", "daum-postcode"),
    ],
)
def test_a_host_that_many_share_is_divided_by_path(pattern: str, slug: str) -> None:
    assert pattern in find(slug).hosts


@pytest.mark.parametrize(
    ("fingerprint", "slug"),
    [
        ('gtag("js"', "google-analytics"),
        ('gtag("config", "G-', "google-analytics"),
        ('gtag("config", "UA-', "google-analytics"),
        ('gtag("event"', "google-analytics"),
        ('gtag("config", "AW-', "google-ads"),
        ('gtag("config", "DC-', "google-ads"),
        ("gtm.start", "google-tag-manager"),
        ("fbq(", "meta-pixel"),
        ("wcs.inflow(", "naver-analytics"),
        ("wcs.cnv(", "naver-ads-conversion"),
        ("kakaoPixel(", "kakao-pixel"),
        ("_hjSettings", "hotjar"),
    ],
)
def test_an_inline_call_belongs_to_the_service_it_feeds(fingerprint: str, slug: str) -> None:
    assert fingerprint in find(slug).inline


@pytest.mark.parametrize(
    "slug",
    [
        "cookiebot",
        "onetrust",
        "usercentrics",
        "didomi",
        "stripe",
        "paypal",
        "naver-pay",
        "iamport-portone",
        "toss-payments",
        "kg-inicis",
        "google-recaptcha",
        "hcaptcha",
        "turnstile",
        "cloudflare-bot",
        "daum-postcode",
    ],
)
def test_consent_tools_payment_captcha_and_postcode_forms_are_kept(slug: str) -> None:
    assert find(slug).keep


def test_the_guide_adds_a_service_that_the_catalogue_would_take() -> None:
    guide = (Path(__file__).parents[1] / "docs/add-a-service.md").read_text("utf-8")
    example = tomllib.loads(guide.partition("```toml\n")[2].partition("```")[0])
    (slug, values), *others = example.items()

    assert others == []
    assert Service(slug, **values).source or Service(slug, **values).privacy


def test_a_slug_in_two_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.toml").write_text('[shop-stats]\npurpose = "analytics"\n')
    (tmp_path / "b.toml").write_text('[shop-stats]\npurpose = "marketing"\n')
    monkeypatch.setattr("cookiegate.catalogue.files", lambda _: tmp_path)

    with pytest.raises(ConfigError, match=r"b\.toml: 'shop-stats' stands in the catalogue twice"):
        catalogue.__wrapped__()


def test_a_host_pattern_of_two_services_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.toml").write_text(
        '[shop-stats]\npurpose = "analytics"\nhosts = ["stats.example"]\n'
        '[shop-ads]\npurpose = "marketing"\nhosts = ["STATS.example"]\n'
    )
    monkeypatch.setattr("cookiegate.catalogue.files", lambda _: tmp_path)

    with pytest.raises(ConfigError, match=r"a\.toml: 'stats\.example' belongs to 'shop-stats' too"):
        catalogue.__wrapped__()
