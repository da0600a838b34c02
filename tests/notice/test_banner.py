"""The banner: what it says, where a choice leads, and that it stays small."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.languages import languages
from cookiegate.pages import assets, stylesheet
from tests.contract.world import NAVIGATE, PAGE, SAME_ORIGIN, Answer, Visitor, gated, parsed, visit

if TYPE_CHECKING:
    from tests.contract.world import Reply

SERVICES = [
    "google-analytics", "google-tag-manager", "meta-pixel", "naver-analytics", "kakao-pixel", "youtube", "google-maps",
]  # fmt: skip
ENTITY = re.compile(r"&#(\d+);")


def banner_of(reply: Reply) -> str:
    found = re.search(r"<link rel=\"stylesheet\".*</section>", reply.text, re.DOTALL)
    assert found, "the page asks"
    return ENTITY.sub(lambda entity: chr(int(entity[1])), found[0])


def asked(path: str = "/", **site: Any) -> str:
    return banner_of(Visitor(gated(Answer(PAGE), **site)).get(path))


@pytest.mark.parametrize("position", ["bar", "card", "top"])
def test_question_and_stylesheet_together_stay_below_five_kilobytes_in_every_language(position: str) -> None:
    style = gzip.compress(assets()[stylesheet()], 6)
    visitor = Visitor(gated(Answer(PAGE), languages=languages(), services=SERVICES, banner=position))
    sizes = {}
    for language in languages():
        page = visitor.get(headers={"accept-language": language, "sec-gpc": "1"}).body
        whole = page[page.index(b'<link rel="stylesheet"') : page.rindex(b"</section>")]
        sizes[language] = len(style) + len(gzip.compress(whole, 6))
    assert {language: size for language, size in sizes.items() if size > 5 * 1024} == {}


def test_the_four_things_that_consent_needs_stand_beside_the_buttons() -> None:
    """PIPA 15(2): purpose, items, period, the right to refuse and what it costs; 17(2): who receives."""
    said = asked(services=[*SERVICES, "kakao-maps"], languages=["en", "ko"])
    for words in (
        "Statistics</strong>: Google Analytics (United States); Naver Analytics (South Korea)",
        "Your internet address",
        "Your choice for 6 months",
        "You may refuse: only what",
    ):
        assert words in said
    korean = banner_of(Visitor(gated(Answer(PAGE), languages=["en", "ko"])).get(headers={"accept-language": "ko"}))
    for words in ("이용 목적", "수집 항목", "보유 기간", "거부하실 수", "(미국)"):
        assert words in korean
    assert 'lang="ko" dir="ltr"' in korean


def test_an_own_service_without_operator_and_country_is_named_alone() -> None:
    table = {"shop-stats": {"purpose": "analytics", "hosts": ["/stats.js"]}}
    assert "Statistics</strong>: shop-stats</dd>" in asked(services=[], service=table)


def test_yes_and_no_that_stay_are_offered_only_to_browsers_that_can_hide_the_question() -> None:
    visitor = Visitor(gated(Answer(PAGE)))
    assert visitor.get().text.count('name="stay"') == 2
    text_browser = {name: None for name in NAVIGATE if name.startswith("sec-fetch")}
    assert b"stay" not in visitor.get(headers=text_browser).body
    assert b'value="reject_all"' in visitor.get(headers=text_browser).body


@pytest.mark.parametrize(
    ("answer", "granted"),
    [("yes", {"necessary", "preferences", "analytics", "marketing"}), ("no", {"necessary"})],
)
def test_an_answer_that_stays_is_kept_and_answered_with_nothing_to_show(answer: str, granted: set[str]) -> None:
    visitor = Visitor(gated())
    reply = visitor.post({"stay": answer, "return_to": "/"}, SAME_ORIGIN)
    assert (reply.status, reply.body) == (204, b"")
    assert "location" not in dict(reply.headers)
    assert reply.header("cache-control") == "no-store"
    assert visitor.granted() == granted


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ({"sec-fetch-site": "cross-site"}, 403, "did not come from a page of this site"),
        ({**SAME_ORIGIN, "sec-fetch-dest": "iframe"}, 403, "did not come from a page of this site"),
        ({**SAME_ORIGIN, "sec-fetch-mode": "cors"}, 403, "did not come from a page of this site"),
        ({"origin": "null"}, 403, "did not say from which page"),
    ],
    ids=["a stranger", "a frame", "a script", "nobody says"],
)
def test_a_yes_that_does_not_count_ends_in_a_plain_explanation(headers: dict[str, str], status: int, says: str) -> None:
    visitor = Visitor(gated())
    reply = visitor.post({"stay": "yes"}, headers)
    assert reply.status == status
    assert says in reply.text
    assert visitor.cookies == {}


def test_an_unknown_answer_that_would_stay_is_no_answer() -> None:
    reply = Visitor(gated()).post({"stay": "maybe"}, SAME_ORIGIN)
    assert reply.status == 400
    assert "Nothing was chosen" in reply.text


def test_a_yes_to_an_old_page_is_no_yes_to_what_came_since() -> None:
    """GDPR 4(11): informed. The page in the other tab named one company; meanwhile there are two."""
    old = Visitor(gated(services=["google-analytics"]))
    fields = re.findall(r'name="(purpose|meaning)" value="([^"]*)"', old.get().text)
    form = {kind: [value for name, value in fields if name == kind] for kind in ("purpose", "meaning")}
    new = gated(services=["google-analytics", "naver-analytics", "meta-pixel"])
    for answer in ({"stay": "yes"}, {"action": "accept_all"}, {"action": "save"}):
        visitor = Visitor(new)
        visitor.post({**form, **answer}, SAME_ORIGIN)
        assert visitor.granted() == {"necessary"}, answer
        assert visitor.get().asks, "and is asked again"
    visitor = Visitor(old.app)
    visitor.post({**form, "stay": "yes"}, SAME_ORIGIN)
    assert visitor.granted() == {"necessary", "analytics"}
    visitor.app = new
    visitor.post({**form, "purpose": [], "action": "save", "service.naver-analytics": "allow"}, SAME_ORIGIN)
    assert visitor.granted() == {"necessary"}
    visitor.post({**form, "stay": "no"}, SAME_ORIGIN)
    assert not visitor.get().asks, "a no always counts"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"stay": "yes", "action": "reject_all"}, 204),
        ({"action": ["accept_all", "withdraw"]}, 303),
        ({"action": ["accept_all", "save"], "purpose": "analytics"}, 400),
        ({"stay": ["maybe"], "action": "accept_all"}, 400),
    ],
)
def test_a_form_that_contradicts_itself_grants_nothing(form: dict[str, str | list[str]], status: int) -> None:
    visitor = Visitor(gated())
    assert visitor.post(form, SAME_ORIGIN).status == status
    assert visitor.granted() == {"necessary"}


def test_an_old_page_that_stays_loses_nothing_though_its_yes_does_not_count() -> None:
    reply = Visitor(gated()).post({"stay": "yes", "meaning": "what-it-meant"}, SAME_ORIGIN)
    assert (reply.status, reply.body) == (204, b"")
    assert "set-cookie" not in dict(reply.headers)
    reply = Visitor(gated()).post({"action": "accept_all", "meaning": "what-it-meant"}, SAME_ORIGIN)
    assert reply.status == 400
    assert "Nothing was chosen" in reply.text


def test_a_yes_to_purposes_that_do_not_exist_is_no_yes_to_all() -> None:
    visitor = Visitor(gated())
    assert visitor.post({"action": "accept_all", "purpose": "everything"}, SAME_ORIGIN).status == 400
    assert visitor.granted() == {"necessary"}


def test_an_answer_that_stays_and_narrows_forgets_the_pages_that_were_granted() -> None:
    visitor = Visitor(gated())
    visitor.choose("accept_all")
    assert visitor.post({"stay": "no"}, SAME_ORIGIN).header("clear-site-data") == '"cache"'


@pytest.mark.parametrize(
    ("method", "page", "link"),
    [
        ("GET", PAGE, 'href="/tea?a=1&amp;b=2"'),
        ("GET", '<!doctype html><base href="https://cdn.example/"><body>', 'href="//shop.test/tea?a=1&amp;b=2"'),
        ("POST", PAGE, ""),
    ],
    ids=["plain", "based", "an answer to a form"],
)
def test_the_page_can_be_loaded_again_unless_that_would_send_a_form_again(method: str, page: str, link: str) -> None:
    headers: dict[str, str] = SAME_ORIGIN
    said = banner_of(Visitor(gated(Answer(page))).send(method, "/tea?a=1&b=2", headers))
    assert ("Load this page again now" in said) == bool(link)
    assert link in said


def test_the_standing_link_is_all_that_changes_and_stands_in_no_fragment_frame_or_fetch() -> None:
    page = "<!doctype html><html><body><h1>Tea</h1><script>w('</body>')</script></body></html>\n"
    link = re.escape('<nav class="privacy-standing" lang="en" dir="ltr" aria-label="Cookie settings">')
    granted = ["preferences", "analytics", "marketing"]
    visitor = visit(Answer(page[:40], page[40:]), give=granted, standing_link="append")
    written = visitor.get().text
    assert re.fullmatch(re.escape(page) + link + r"<a href=\"//shop.test/_privacy/\".*</a></nav>", written)
    assert "Sec-Fetch-Dest" in visitor.get().header("vary")
    for headers in ({"sec-fetch-dest": "iframe"}, {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}):
        assert visitor.get(headers=headers).text == page
    for fragment in ("<p>x</p>", "", "<!doctype html><body><textarea>", "<!doctype html><body><!-- "):
        assert visit(Answer(fragment), give=granted, standing_link="append").get().text == fragment
    assert visit(Answer(page), give=granted).get().text == page, "off unless the site asks for it"


def test_every_rule_of_the_theme_can_be_overruled_by_the_site() -> None:
    style = assets()[stylesheet()].decode()
    for block in re.findall(r"([^{}]*)\{[^{}]*--privacy-[a-z]+:", style):
        assert ":where(" in block, "zero specificity: a site's own rule wins"


def test_the_theme_and_the_hooks_that_the_docs_name_are_those_that_exist() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "notice.md").read_text("utf-8")
    style = assets()[stylesheet()].decode()
    properties = set(re.findall(r"^\| `(--privacy-[a-z-]+)` \|", documented, re.MULTILINE))
    assert properties == set(re.findall(r"(--privacy-[a-z-]+):", style))
    question = parsed(asked().encode())
    (form,) = [form for form in question.iter("form") if form.get("action", "").endswith("/choices")]
    pressed = [(button.get("name"), button.get("value")) for button in form.iter("button")]
    assert pressed == [("action", "accept_all"), ("action", "reject_all"), ("stay", "yes"), ("stay", "no")]
    for _, value in pressed:
        assert value in documented


def test_robots_and_people_get_the_same_bytes() -> None:
    visitor = Visitor(gated(Answer(PAGE)))
    agents = (
        "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
        "Googlebot/2.1 (+http://www.google.com/bot.html)",
        None,
    )
    assert len({visitor.get(headers={"user-agent": agent}).body for agent in agents}) == 1


def test_text_stands_out_from_its_ground_in_both_themes() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    style = assets()[stylesheet()].decode()
    themes = [dict(re.findall(r"--privacy-([a-z-]+):#([0-9a-f]{3,6})\b", block)) for block in style.split("@media")[:2]]
    assert all(len(theme) == 6 for theme in themes)
    for theme in themes:
        for text, ground in (("text", "ground"), ("soft", "ground"), ("accent", "ground"), ("on-accent", "accent")):
            assert _contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme)


def test_what_has_the_focus_has_a_ring_in_the_colour_of_text() -> None:
    """WCAG 2.2, 1.4.11: not the button's own text colour, which on the ground around the button nobody sees."""
    outlines = re.findall(r":focus-visible\{outline:([^;]*);", assets()[stylesheet()].decode())
    assert outlines == ["3px solid var(--privacy-text)"]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
