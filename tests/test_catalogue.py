"""The catalogue knows what sites embed, and says so where one is misspelt."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cookiegate.catalogue import catalogue, find
from cookiegate.errors import ConfigError
from cookiegate.service import Service


def test_the_catalogue_holds_what_sites_embed() -> None:
    assert len(catalogue()) >= 60
    assert sum(service.keep for service in catalogue().values()) >= 15


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
