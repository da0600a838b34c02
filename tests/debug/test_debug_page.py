"""What the debug page shows, what it never shows, and that it changes nothing."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.world import (
    ADDRESS,
    GA,
    HOTJAR,
    KEY,
    META,
    STRANGER,
    Answer,
    Clock,
    Visitor,
    parsed,
    shop,
)
from tests.debug.looking import basic, facts, look
from tests.visits.place import password_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.visits.place import Place

SECRET = "inline-canary-7391"
PAGE = (
    f'<!doctype html><html><head><script async src="{GA}"></script><script src="{META}?uid={SECRET}"></script>'
    f'<script src="{HOTJAR}"></script><script src="{STRANGER}?uid={SECRET}"></script>'
    f'<script>var who = "{SECRET}"; fbq("init", who);</script></head><body>x</body></html>'
)


def entries(found: Any) -> Iterator[dict[str, Any]]:
    """Every object below *found*, however deep."""
    if isinstance(found, dict):
        yield found
        for value in found.values():
            yield from entries(value)
    elif isinstance(found, list):
        for value in found:
            yield from entries(value)


def said(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False)


def shown(visitor: Visitor) -> str:
    """Everything that either form of the page says, as a person reads it."""
    return said(facts(visitor)) + "".join(parsed(look(visitor).body).itertext())


def test_programs_get_json_and_people_a_page_without_scripts(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    visitor.get("/")
    assert look(visitor, accept="application/json").header("content-type").startswith("application/json")
    page = look(visitor)
    assert page.header("content-type").startswith("text/html")
    assert b"<script" not in page.body.lower()
    assert "default-src 'none'" in page.header("content-security-policy")
    assert "frame-ancestors 'none'" in page.header("content-security-policy")
    assert page.header("x-frame-options") == "DENY"
    assert page.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("given", "headers", "words"),
    [
        pytest.param(None, {}, ["receipt", "analytics", "denied"], id="never asked"),
        pytest.param((), {}, ["analytics", "denied"], id="refused"),
        pytest.param(("analytics",), {}, ["analytics", "granted"], id="given"),
        pytest.param(("marketing",), {"sec-gpc": "1"}, ["GPC", "marketing"], id="signal"),
    ],
)
def test_the_decision_of_this_request_is_shown_rule_by_rule(
    place: Place, clock: Clock, given: tuple[str, ...] | None, headers: dict[str, str], words: list[str]
) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    if given is not None:
        visitor.choose("save", *given)
    decision = facts(visitor, **headers)["decision"]
    for number in range(1, 6):
        assert any(str(number) in said(rule) for rule in decision)
    for word in words:
        assert word in said(decision)
    page = "".join(parsed(look(visitor, **headers).body).itertext())
    assert all(word in page for word in words)


def test_each_withheld_thing_is_shown_with_its_rule_service_and_place(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    visitor.get("/tea?card=4111")
    [response] = [entry for entry in entries(facts(visitor)) if entry.get("path") == "/tea"]
    withheld = {entry["byte"]: entry for entry in response["withheld"]}
    tags = [(GA, "google-analytics"), (META, "meta-pixel"), (HOTJAR, "hotjar"), (STRANGER, "unknown")]
    for address, service in tags:
        start = PAGE.rindex("<script", 0, PAGE.index(address))
        assert withheld[start]["service"] == service
        assert withheld[start]["host"] == address.split("/")[2]
        assert withheld[start]["tag"] == "script"
        assert withheld[start]["rule"]
    assert withheld[PAGE.index("<script>var")]["service"] == "meta-pixel"
    assert len(withheld) == 5
    text = shown(visitor)
    assert str(os.getpid()) in text
    assert SECRET not in text
    assert "4111" not in text


def test_undeclared_and_unknown_things_are_shown_with_the_line_that_settles_them(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    visitor.get("/")
    found = said(facts(visitor)["unsettled"]).replace('\\"', '"')
    assert '"hotjar"' in found
    assert "services = [" in found
    assert "keep = [" in found
    assert '"https://cdn.stranger.example/*"' in found
    assert "meta-pixel" not in found
    page = "".join(parsed(look(visitor).body).itertext())
    assert '"https://cdn.stranger.example/*"' in page


def test_every_undeclared_service_of_one_script_is_to_be_settled(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer('<!doctype html><script>gtag("js", 1); hj("event"); clarity("set")</script>'), clock)
    visitor.get("/")
    visitor.get("/")
    found = {entry["what"]: (entry["seen"], entry["line"]) for entry in facts(visitor)["unsettled"]}
    assert found == {
        "hotjar": (2, 'services = [..., "hotjar"]'),
        "microsoft-clarity": (2, 'services = [..., "microsoft-clarity"]'),
    }


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("my_cdn.example", 'own_hosts = [..., "my_cdn.example"] if it is yours'),
        ("[::1]", 'own_hosts = [..., "[::1]"] if it is yours'),
        ("a&quot;b.example", "none: no such host can be declared"),
    ],
)
def test_no_line_is_shown_that_the_configuration_would_refuse(place: Place, clock: Clock, host: str, line: str) -> None:
    visitor = place.visitor(Answer(f'<!doctype html><img src="https://{host}/x.gif">'), clock)
    visitor.get("/")
    assert [entry["line"] for entry in facts(visitor)["unsettled"]] == [line]


def test_the_line_that_settles_an_unknown_third_party_does_settle_it(place: Place, clock: Clock) -> None:
    place.declare(people=["alice"], site='keep = ["https://cdn.stranger.example/*"]')
    visitor = place.visitor(Answer(PAGE), clock)
    assert STRANGER in visitor.get("/").text
    assert "cdn.stranger.example" not in said(facts(visitor)["unsettled"])


def test_the_configuration_in_effect_is_shown_with_its_defaults(place: Place, clock: Clock) -> None:
    found = said(facts(place.visitor(Answer(PAGE), clock))["configuration"])
    for value in ("P3M", "/_privacy", "security", "full", "serve", "process", "withhold", "UTC", "X-Forwarded-For"):
        assert f'"{value}"' in found, value


def test_counts_of_visits_purge_and_next_destruction_are_shown(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    visitor.get("/")
    records = facts(visitor)["records"]
    assert records["kept"] >= 1
    assert records["lost"] == 0
    assert str(records["next_destruction"]).startswith("2027-02-19")
    assert "2027-02-19" in shown(visitor)


def test_no_secret_address_or_consent_id_is_shown(place: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = "0123456789abcdef0123456789abcdef0123456789a"
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", vault)
    visitor = place.visitor(shop(), clock)
    visitor.choose("accept_all")
    told = json.loads(visitor.get("/consent").body)["id"]
    visitor.get("/", {"user-agent": "AgentCanary/1", "referer": "https://referrer.example/"})
    text = shown(visitor) + look(visitor).text
    hidden = [KEY, vault, ADDRESS, told, visitor.receipt, "AgentCanary", "referrer.example", "scrypt"]
    hidden += password_hash().split(":")[4:]
    assert told
    assert [word for word in hidden if word in text] == []


HOSTILE = "<script>alert(1)</script>"


def test_hostile_paths_hosts_and_headers_are_escaped(place: Place, clock: Clock) -> None:
    place.path.write_text(place.path.read_text().replace('hosts = ["shop.test", ', 'hosts = ["*", '))
    page = PAGE.replace("cdn.stranger.example", "x&lt;script&gt;alert(1)&lt;/script&gt;.example")
    visitor = place.visitor(Answer(page), clock)
    visitor.get(f"/{HOSTILE}\"'><img src=x onerror=alert(1)>", {"user-agent": HOSTILE, "referer": HOSTILE})
    headers = {"accept-language": HOSTILE, "user-agent": HOSTILE, "host": f'shop.test"><{HOSTILE}'}
    for body in (look(visitor).body, look(visitor, **headers).body):
        assert b"<script" not in body.lower()
        assert b"<img" not in body.lower()
    tree = parsed(look(visitor).body)
    assert [node.tag for node in tree.iter() if node.tag in ("script", "img", "iframe")] == []
    assert HOSTILE.partition("/")[0] in "".join(tree.itertext())  # of a path only the first segment


def test_looking_changes_nothing(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    visitor.get("/")
    before = dict(visitor.cookies)
    first, second = facts(visitor), facts(visitor)
    for found in (first, second):
        found.pop("records")  # each look is a visit like any other
    assert first == second
    reply = look(visitor)
    assert reply.all("set-cookie") == []
    assert visitor.cookies == before


def test_nothing_asked_of_the_debug_page_loosens_the_gate(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    for query in ("?mode=observe", "?grant=analytics", "?action=accept_all", "?debug=0"):
        visitor.get(f"/_privacy/debug{query}", basic())
    assert b"googletagmanager.com" not in visitor.get("/").body
    assert b"googletagmanager.com" not in visitor.get("/?mode=observe", basic()).body


def test_only_the_last_responses_are_kept(place: Place, clock: Clock) -> None:
    visitor = place.visitor(Answer(PAGE), clock)
    for number in range(300):
        visitor.get(f"/page-{number}")
    text = said(facts(visitor))
    assert "/page-299" in text
    assert '"/page-0"' not in text
    assert len(text) < 500_000
