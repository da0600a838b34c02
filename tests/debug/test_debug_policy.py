"""What the debug page says of our Content-Security-Policy and of the hosts that browsers report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Answer, Clock, Visitor, parsed
from tests.debug.looking import facts, look

if TYPE_CHECKING:
    from tests.visits.place import Place

PAGE = "<!doctype html><p>x"
SENT = {"content-type": "application/reports+json", "sec-fetch-site": "same-origin"}


def reporting(place: Place, clock: Clock, *hosts: str) -> Visitor:
    """A visitor of a shop with a policy, whose browser reports that these hosts were stopped."""
    place.declare(people=["alice"], site='csp = "report-only"')
    visitor = place.visitor(Answer(PAGE), clock)
    body = [{"type": "csp-violation", "body": {"blockedURL": f"https://{host}/path-canary"}} for host in hosts]
    visitor.send("POST", "/_privacy/csp-report", SENT, json.dumps(body).encode())
    return visitor


@pytest.mark.parametrize(
    ("host", "service", "line"),
    [
        pytest.param("script.hotjar.com", "hotjar", 'services = [..., "hotjar"]', id="not declared"),
        pytest.param("js.stripe.com", "stripe", 'services = [..., "stripe"]', id="kept, and yet not in the policy"),
        pytest.param(
            "www.google-analytics.com",
            "google-analytics",
            "none: it is declared, and was not granted",
            id="declared and denied",
        ),
        pytest.param(
            "graph.facebook.com",
            None,
            'hosts = [..., "graph.facebook.com"] under [sites.service.meta-pixel]',
            id="one more host of a declared service",
        ),
        pytest.param(
            "cdn.stranger.example",
            "",
            'keep = [..., "https://cdn.stranger.example/*"], or '
            'own_hosts = [..., "cdn.stranger.example"] if it is yours',
            id="nobody's that we know",
        ),
    ],
)
def test_a_reported_host_is_shown_with_its_service_and_the_line_that_declares_it(
    place: Place, clock: Clock, host: str, service: str | None, line: str
) -> None:
    visitor = reporting(place, clock, host)
    (entry,) = facts(visitor)["reported"]
    assert entry["line"] == line
    assert (entry["host"], entry["reports"], entry["last"]) == (host, 1, "2026-11-18")
    assert service is None or entry["service"] == service
    page = "".join(parsed(look(visitor).body).itertext())
    assert host in page
    assert line in page
    assert "path-canary" not in page


def test_the_policy_of_this_visitor_is_shown_and_strict_dynamic_explained_where_the_app_has_it(
    place: Place, clock: Clock
) -> None:
    visitor = reporting(place, clock)
    assert facts(visitor)["policy"]["csp"] == "report-only"
    assert "google" not in facts(visitor)["policy"]["for you"]
    visitor.choose("save", "analytics")
    shown = facts(visitor)["policy"]
    assert "*.google-analytics.com:*" in shown["for you"]
    assert shown["bytes"] == len(shown["for you"])
    assert "strict-dynamic" not in shown
    strict = Answer(PAGE, headers=[("content-security-policy", "script-src 'strict-dynamic' 'nonce-x'")])
    visitor = place.visitor(strict, clock)
    visitor.get("/")
    assert "must satisfy both" in facts(visitor)["policy"]["strict-dynamic"]
    assert "No browser reported any." in "".join(parsed(look(visitor).body).itertext())


def test_a_policy_that_is_too_long_is_said_at_the_start_and_shown(
    place: Place, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = ", ".join(f'"a.host{n}.example"' for n in range(200))
    service = f'csp = "enforce"\n[sites.service.many]\npurpose = "analytics"\nhosts = [{hosts}]'
    place.declare(people=["alice"], site=service)
    visitor = place.visitor(Answer(PAGE), clock)
    assert "too long even when its hosts are collapsed" in caplog.text
    visitor.choose("accept_all")
    assert facts(visitor)["policy"]["for you"] == "none: it would be too long"
    assert visitor.get("/").header("content-security-policy") == ""
