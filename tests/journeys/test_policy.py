"""What a real browser makes of our Content-Security-Policy beside the app's own, and what it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.journeys.conftest import serving
from tests.journeys.policed import PASSWORD

if TYPE_CHECKING:
    from tests.journeys.conftest import Arrive

LISTEN = "violations = []; addEventListener('securitypolicyviolation', v => violations.push(v.blockedURI))"
STOPPED = {
    "https://connect.facebook.net/en_US/fbevents.js",
    "https://cdn.stranger.example/x.js",
    "wss://live.stranger.example/live",
}


def test_a_script_of_the_page_reaches_granted_hosts_alone_and_the_browser_reports_the_others(arrive: Arrive) -> None:
    """The app's header trusts whatever its script loads ('strict-dynamic'); ours beside it still limits the hosts."""
    with serving("tests.journeys.policed:app") as address:
        visitor = arrive(address)
        visitor.choose("analytics")
        answered: set[str] = set()
        visitor.context.on("response", lambda response: answered.add(response.url))
        visitor.page.add_init_script(LISTEN)
        with visitor.page.expect_event(
            "requestfinished",
            lambda sent: sent.url.endswith("csp-report") and "live.stranger" in (sent.post_data or ""),
        ):
            visitor.open("/")
        visitor.page.wait_for_load_state("networkidle")
        assert set(visitor.page.evaluate("violations")) == STOPPED, "the WebSocket of a granted service is none"
        third_parties = {url for url in answered if not url.startswith(address)}
        assert {url.partition("?")[0] for url in third_parties} == {
            "https://www.googletagmanager.com/gtag/js",
            "https://www.google-analytics.com/g/collect",
            "https://region1.google-analytics.com:8443/g/collect",
        }
        assert "evaluated" in visitor.page.inner_text("body"), "nothing but hosts is limited"
        debug = httpx.get(
            f"{address}/_privacy/debug", auth=("alice", PASSWORD), headers={"accept": "application/json"}, timeout=20
        ).json()
    assert {entry["host"] for entry in debug["reported"]} >= {"live.stranger.example"}
    assert {entry["host"] for entry in debug["reported"]} <= {url.split("/")[2] for url in STOPPED}
    assert "must satisfy both" in debug["policy"]["strict-dynamic"]
