from __future__ import annotations

import pytest

from cookiegate.gate.reporting import sends_to
from tests.gate.reading import SITE, STRICT, judge

GA = b"https://www.google-analytics.com/x"
HEADERS = {
    "a refresh": (b"refresh", b"5; url=" + GA),
    "a refresh in quotes": (b"refresh", b"0;URL='" + GA + b"'"),
    "a refresh with a comma": (b"refresh", b"0, " + GA),
    "an endpoint": (b"reporting-endpoints", b'default="' + GA + b'"'),
    "a second endpoint": (b"reporting-endpoints", b'own="/r", other="' + GA + b'"'),
    "an escaped endpoint": (b"reporting-endpoints", b'default="https:\\//www.google-analytics.com/x"'),
    "a group": (b"report-to", b'{"group":"a","max_age":1,"endpoints":[{"url":"' + GA + b'"}]}'),
    "a second group": (b"report-to", b'{"endpoints":[{"url":"/r"}]},{"endpoints":[{"url":"' + GA + b'"}]}'),
    "rules of speculation": (b"speculation-rules", b'"/own.json", "' + GA + b'"'),
}


@pytest.mark.parametrize(("name", "value"), HEADERS.values(), ids=HEADERS)
def test_no_header_makes_a_browser_send_to_a_denied_service(name: bytes, value: bytes) -> None:
    found = sends_to(name, value, judge())
    assert found
    assert found.slug == "google-analytics"
    assert sends_to(name, value, judge(SITE, "analytics")) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"refresh", b"5"),
        (b"refresh", b"5; url=/next"),
        (b"reporting-endpoints", b'default="/reports"'),
        (b"report-to", b'{"group":"a","max_age":1,"endpoints":[{"url":"https://own.example/r"}]}'),
        (b"speculation-rules", b'"/rules.json"'),
        (b"x-own", GA),
    ],
)
def test_what_a_site_sends_to_itself_passes(name: bytes, value: bytes) -> None:
    assert sends_to(name, value, judge(STRICT)) is None


@pytest.mark.parametrize(
    "value", [b"{", b"[]]", b'{"endpoints":[{"url"', b'{"endpoints":5}', b"[" * 5000, b"\xff", b"7"]
)
def test_a_report_to_header_that_cannot_be_read_is_withheld(value: bytes) -> None:
    assert sends_to(b"report-to", value, judge())
