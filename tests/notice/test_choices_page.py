"""The choices page: what was chosen and when, what changed since, and the way back."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from typing import Any, Final

import pytest

from cookiegate import Purpose, Service
from cookiegate.languages import country_in, lifetime_in
from cookiegate.notice.news import News, news
from tests.contract.world import SAME_ORIGIN, Answer, Clock, Visitor, a_site, gated, parsed

TWO: Final = ["google-analytics", "meta-pixel"]
UNKNOWN: Final = "Something changed here since you chose, so we ask again."
SAME_AS_EVER: Final = "What you decided about has not changed since then."


def page_of(visitor: Visitor, path: str = "/_privacy/", **headers: str) -> str:
    return unescape(visitor.get(path, headers).text)


def said(visitor: Visitor) -> dict[str, str]:
    """What the page says of each purpose: its state, and what follows."""
    [summary] = re.findall(r'<dl class="privacy-facts privacy-now">(.*?)</dl>', page_of(visitor), re.DOTALL)
    entries = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", summary, re.DOTALL)
    return {purpose: " ".join(re.sub(r"<[^>]*>", " ", text).split()) for purpose, text in entries}


def test_who_has_not_chosen_reads_so_and_has_nothing_to_download() -> None:
    page = page_of(Visitor(gated()))
    assert "You have not chosen yet." in page
    assert "receipt.json" not in page
    assert "privacy-now" not in page


def test_the_four_things_that_consent_needs_stand_before_the_buttons_here_too() -> None:
    """Whose browser cannot answer in the banner is led here: PIPA 15(2), as in the banner."""
    page = page_of(Visitor(gated(services=TWO)))
    told = page[: page.index('value="accept_all"')]
    for words in (
        "<strong>Statistics</strong>: Google Analytics (United States)",
        "<strong>Advertising</strong>: Meta Pixel (United States)",
        "Your internet address",
        "Your choice for 6 months",
        "You may refuse: only what",
    ):
        assert words in told


def test_whoever_loads_the_address_of_a_form_that_did_not_count_again_can_choose_there() -> None:
    reply = Visitor(gated()).get("/_privacy/choices")
    assert (reply.status, reply.header("allow")) == (405, "POST")
    assert "You have not chosen yet." in reply.text


def test_what_is_not_said_in_the_language_of_the_page_is_marked_as_what_it_is() -> None:
    """WCAG 2.2, 3.1.2; and English in an Arabic line keeps its full stop at its end."""
    video = '<!doctype html><body><iframe src="https://www.youtube.com/embed/tea" width="320"></iframe>'
    visitor = Visitor(gated(Answer(video), languages=["ar"], services=["youtube"]))
    for path in ("/", "/_privacy/"):
        assert '<span lang="en" dir="auto">Plays videos from YouTube' in page_of(visitor, path)


def test_who_has_chosen_reads_what_and_when_and_that_nothing_changed() -> None:
    visitor = Visitor(gated(time_zone="Asia/Seoul"))
    visitor.choose("save", "analytics", **{"service.kakao-maps": "allow"})
    page = page_of(visitor)
    assert "You chose on November 18, 2026." in page
    assert SAME_AS_EVER in page
    assert said(visitor) == {
        "Preferences": "Refused Allowed by name: Kakao Maps.",
        "Statistics": "Allowed",
        "Advertising": "Refused",
    }
    visitor.choose("withdraw")
    assert "You refused on November 18, 2026." in page_of(visitor)
    assert set(said(visitor).values()) == {"Refused"}


def test_a_service_allowed_before_any_question_was_answered_is_a_choice_too() -> None:
    visitor = Visitor(gated())
    visitor.choose("allow_once", service="kakao-maps")
    assert said(visitor)["Preferences"] == "Not chosen yet Allowed by name: Kakao Maps."


def test_what_the_signal_refuses_is_said_to_be_honoured() -> None:
    visitor = Visitor(gated(), always={"sec-gpc": "1"})
    visitor.choose("accept_all")
    assert said(visitor)["Advertising"] == "Refused by your browser's signal"
    page = page_of(visitor)
    assert "Opt-out request honoured" in page
    assert "a service here runs only if you tick its purpose too" in page


def test_a_child_reads_why_everything_is_off() -> None:
    app = gated()
    visitor = Visitor(app)
    visitor.choose("accept_all")
    visitor.app = gated(config={"is_child": lambda _: True})
    assert set(said(visitor).values()) == {"For visitors under age only what is necessary is used."}


@pytest.mark.parametrize(
    ("later", "told"),
    [
        pytest.param({"services": [*TWO, "hotjar"]}, "New since then: Hotjar.", id="one more"),
        pytest.param(
            {"services": [*TWO, "hotjar", Service("shop-stats", purpose="analytics", hosts=["/stats.js"])]},
            "New since then: Hotjar, shop-stats.",
            id="two more",
        ),
        pytest.param(
            {"services": TWO, "service": {"google-analytics": {"meaning": 3}}},
            "Changed since then: Google Analytics.",
            id="another meaning",
        ),
        pytest.param({"services": TWO, "purpose": {"analytics": Purpose(text="We also measure.")}}, "", id="text"),
    ],
)
def test_a_purpose_that_changed_says_what_is_new_as_far_as_can_be_told(later: dict[str, Any], told: str) -> None:
    visitor = Visitor(gated(services=TWO))
    visitor.choose("accept_all")
    visitor.app = gated(**later)
    expected = " ".join(filter(None, ["Off until you choose again", UNKNOWN, told]))
    assert said(visitor) == {"Statistics": expected, "Advertising": "Allowed"}
    assert SAME_AS_EVER not in page_of(visitor)
    visitor.choose("accept_all")
    assert SAME_AS_EVER in page_of(visitor)


def test_a_fingerprint_of_which_nothing_is_known_costs_little_and_tells_nothing() -> None:
    many = [Service(f"s-{n}", purpose="analytics", hosts=[f"/s{n}.js"], meaning=9) for n in range(120)]
    assert news(a_site(services=many), "analytics", "0" * 16) == News()


def test_receivers_are_named_with_their_country_in_the_visitors_language() -> None:
    visitor = Visitor(gated(languages=["en", "ko"]))
    assert "<dd>United States</dd>" in page_of(visitor)
    korean = page_of(visitor, **{"accept-language": "ko"})
    assert "<dd>미국</dd>" in korean
    assert "<td>2년</td>" in korean


@pytest.mark.parametrize(
    ("language", "lifetime", "words"),
    [
        ("en", "13 months", "13 months"),
        ("ko", "13 months", "13개월"),
        ("de", "1 day", "1 Tag"),
        ("ko", "up to 2 years", "up to 2 years"),
        ("xx", "2 years", "2 years"),
    ],
)
def test_how_long_a_cookie_is_kept_is_said_in_the_visitors_language(language: str, lifetime: str, words: str) -> None:
    assert lifetime_in(language, lifetime) == words


@pytest.mark.parametrize(
    ("language", "code", "name"),
    [("ko", "US", "미국"), ("en", "ZZZ", "ZZZ"), ("xx", "KR", "KR")],
)
def test_a_country_is_named_or_else_its_code(language: str, code: str, name: str) -> None:
    assert country_in(language, code) == name


@pytest.mark.parametrize(
    ("path", "referer", "back"),
    [
        ("/_privacy/", "https://shop.test/tea?size=2", "/tea?size=2"),
        ("/_privacy/", "https://shop.test/", "/"),
        ("/_privacy/", "https://evil.test/tea", None),
        ("/_privacy/", "https://shop.test.evil.test/tea", None),
        ("/_privacy/", "https://shop.test/_privacy/browsers", None),
        ("/_privacy/", "https://[", None),
        ("/_privacy/", "https://shop.test", None),
        ("/_privacy/", "", None),
        ("/_privacy/?back=/tea", "https://shop.test/other", "/tea"),
        ("/_privacy/?back=//evil.test", "", None),
        ("/_privacy/?back=https://evil.test", "", None),
        ("/_privacy/?back=/%5Cevil.test", "", None),
        ("/_privacy/?back=javascript:alert(1)", "", None),
    ],
)
def test_the_way_back_leads_to_this_site_only(path: str, referer: str, back: str | None) -> None:
    page = page_of(Visitor(gated()), path, referer=referer)
    found = re.search(r'<a href="([^"]*)">Back to the page you came from</a>', page)
    assert (found[1] if found else None) == back


def test_the_way_back_outlasts_a_choice_and_another_language() -> None:
    visitor = Visitor(gated(languages=["en", "ko"]))
    page = page_of(visitor, referer="https://shop.test/tea?size=2")
    returns = set(re.findall(r'name="return_to" value="([^"]*)"', page))
    assert returns == {"/_privacy/?note=saved&back=%2Ftea%3Fsize%3D2", "/_privacy/?back=%2Ftea%3Fsize%3D2"}
    for return_to in returns:
        reply = visitor.post({"action": "reject_all", "return_to": return_to}, SAME_ORIGIN)
        after = page_of(visitor, reply.header("location"), referer="https://shop.test/_privacy/")
        assert '<a href="/tea?size=2">Back to the page' in after


def test_headings_come_in_order_and_every_field_has_a_name() -> None:
    visitor = Visitor(gated(languages=["en", "ko"], clock=Clock()))
    visitor.choose("accept_all")
    tree = parsed(visitor.get("/_privacy/").body)
    levels = [int(element.tag[1]) for element in tree.iter() if re.fullmatch(r"h[1-6]", str(element.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    named = {id(field) for label in tree.iter("label") for field in label.iter()}
    fields = [*tree.iter("select"), *(field for field in tree.iter("input") if field.get("type") != "hidden")]
    assert fields
    assert all(id(field) in named for field in fields)
    assert [button.get("lang") for button in tree.iter("button") if button.get("aria-current")] == ["en"]


def test_yes_no_and_withdrawal_are_equals() -> None:
    visitor = Visitor(gated())
    visitor.choose("accept_all")
    page = visitor.get("/_privacy/").text
    buttons = dict(re.findall(r'<button class="([^"]*)" name="action" value="(\w+)"', page))
    assert set(buttons) == {"privacy-button"}
    order = re.findall(r'name="action" value="(\w+)"', page)
    assert order[:3] == ["accept_all", "reject_all", "withdraw"]
