"""Analytics on the site's own paths and hosts, self-hosted or passed on: one line declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cookiegate import Config, ConfigError, Service
from cookiegate.catalogue import find

from .world import GA, Answer, Visitor, a_site, gated

if TYPE_CHECKING:
    from pathlib import Path

OURS = {
    "gtag on a path": ("google-analytics", {"hosts": ["/gtag.js"]}, '<script src="/gtag.js?id=G-1"></script>'),
    "its collector": ("google-analytics", {"hosts": ["/g/collect"]}, '<img src="https://shop.test/g/collect?v=2">'),
    "matomo": ("matomo", {"hosts": ["/matomo.js"]}, '<script defer src=/matomo.js></script>'),
    "umami": ("own-umami", {"hosts": ["/umami.js"], "purpose": "analytics"}, '<script src="/umami.js"></script>'),
    "a folder of it": ("own-stats", {"hosts": ["/stats/"], "purpose": "analytics"}, '<img src="/stats/1.gif">'),
    "a subdomain": ("google-tag-manager", {"hosts": ["sgtm.shop.test"]}, '<script src="//sgtm.shop.test/x"></script>'),
    "a subdomain's connection": (
        "google-tag-manager", {"hosts": ["sgtm.shop.test"]}, '<link rel="preconnect" href="https://sgtm.shop.test">',
    ),
    "one host's path": (
        "own-stats", {"hosts": ["shop.test/stats"], "purpose": "analytics"}, '<script src="/stats.js"></script>',
    ),
    "an own host's path": (
        "own-stats", {"hosts": ["cdn.test/stats"], "purpose": "analytics"}, '<script src="//cdn.test/stats"></script>',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("slug", "table", "tag"), OURS.values(), ids=OURS)
def test_a_service_on_a_place_of_our_own_waits_for_the_answer(slug: str, table: dict[str, Any], tag: str) -> None:
    page = Answer(f'<!doctype html>{tag}<script src="/shop.js"></script><img src="//cdn.test/a.png">')
    visitor = Visitor(gated(page, services=[], service={slug: table}, own_hosts=["cdn.test"]))
    denied = visitor.get("/").text
    assert tag not in denied
    assert f"<!--privacy:{slug}-->" in denied
    assert "/shop.js" in denied
    assert "//cdn.test/a.png" in denied
    visitor.choose("accept_all")
    assert tag in visitor.get("/").text


def test_a_path_for_a_catalogue_service_lets_none_of_its_own_go() -> None:
    site = a_site(services=[], service={"google-analytics": {"hosts": ["/gtag.js"], "inline": ["shopStats("]}})
    ours, theirs = site.declared["google-analytics"], find("google-analytics")
    assert ours.hosts == ("/gtag.js", *theirs.hosts)
    assert ours.inline == ("shopStats(", *theirs.inline)
    assert (ours.name, ours.use, ours.cookies) == (theirs.name, theirs.use, theirs.cookies)
    page = Answer(f'<!doctype html><script src="{GA}"></script>')
    gate = gated(page, unknown="allow", services=[], service={"google-analytics": {"hosts": ["/gtag.js"]}})
    assert GA not in Visitor(gate).get("/").text


def test_a_cookie_of_the_same_name_is_said_in_the_sites_words() -> None:
    ours = {"name": "_ga", "lifetime": "2 months"}
    site = a_site(service={"google-analytics": {"cookies": [ours, "_shop"]}})
    rules = site.declared["google-analytics"].cookies
    assert [rule.lifetime for rule in rules if rule.name == "_ga"] == ["2 months"]
    names = {rule.name for rule in rules}
    assert names == {"_shop", *(rule.name for rule in find("google-analytics").cookies)}


def test_every_other_key_replaces_the_catalogues() -> None:
    site = a_site(service={"google-analytics": {"purpose": "marketing", "use": "We count."}})
    service = site.declared["google-analytics"]
    assert (service.purpose, service.use) == ("marketing", {"": "We count."})
    assert service.hosts == find("google-analytics").hosts


def test_a_service_made_in_python_is_taken_as_it_stands() -> None:
    made = Service("google-analytics", purpose="analytics", hosts=["/gtag.js"])
    assert a_site(services=[made]).declared["google-analytics"].hosts == ("/gtag.js",)
    assert a_site(service={"google-analytics": made}).declared["google-analytics"].hosts == ("/gtag.js",)


@pytest.mark.parametrize(
    ("line", "said"),
    [('hosts = "/gtag.js"', "hosts = '/gtag.js'"), ('hosts = ["/a", "x y"]', "hosts[1] = 'x y'"),
     ('cookies = ["a b"]', "cookies[0]"), ("hosts = [1]", "hosts[0] = 1"), ("cookies = [1]", "cookies[0]")],
)  # fmt: skip
def test_a_fault_is_named_where_the_operator_wrote_it(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "cookiegate.toml"
    file.write_text(f'[[sites]]\nname = "x"\nunknown = "allow"\n[sites.service.google-analytics]\n{line}\n')
    with pytest.raises(ConfigError) as refused:
        Config.load(file)
    assert f"sites[0].service.google-analytics.{said}" in str(refused.value)
