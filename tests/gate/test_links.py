from __future__ import annotations

import pytest

from cookiegate.gate.links import gated_link
from tests.gate.reading import SITE, judge

GA = b"<https://www.google-analytics.com/a>"
CASES = {
    "one": (GA + b"; rel=preconnect", b""),
    "quoted": (GA + b';rel="x preload";as=script', b""),
    "spaces and case": (GA + b" ; REL = PreLoad", b""),
    "first": (GA + b"; rel=preload, </b>; rel=preload", b"</b>; rel=preload"),
    "last": (b"</b>; rel=preload, " + GA + b"; rel=preload", b"</b>; rel=preload"),
    "only fetching relations": (GA + b"; rel=canonical", GA + b"; rel=canonical"),
    "own": (b'</a,b>; rel=preload; title="x, <y>"', b'</a,b>; rel=preload; title="x, <y>"'),
    "no relation": (GA, GA),
    "empty": (b"", b""),
    "empty members": (b"</a>; rel=preload, , </b>; rel=preload", b"</a>; rel=preload, , </b>; rel=preload"),
    "relation inside a title": (GA + b'; title="; rel=license"; rel=preconnect', b""),
    "imagesrcset": (b'</a>; rel=preload; as=image; imagesrcset="https://www.google-analytics.com/a 1x"', b""),
    "ampersand": (b"<https://www.google-analytics.com/?a&amp;b>; rel=preload", b""),
    "what cannot be read ends it": (b"</a>; rel=preload, nonsense, " + GA + b"; rel=preload", b"</a>; rel=preload"),
    "unclosed quote": (b'</a>; rel=preload, </b>; title="' + GA + b"; rel=preload", b"</a>; rel=preload"),
}


@pytest.mark.parametrize(("value", "kept"), CASES.values(), ids=CASES)
def test_a_link_header_fetches_only_what_its_element_might(value: bytes, kept: bytes) -> None:
    gated, _ = gated_link(value, judge().link)
    assert gated == kept


def test_what_is_withheld_from_a_link_header_is_reported() -> None:
    _, gone = gated_link(GA + b"; rel=preload", judge().link)
    assert [item.slug for item in gone] == ["google-analytics"]


def test_a_granted_service_keeps_its_links_byte_for_byte() -> None:
    value = GA + b" ;rel=preload , </b>;rel=preload"
    granted = judge(SITE, "analytics")
    assert gated_link(value, granted.link) == (value, [])
