"""The hosts that a policy of ours lets in, its length, and the set of services that it is made for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cookiegate import ConfigError, Service, Site
from cookiegate.catalogue import catalogue
from cookiegate.consent.decide import nobody_asked
from cookiegate.gate import csp
from cookiegate.gate.csp import ANYWAY, LONGEST, HostPolicies, policy_headers

if TYPE_CHECKING:
    from collections.abc import Iterable


def policies(*services: str | Service, **options: Any) -> HostPolicies:
    hosts = options.pop("hosts", ["shop.test"])
    return HostPolicies(Site("Shop", hosts=hosts, services=list(services), unknown="withhold", **options))


def sources(policy: str) -> list[str]:
    assert policy.startswith("default-src 'self' ")
    assert policy.endswith(f" {ANYWAY}")
    return policy.removeprefix("default-src ").removesuffix(f" {ANYWAY}").split()


def lets_in(policy: str, host: str, *, sockets: bool = False) -> bool:
    """Whether a browser would load from *host* (CSP 3, 6.7.2.8): by name, or by a wildcard for what stands below."""
    prefix = "ws://" if sockets else ""
    named = {source.removeprefix(prefix).removesuffix(":*") for source in sources(policy) if source.startswith(prefix)}
    below = {f"*.{'.'.join(host.split('.')[cut:])}" for cut in range(1, host.count(".") + 1)}
    return host in named or not named.isdisjoint(below)


# Where the services that sites declare most call, as their own documents say: script, beacons, pictures, frames.
NEEDS = {
    "google-analytics": (
        "www.googletagmanager.com", "www.google-analytics.com", "ssl.google-analytics.com", "analytics.google.com",
        "region1.google-analytics.com", "region1.analytics.google.com", "stats.g.doubleclick.net",
    ),
    "google-tag-manager": ("www.googletagmanager.com",),
    "google-ads": ("www.googleadservices.com", "googleads.g.doubleclick.net", "www.google.com", "www.google.co.kr"),
    "meta-pixel": ("connect.facebook.net", "www.facebook.com"),
    "youtube": (
        "www.youtube.com", "youtube.com", "www.youtube-nocookie.com", "i.ytimg.com", "s.ytimg.com", "img.youtube.com",
    ),
    "vimeo": ("player.vimeo.com", "vimeo.com", "i.vimeocdn.com", "f.vimeocdn.com"),
    "google-maps": (
        "maps.googleapis.com", "maps.gstatic.com", "www.google.com", "maps.google.com", "khms0.googleapis.com",
        "khms1.googleapis.com", "streetviewpixels-pa.googleapis.com",
    ),
    "hotjar": ("static.hotjar.com", "script.hotjar.com", "vars.hotjar.com", "in.hotjar.com", "content.hotjar.io"),
    "microsoft-clarity": ("www.clarity.ms", "scripts.clarity.ms", "k.clarity.ms"),
    "kakao-maps": ("dapi.kakao.com", "t1.daumcdn.net", "map.kakao.com", "mts.daumcdn.net"),
    "naver-maps": ("oapi.map.naver.com", "nrbe.pstatic.net"),
}  # fmt: skip


@pytest.mark.parametrize(("slug", "hosts"), NEEDS.items(), ids=NEEDS)
def test_a_granted_service_reaches_every_host_that_it_needs(slug: str, hosts: Iterable[str]) -> None:
    policy = policies(slug).longest
    assert [host for host in hosts if not lets_in(policy, host)] == []


def test_a_denied_service_reaches_none_of_them() -> None:
    made = policies("google-analytics", "meta-pixel", "youtube")
    policy = made.among(lambda service: service.slug == "youtube")
    for slug in ("google-analytics", "meta-pixel"):
        assert [host for host in NEEDS[slug] if lets_in(policy, host)] == []
    assert not lets_in(policy, "notyoutube.com")
    assert not lets_in(policy, "youtube.com.evil.example")


def test_a_path_opens_no_subdomain_at_which_somebody_else_is_known() -> None:
    policy = policies("google-maps").longest  # by google.com/maps, and analytics.google.com is Google Analytics
    assert lets_in(policy, "www.google.com")
    assert not lets_in(policy, "analytics.google.com")
    alone = policies(Service("stats", purpose="analytics", hosts=["stats-x.example/c"])).longest
    assert lets_in(alone, "eu.stats-x.example")
    beside = policies(
        Service("stats", purpose="analytics", hosts=["stats-x.example/c"]),
        Service("ads", purpose="marketing", hosts=["ads.stats-x.example"]),
    )
    assert not lets_in(beside.among(lambda service: service.slug == "stats"), "ads.stats-x.example")


def test_a_path_on_whatever_host_opens_none() -> None:
    matomo = policies(Service("shop-stats", purpose="analytics", hosts=["/matomo.js", "/matomo.php"]))
    assert sources(matomo.longest) == ["'self'", "shop.test:*", "ws://shop.test:*"]


def test_own_hosts_and_keep_entries_are_always_let_in() -> None:
    policy = policies(
        "youtube",
        hosts=["shop.test", "*.shop.test", "xn--hq1bm8jm9l.test", "*", "[::1]", "127.0.0.1"],
        own_hosts=["cdn.shop.example", "*.img.example", "my_bucket.example"],
        keep=["https://Widget.example.net/a/*", "https://*.pay.example/*"],
    ).among(lambda service: False)
    for host in (
        "shop.test", "www.shop.test", "xn--hq1bm8jm9l.test", "127.0.0.1", "cdn.shop.example", "a.img.example",
        "my_bucket.example", "widget.example.net", "js.pay.example",
    ):  # fmt: skip
        assert lets_in(policy, host), host
    assert not lets_in(policy, "sub.cdn.shop.example")
    assert not any("::" in source or source.startswith("*:") for source in sources(policy))


def test_a_declared_service_that_is_kept_is_let_in_whatever_was_granted() -> None:
    made = policies("google-recaptcha", "stripe")
    policy = made.among(lambda service: service.keep)
    assert all(lets_in(policy, host) for host in ("www.google.com", "www.gstatic.com", "js.stripe.com"))


def test_a_policy_limits_hosts_alone_not_ports_nor_schemes_nor_code_in_the_page() -> None:
    policy = policies("hotjar").longest
    assert all(source.endswith(":*") for source in sources(policy)[1:])
    assert lets_in(policy, "ws1.hotjar.com", sockets=True)
    directives = [directive.split()[0] for directive in policy.split(";")]
    assert directives == ["default-src"]
    for word in ("'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"):
        assert word in policy.split()


def test_each_host_is_named_once_and_not_beside_its_own_wildcard() -> None:
    found = sources(policies("youtube", "google-maps", hosts=["*.shop.test", "www.shop.test", "shop.test"]).longest)
    assert len(found) == len(set(found))
    assert "www.shop.test:*" not in found
    assert "www.google.com:*" in found


def test_a_long_policy_gives_up_sockets_then_subdomains_then_itself() -> None:
    def many(count: int) -> Service:
        hosts = [f"{a}{n}.host-{n // 8}.example" for n in range(count) for a in ("a", "b")]
        return Service("many", purpose="analytics", hosts=hosts)

    full, fewer, families, none = (policies(many(count)).longest for count in (5, 25, 200, 2000))
    assert lets_in(full, "a1.host-0.example", sockets=True)
    assert "ws: wss:" not in full
    assert "ws: wss:" in fewer
    assert "a1.host-0.example:*" in fewer
    assert "*.host-0.example:*" in families
    assert "a1.host-0.example:*" not in families
    assert "shop.test:*" in families, "the site's own hosts stay as they are"
    assert none == ""
    assert policy_headers(none, enforced=True, reports="/r", secure=True) == []
    assert all(len(policy) <= LONGEST for policy in (full, fewer, families))


def test_sites_that_declare_much_still_have_a_policy() -> None:
    much = ["google-analytics", "google-tag-manager", "google-ads", "meta-pixel", "youtube", "google-maps", "hotjar"]
    much += ["microsoft-clarity", "naver-analytics", "kakao-pixel", "kakao-maps", "vimeo", "stripe", "paypal"]
    policy = policies(*much).longest
    assert 0 < len(policy) <= LONGEST
    for slug, hosts in NEEDS.items():
        if slug in much:
            assert [host for host in hosts if not lets_in(policy, host)] == []


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("a.b.example.com", "example.com"),
        ("*.b.example.com", "example.com"),
        ("www.shop.co.kr", "shop.co.kr"),
        ("shop.or.jp", "shop.or.jp"),
        ("example.com", "example.com"),
        ("localhost", "localhost"),
    ],
)
def test_a_collapsed_host_stops_at_the_domain_that_somebody_registered(host: str, family: str) -> None:
    assert csp._family(host) == family


def test_no_service_of_the_catalogue_breaks_the_header() -> None:
    for slug, service in catalogue().items():
        for header in policy_headers(policies(service).longest, enforced=True, reports="/_privacy/r", secure=True):
            assert b"\n" not in header[1], slug
            assert b"," not in header[1], slug
        assert policies(service).longest.count(";") == 0, slug


def test_a_policy_is_made_once_for_each_set_of_services_and_few_are_remembered() -> None:
    made = policies("google-analytics", "youtube")
    first = made.among(lambda service: True)
    assert made.among(lambda service: True) is first
    assert made._made.cache_info().maxsize == csp.REMEMBERED


@pytest.mark.parametrize("value", ["report-only", "enforce"])
def test_a_policy_needs_that_unknown_third_parties_are_withheld(value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Site("Shop", unknown="allow", csp=value)
    assert f"csp = '{value}'" in str(refused.value)
    assert "unknown = 'withhold'" in str(refused.value)
    assert Site("Shop", unknown="allow").csp == "off"


@pytest.mark.parametrize("granted", [(), ("analytics",), ("marketing",), ("analytics", "marketing", "preferences")])
def test_the_policy_of_a_consent_names_what_it_allows(granted: tuple[str, ...]) -> None:
    site = Site("Shop", services=["google-analytics", "youtube", "google-maps", "stripe"], unknown="withhold")
    made = HostPolicies(site)
    answered = nobody_asked(site).choose(granted, now=0, new_id="x")
    assert made.policy(answered) == made.among(answered.allows_service)
    allowing = answered.allow("youtube", until=600, now=0, new_id="x")
    assert made.policy(allowing) == made.among(allowing.allows_service)
