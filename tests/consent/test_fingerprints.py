"""What a purpose means is told by its fingerprint: an upgrade of ours asks nobody again.

A changed number here means that every visitor of such a site is asked again. That is right only where operator, items,
country or retention of a service changed, and then its `meaning` in the catalogue was raised for it.
"""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any

import pytest

from cookiegate.catalogue import catalogue, find
from cookiegate.service import Service
from cookiegate.site import Purpose, Site

BLOG = Site("Blog", services=["matomo", "youtube", "disqus"], unknown="withhold")
STORE = Site(
    "Store",
    languages=["ko", "en"],
    services=["google-analytics", "google-ads", "meta-pixel", "naver-analytics", "kakao-pixel", "channel-talk"],
    service={"store-stats": Service("store-stats", purpose="analytics", hosts=["/stats.js"])},
    purpose={"analytics": Purpose(text={"ko": "방문 수를 셉니다.", "en": "We count visits."})},
    unknown="withhold",
)
CLUB = Site(
    "Club",
    services=["google-maps", "stripe"],
    service={"forum": Service("forum", purpose="community", hosts=["forum.example"])},
    purpose={"community": Purpose(name="Forum", text="Shows what members write.")},
    unknown="withhold",
)


def test_the_smallest_example_is_asked_about_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOKIEGATE_SECRET_KEYS", "k" * 32)
    [site] = import_module("examples.minimal").config.sites
    assert site.fingerprints == {"analytics": "c4d6a5b86a9f3efa"}


def test_the_demo_shop_is_asked_about_as_ever() -> None:
    assert import_module("cookiegate.demo.app").SITE.fingerprints == {
        "preferences": "2c8021704039622f",
        "analytics": "0c56555fb8315f93",
        "marketing": "567e287f4050257e",
    }


@pytest.mark.parametrize(
    ("site", "pinned"),
    [
        (BLOG, {"analytics": "baa5df8d202bc2d5", "marketing": "0900f76ca05cb4ac"}),
        (STORE, {"preferences": "ef27027d21001e31", "analytics": "238abf7ced519bf9", "marketing": "09a7e455d713b295"}),
        (CLUB, {"preferences": "2c8021704039622f", "community": "45bc5414d9939e80"}),
    ],
    ids=["blog", "store", "club"],
)
def test_a_site_is_asked_about_as_ever(site: Site, pinned: dict[str, str]) -> None:
    assert site.fingerprints == pinned


UPGRADES: dict[str, Any] = {
    "name": "Another name",
    "operator": "Another operator",  # with `meaning` unraised: a correction of ours
    "country": "XX",
    "hosts": ("elsewhere.example",),
    "inline": ("elsewhere(",),
    "cookies": (),
    "use": {"en": "Other words."},
    "privacy": "https://elsewhere.example/",
    "opt_out": "https://elsewhere.example/no",
    "checked": date(2030, 1, 1),
    "source": "https://elsewhere.example/docs",
}


def test_every_field_of_a_service_is_known_to_ask_again_or_not_to() -> None:
    assert set(Service.model_fields) - UPGRADES.keys() == {"slug", "purpose", "meaning", "keep"}


def _with(**changes: Any) -> Site:
    return Site("Shop", services=[find("google-analytics").model_copy(update=changes)], unknown="withhold")


@pytest.mark.parametrize("field", UPGRADES)
def test_an_upgrade_of_the_catalogue_asks_nobody_again(field: str) -> None:
    before, after = find("google-analytics"), _with(**{field: UPGRADES[field]})
    assert getattr(before, field) != UPGRADES[field]
    assert after.fingerprints == _with().fingerprints


def test_a_raised_meaning_asks_again_about_that_purpose_alone() -> None:
    raised = find("google-analytics").model_copy(update={"meaning": find("google-analytics").meaning + 1})
    before = Site("Shop", services=["google-analytics", "meta-pixel"], unknown="withhold").fingerprints
    after = Site("Shop", services=[raised, "meta-pixel"], unknown="withhold").fingerprints
    assert {purpose for purpose in before if before[purpose] != after[purpose]} == {"analytics"}


def test_a_service_that_the_catalogue_learns_asks_nobody_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(_with().fingerprints)
    learnt = {**catalogue(), "brand-new": Service("brand-new", purpose="analytics", hosts=["new.example"])}
    monkeypatch.setattr("cookiegate.catalogue.catalogue", lambda: learnt)
    assert _with().fingerprints == before


def test_the_order_of_services_and_a_second_language_ask_nobody_again() -> None:
    some = ["meta-pixel", "google-ads", "google-analytics"]
    one = Site("Shop", services=some, unknown="withhold")
    other = Site("Shop", services=some[::-1], languages=["en", "ko"], unknown="allow", hosts=["shop.example"])
    assert one.fingerprints == other.fingerprints
