"""The host chooses the site, and sites and gates do not know each other."""

from __future__ import annotations

import pytest

from .world import KEY, NAVIGATE, OTHER_KEY, Visitor, a_site, drive, gated

SITES = [
    a_site(name="Exact", hosts=["shop.test"], services=["google-analytics"]),
    a_site(name="Wild", hosts=["*.shop.test"], services=["meta-pixel"]),
    a_site(name="Default", hosts=["*"], services=["kakao-maps"]),
]


@pytest.mark.parametrize(
    ("host", "named"),
    [
        pytest.param("shop.test", "Exact", id="exact"),
        pytest.param("SHOP.test", "Exact", id="in capitals"),
        pytest.param("shop.test:8443", "Exact", id="with a port"),
        pytest.param("www.shop.test", "Wild", id="one label below"),
        pytest.param("a.b.shop.test", "Wild", id="two labels below"),
        pytest.param("notshop.test", "Default", id="a look-alike"),
        pytest.param("elsewhere.test", "Default", id="anything else"),
    ],
)
def test_the_host_chooses_the_site(host: str, named: str) -> None:
    app = gated(config={"sites": SITES})
    page = Visitor(app).get("/_privacy/", {"host": host})
    assert f"· {named}<" in page.text or f">{named}<" in page.text


def test_a_host_that_no_site_lists_is_denied_everything_and_asked_nothing() -> None:
    app = gated(hosts=["shop.test"])
    stranger = Visitor(app, base="https://elsewhere.test")
    page = stranger.get()
    assert b"googletagmanager" not in page.body
    assert not page.asks
    assert stranger.granted() == {"necessary"}
    assert stranger.choose("accept_all").all("set-cookie") == []
    assert stranger.choose("reject_all").all("set-cookie") == []


def test_a_request_without_a_host_is_denied_everything() -> None:
    app = gated(hosts=["shop.test"])
    page = Visitor(app).get("/", {"host": ""})
    assert b"googletagmanager" not in page.body
    assert not page.asks


def test_two_middlewares_in_one_process_do_not_know_each_other() -> None:
    one, two = gated(keys=[KEY]), gated(keys=[OTHER_KEY], services=["hotjar"], mode="enforce")
    visitor = Visitor(one)
    visitor.choose("accept_all")
    assert visitor.granted() >= {"analytics", "marketing"}
    elsewhere = Visitor(two, cookies=dict(visitor.cookies))
    assert elsewhere.granted() == {"necessary"}
    assert elsewhere.get().asks
    assert b"Hotjar" in elsewhere.get().body
    assert b"Hotjar" not in Visitor(one).get().body


def test_a_receipt_of_one_site_is_nothing_on_another() -> None:
    visitor = Visitor(gated(name="Shop"))
    visitor.choose("accept_all")
    assert Visitor(gated(name="Bank"), cookies=dict(visitor.cookies)).granted() == {"necessary"}


def test_the_apps_scope_is_not_written_to() -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "scheme": "https",
        "headers": [(b"host", b"shop.test"), *((k.encode(), v.encode()) for k, v in NAVIGATE.items())],
    }  # fmt: skip
    before = dict(scope)
    drive(gated(), scope)
    assert scope == before
