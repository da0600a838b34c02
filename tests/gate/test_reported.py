"""Reports of browsers: what is kept of them, and what of hostile ones."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cookiegate.gate.reported import A_MINUTE, HOSTS, MANY, Reported

NOW = 1_795_003_200.0  # 2026-11-18 12:00 UTC
DAY = 86_400


def old(blocked: str, **more: str) -> dict[str, Any]:
    """A report as ``report-uri`` sends it."""
    return {"csp-report": {"document-uri": "https://shop.test/cart?who=kim", "blocked-uri": blocked, **more}}


def new(blocked: str, **more: str) -> dict[str, Any]:
    """A report as ``report-to`` sends it."""
    return {"type": "csp-violation", "body": {"blockedURL": blocked, **more}, "url": "https://shop.test/cart?who=kim"}


def heard(*bodies: Any) -> Reported:
    reported = Reported()
    for body in bodies:
        reported.hear(body if isinstance(body, bytes) else json.dumps(body).encode(), NOW)
    return reported


def hosts(reported: Reported) -> dict[str, int]:
    return {host: seen.times for host, seen in reported.hosts()}


def test_both_kinds_of_reports_are_read_and_each_host_counts_once_a_body() -> None:
    address = "https://Px.Stranger.example:8443/t?uid=7"
    assert hosts(heard(old(address), [new(address), new(address), new("wss://ws.other.example")])) == {
        "px.stranger.example": 2,
        "ws.other.example": 1,
    }


def test_nothing_but_the_host_a_count_and_the_day_is_kept() -> None:
    reported = heard(old("https://kim:secret@px.stranger.example/path-canary?uid=7#x", referrer="https://ref.example/"))
    assert "canary" not in repr(vars(reported))
    assert "kim" not in repr(vars(reported))
    assert reported.hosts()[0][1].last == date(2026, 11, 18)


def test_the_day_is_the_last_on_which_it_was_seen() -> None:
    reported = heard(old("https://px.stranger.example/"))
    reported.hear(json.dumps(old("https://px.stranger.example/")).encode(), NOW + DAY)
    assert [(host, seen.times, str(seen.last)) for host, seen in reported.hosts()] == [
        ("px.stranger.example", 2, "2026-11-19")
    ]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(old("inline"), id="inline"),
        pytest.param(old("eval"), id="eval"),
        pytest.param(old("data"), id="data"),
        pytest.param(old(""), id="nothing"),
        pytest.param(old("chrome-extension://abcdef.ghi/x.js"), id="an extension"),
        pytest.param(old("https://x.example/", **{"source-file": "chrome-extension"}), id="for an extension"),
        pytest.param(new("https://x.example/", sourceFile="moz-extension://1-2/x.js"), id="for another extension"),
        pytest.param(old("http://192.168.1.5/x"), id="an address in the visitor's network"),
        pytest.param(old("http://[fd00::1]/x"), id="IPv6"),
        pytest.param(old("http://[/x"), id="a broken address"),
        pytest.param(old("http://router/x"), id="a name in the visitor's network"),
        pytest.param(old("https://<script>.example/"), id="markup"),
        pytest.param(old("https://a.example\x00.b.example/"), id="controls within"),
        pytest.param(old("https://" + "a" * 300 + ".example/"), id="a long label"),
        pytest.param(old("https://한국.example/"), id="a name that no browser writes so"),
        pytest.param({"csp-report": {"blocked-uri": 7}}, id="a number"),
        pytest.param({"csp-report": []}, id="a list for an object"),
        pytest.param([None, 1, "x", [], {}], id="a list of anything"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"csp-report":' * 20_000, id="deep objects"),
        pytest.param(b"9" * 100_000, id="a long number"),
    ],
)
def test_what_names_no_public_host_leaves_nothing(report: Any) -> None:
    assert hosts(heard(report)) == {}


@settings(max_examples=60)
@given(st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(lambda x: repr(x)))
def test_no_body_raises(body: bytes | str) -> None:
    Reported().hear(body if isinstance(body, bytes) else body.encode("utf-8", "replace"), NOW)


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_no_address_raises_or_leaves_more_than_a_host(address: str) -> None:
    for report in (old(f"https://{address}"), new(address)):
        assert all(set(host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_") for host in hosts(heard(report)))


def test_a_flood_of_made_up_hosts_pushes_out_none_that_was_seen_often() -> None:
    reported = heard(*[old("https://real.stranger.example/")] * 3)
    for start in range(0, 3 * HOSTS, MANY):
        reported.hear(json.dumps([new(f"https://h{start + n}.example/") for n in range(2 * MANY)]).encode(), NOW)
    assert len(reported.hosts()) == HOSTS
    assert reported.hosts()[0][0] == "real.stranger.example"


def test_so_many_bodies_a_minute_are_read_and_no_more() -> None:
    reported = Reported()
    assert [reported.takes(NOW) for _ in range(A_MINUTE + 5)] == [True] * A_MINUTE + [False] * 5
    assert reported.takes(NOW + 60)
