from __future__ import annotations

import pytest

from cookiegate.gate.reporting import gated_header
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
    gated, gone = gated_header(name, value, judge())
    assert b"google-analytics" not in gated
    assert [found.slug for found in gone] == ["google-analytics"]
    assert gated_header(name, value, judge(SITE, "analytics")) == (value, [])


def test_whom_a_header_names_besides_is_kept() -> None:
    value = b'own="/r", other="' + GA + b'";p=1, more="/s"'
    assert gated_header(b"reporting-endpoints", value, judge())[0] == b'own="/r", more="/s"'
    value = b'{"group": "a", "endpoints": [{"url": "/r"}]}, {"endpoints": [{"url": "' + GA + b'"}]}'
    assert gated_header(b"report-to", value, judge())[0] == b'{"group": "a", "endpoints": [{"url": "/r"}]}'


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
    assert gated_header(name, value, judge(STRICT)) == (value, [])


UNREADABLE = [b"{", b"[]]", b'{"endpoints":[{"url"', b'{"endpoints":5}', b"[" * 5000, b"\xff", b"7"]


@pytest.mark.parametrize("name", [b"report-to", b"reporting-endpoints", b"speculation-rules"])
@pytest.mark.parametrize("value", UNREADABLE)
def test_a_header_that_cannot_be_read_sends_to_nobody(name: bytes, value: bytes) -> None:
    assert gated_header(name, value, judge())[0] == b""
