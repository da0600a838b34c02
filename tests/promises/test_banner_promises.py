"""What issue 7 promises of the question: small, calm, equal, without a script, in every language and position."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cookiegate
from tests.contract.world import (
    META,
    PAGE,
    SAME_ORIGIN,
    STRANGER,
    Answer,
    Visitor,
    drive,
    gated,
    http_scope,
    parsed,
)
from tests.promises.reading import RIGHT_TO_LEFT, SERVICES, SPOKEN, Tags, pieces, question, said, styles

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

POSITIONS = ("bar", "card", "top")
FRAME = '<iframe src="https://www.youtube.com/embed/x" width="300" height="200"></iframe>'
HANDLER = re.compile(r"^on|^style$|^srcdoc$")
FETCHING = ("src", "srcset", "action", "formaction", "data", "poster", "background", "ping", "manifest", "cite")


def speaking(language: str) -> dict[str, str | bytes | None]:
    return {"accept-language": language}


def everywhere(**site: Any) -> Visitor:
    options = {"languages": SPOKEN, "services": SERVICES, "standing_link": "append", **site}
    return Visitor(gated(Answer(PAGE.replace("<h1>", f"{FRAME}<h1>")), **options))


def test_question_and_style_weigh_five_kilobytes_at_most_in_every_language_and_position() -> None:
    heavy = {}
    for position in POSITIONS:
        visitor = everywhere(banner=position)
        for language in SPOKEN:
            asked = question(visitor.get(headers=speaking(language)).text)
            (address,) = styles(asked)
            style = visitor.get(address).body
            weight = len(gzip.compress(asked.encode(), 6)) + len(gzip.compress(style, 6))
            if weight > 5 * 1024:
                heavy[position, language] = weight
    assert heavy == {}


def test_no_page_of_ours_in_any_language_holds_a_script_an_inline_style_or_an_address_of_others() -> None:
    visitor, wrong = everywhere(), []
    for language in SPOKEN:
        paths = ["/_privacy/", "/_privacy/nothing", "/_privacy/receipt.json"]
        if language in {"en", "ko", "ar", "fr", "zh-Hant"}:
            paths.append("/_privacy/browsers")  # long, and the same template for all
        pages = [visitor.get(path, speaking(language)).text for path in paths]
        forged = {**SAME_ORIGIN, "sec-fetch-site": "cross-site", "accept-language": language}
        pages.append(visitor.post({"action": "accept_all"}, forged).text)
        pages.append(visitor.get(headers=speaking(language)).text)
        assert "privacy-placeholder" in pages[-1]
        assert "privacy-standing" in pages[-1]
        for page in pages:
            wrong += [(language, tag, name, value) for tag, name, value in doubtful(page)]
    assert wrong == []


def doubtful(page: str) -> list[tuple[str, str, str]]:
    """What would run, style inline, or be fetched from somebody else; a link that is pressed is none of these."""
    found = []
    for tag, attributes in Tags(page).found:
        if tag in {"script", "style", "object", "embed", "iframe", "template"}:
            found.append((tag, "", ""))
        for name, value in attributes.items():
            fetched = name in FETCHING or (name == "href" and tag != "a")
            elsewhere = fetched and not re.match(r"/[^/]|(https:)?//shop\.test/|$", value)
            if HANDLER.search(name) or elsewhere or value.lower().startswith(("javascript:", "data:")):
                found.append((tag, name, value))
    return found


def test_our_styles_fetch_nothing_and_are_kept_for_good() -> None:
    visitor = everywhere()
    for page in (visitor.get(), visitor.get("/_privacy/"), visitor.get("/_privacy/browsers")):
        for address in styles(page.text):
            reply = visitor.get(address)
            assert reply.status == 200
            assert not re.search(r"@import|url\(|expression|overflow-?[xy]?:\s*clip", reply.text)
            assert not re.search(r"\b(html|body)\b[^{}]*\{[^{}]*overflow", reply.text), "no scroll lock"
            assert "immutable" in reply.header("cache-control")


def test_the_package_ships_no_javascript_for_visitors() -> None:
    package = Path(cookiegate.__file__).parent
    ours = [file for file in package.rglob("*") if not {"demo", "__pycache__"} & set(file.parts)]
    assert [file.name for file in ours if file.suffix in {".js", ".mjs", ".ts", ".wasm"}] == []
    assert [file.name for file in ours if file.suffix == ".html" and "<script" in file.read_text("utf-8").lower()] == []


@pytest.mark.parametrize(
    "policy", ["style-src 'self'", "default-src 'none'; style-src 'self'", "default-src 'self'; form-action 'self'"]
)
def test_the_question_stands_whole_under_the_apps_policy(policy: str) -> None:
    plain = question(Visitor(gated(Answer(PAGE))).get().text)
    reply = Visitor(gated(Answer(PAGE, headers=[("content-security-policy", policy)]))).get()
    assert question(reply.text) == plain
    assert reply.header("content-security-policy") == policy


def test_purpose_data_period_and_refusal_stand_beside_the_buttons_in_every_language() -> None:
    """PIPA 15(2): four things to tell, here as four pairs in the section that holds yes and no."""
    visitor, english = everywhere(), set()
    for language in SPOKEN:
        asked = question(visitor.get(headers=speaking(language)).text)
        told = re.findall(r"<div>\s*<dt>.*?</div>", asked, re.DOTALL)
        assert len(told) == 4, language
        names, lines = pieces("".join(told), "dt"), [said(each.partition("</dt>")[2]) for each in told]
        assert all(len(line) > 5 for line in [*names[:1], *lines]), (language, names, lines)
        assert asked.index("<dl>") < asked.index("<form"), "read before the answer"
        for who in ("Google Analytics", "Meta Pixel", "YouTube"):
            assert re.search(rf"{who}[^(（;]*[(（][^)）]+[)）]", lines[0]), (
                language,
                "who receives it, and where",
                lines[0],
            )
        if language == "en":
            english = {*names, *lines[1:]}
    for language in set(SPOKEN) - {"en"}:
        asked = question(visitor.get(headers=speaking(language)).text)
        assert not english & {*pieces(asked, "dt"), *pieces(asked, "dd")}, language


def test_what_is_necessary_and_why_and_what_refusing_costs_is_said() -> None:
    asked = said(question(everywhere().get(headers=speaking("en")).text))
    for words in ("necessary", "makes this site work", "keeps your choice", "You may refuse", "change your choice"):
        assert words in asked


def test_yes_and_no_are_the_same_element_and_class_in_one_place_in_every_language() -> None:
    for position in POSITIONS:
        visitor = everywhere(banner=position)
        for language in SPOKEN:
            asked = question(visitor.get(headers=speaking(language)).text)
            buttons = re.findall(r"<button\b[^>]*>.*?</button>", asked, re.DOTALL)
            bare = [re.sub(r' (name|value)="[^"]*"', "", button).partition(">")[0] for button in buttons]
            assert len(set(bare)) == 1, "nothing tells a yes from a no but what it sends"
            yes, no = (said(button) for button in buttons[:2])
            assert [said(button) for button in buttons[2:]] == [yes, no], "the pair that stays says the same"
            assert yes != no
            assert max(len(yes), len(no)) <= 1.6 * min(len(yes), len(no)), (language, yes, no)


def test_our_part_speaks_its_own_language_and_direction_inside_the_apps_page() -> None:
    visitor = everywhere()
    for language in SPOKEN:
        page = visitor.get(headers=speaking(language)).text
        direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
        parts = re.findall(r"<(?:section|nav|span)\b[^>]* lang=\"([^\"]+)\" dir=\"(ltr|rtl)\"", page)
        assert parts == [(language, direction)] * 3, "question, placeholder, standing link"


def test_the_question_is_the_first_that_is_read_and_a_yes_the_first_that_tab_reaches() -> None:
    for position in POSITIONS:
        reply = everywhere(banner=position).get()
        body = parsed(reply.body).find("body")
        first = [child for child in body if isinstance(child.tag, str)][:2]
        assert [child.tag for child in first] == ["link", "section"]
        reached = [
            element.get("value")
            for element in body.iter()
            if element.tag in {"a", "button", "input", "select", "iframe"} and element.get("type") != "hidden"
        ]
        assert reached[:2] == ["accept_all", "reject_all"]
        assert not re.search(r"tabindex=\"[1-9]|autofocus|aria-modal|role=\"(alert)?dialog\"", reply.text)


def test_the_question_leaves_with_the_first_bytes_of_the_page() -> None:
    """No later paint: the banner is there before the app says its second piece."""
    sent: list[Message] = []
    there: list[bool] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": b"<!doctype html><body><h1>Tea</h1>", "more_body": True})
        there.append(b'value="reject_all"' in b"".join(message.get("body", b"") for message in sent))
        await send({"type": "http.response.body", "body": b"<p>later</p>"})

    drive(gated(slow), http_scope(), sent=sent)
    assert there == [True]


def test_the_page_behind_the_question_is_whole_and_no_wall() -> None:
    app = PAGE.replace(META, STRANGER)
    reply = Visitor(gated(Answer(app))).get()
    rest = reply.text.replace(question(reply.text), "")
    assert "<h1>Tea</h1>" in rest
    assert re.sub(r"<!--privacy:[\w-]*-->|\s", "", rest) == re.sub(r"<script.*?</script>|\s", "", app)


def test_robots_and_people_get_the_same_question_and_the_same_choices() -> None:
    visitor = everywhere()
    agents = ("Googlebot/2.1", "AhrefsBot/7.0", "curl/8.5.0", "Mozilla/5.0 Firefox/140.0", "", None)
    for path in ("/", "/_privacy/"):
        assert len({visitor.get(path, {"user-agent": agent}).body for agent in agents}) == 1


def test_no_name_of_ours_is_one_that_content_blockers_hide() -> None:
    asked = question(everywhere().get().text)
    names = [
        value
        for _, attributes in Tags(asked).found
        for name, value in attributes.items()
        if name in {"class", "id", "href", "action", "aria-labelledby"}
    ]
    assert names
    assert [name for name in names if re.search(r"cookie|consent|gdpr|ccpa|cmp\b|\bad[s-]|popup|modal", name)] == []
