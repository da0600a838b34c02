"""What a stranger's page, a script on the page and a planted cookie cannot do, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.conftest import Arrive, Visitor

EVIL = "http://localhost:9/prize"  # to a browser, another site than 127.0.0.1
PAGE = """<!doctype html><title>You won</title>
<iframe name="page" src="{shop}/"></iframe><iframe name="choices" src="{shop}/_privacy/"></iframe>
<form method="post" action="{shop}/_privacy/choices">
<input type="hidden" name="return_to" value="/"><button name="action" value="accept_all">Take it</button>
</form>"""
SCRIPT = """async mode => {
  const body = new URLSearchParams({action: 'accept_all', purpose: 'analytics', return_to: '/'});
  await fetch('/_privacy/choices', {method: 'POST', body, mode, redirect: 'manual'});
}"""


def is_still_asked(visitor: Visitor) -> None:
    visitor.open("/")
    assert visitor.banner.is_visible()
    assert visitor.called() <= {"localhost/prize"}


def test_a_strangers_page_can_neither_frame_our_buttons_nor_press_them(gated: str, arrive: Arrive) -> None:
    visitor = arrive(gated)
    visitor.context.route(EVIL, lambda route: route.fulfill(content_type="text/html", body=PAGE.format(shop=gated)))
    visitor.page.goto(EVIL)
    frames = {frame.name: frame for frame in visitor.page.frames}
    assert frames["page"].locator("h1").count() or frames["page"].url.startswith("chrome-error")
    for frame in (frames["page"], frames["choices"]):
        assert frame.locator("button[name=action]").count() == 0
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("button").click()
    assert navigation.value is not None
    assert navigation.value.status != 303
    assert visitor.page.url.startswith(gated), "the post arrived, and was refused"
    is_still_asked(visitor)


def test_a_script_on_the_page_cannot_agree_for_its_visitor(gated: str, arrive: Arrive) -> None:
    visitor = arrive(gated)
    visitor.open("/")
    for mode in ("same-origin", "cors", "no-cors"):
        visitor.page.evaluate(SCRIPT, mode)
    is_still_asked(visitor)


def test_a_planted_cookie_that_reads_like_ours_is_none(gated: str, arrive: Arrive) -> None:
    """Common parsers strip what stands before the name; a sibling subdomain could set such a one."""
    other = arrive(gated)
    other.open("/")
    other.press("accept_all")
    receipt = next(cookie.get("value") for cookie in other.context.cookies() if cookie.get("name") == "privacy")
    visitor = arrive(gated)
    visitor.open("/")
    for before in ("\u00a0", "\u2003", "\u00a0\u00a0"):
        visitor.page.evaluate("cookie => { document.cookie = cookie }", f"{before}privacy={receipt}; Path=/")
    assert len(visitor.page.evaluate("document.cookie").split("; ")) == 3
    is_still_asked(visitor)
