"""The browser guide over the wire: the visitor's own browser by what it sends unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .world import Visitor

CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("hints", "sentence"),
    [
        pytest.param({}, "looks like Chrome on Linux.", id="none"),
        pytest.param({"sec-ch-ua": '"Brave";v="146", "Chromium";v="146"'}, "looks like Brave on Linux.", id="brand"),
        pytest.param({"sec-ch-ua-platform": '"Chrome OS"'}, "looks like Chrome on ChromeOS.", id="platform"),
        pytest.param(
            {"sec-ch-ua-platform": '"Android"', "sec-ch-ua-mobile": "?0"}, "looks like Chrome on Android.", id="tablet"
        ),
        pytest.param({"sec-ch-ua": '"' * 999, "sec-ch-ua-platform": "\xff"}, "looks like Chrome on Linux.", id="junk"),
    ],
)
def test_hints_that_come_unasked_are_read(visitor: Visitor, hints: dict[str, str], sentence: str) -> None:
    reply = visitor.get("/_privacy/browsers", {"user-agent": CHROMIUM, **hints})
    assert reply.status == 200
    assert sentence in reply.text


@pytest.mark.parametrize("path", ["/", "/_privacy/", "/_privacy/browsers", "/_privacy/browsers/chrome", "/_privacy/x"])
def test_no_page_asks_for_more_hints(visitor: Visitor, path: str) -> None:
    reply = visitor.get(path)
    assert not {"accept-ch", "critical-ch"} & {name.lower() for name, _ in reply.headers}
    assert "accept-ch" not in reply.text.lower()


@pytest.mark.parametrize("slug", ["netscape", "chrome/", "chrome/x", "<script>", "Chrome", "..%2f", "unknown", "bot"])
def test_a_guide_that_does_not_exist_is_a_page_with_the_list(visitor: Visitor, slug: str) -> None:
    reply = visitor.get(f"/_privacy/browsers/{slug}", {"user-agent": CHROMIUM})
    if slug == "chrome/":
        assert (reply.status, "no guide of that name" in reply.text) == (200, False)
        return
    assert reply.status == 404
    assert "We have no guide of that name." in reply.text
    assert "looks like" not in reply.text
    assert "/_privacy/browsers/firefox" in reply.text
    assert "<script" not in reply.text


def test_a_robot_gets_the_plain_list(visitor: Visitor) -> None:
    robot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    text = visitor.get("/_privacy/browsers", {"user-agent": robot}).text
    assert "We do not recognise this browser." in text
    assert text == visitor.get("/_privacy/browsers", {"user-agent": "curl/8.5.0"}).text
