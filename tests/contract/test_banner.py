"""Where, when and how the question stands in a page of the app."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from .world import NAVIGATE, PAGE, SAME_ORIGIN, Answer, Reply, Visitor, gated, parsed

Headers = dict[str, str | bytes | None]


def _ask(
    page: str, headers: Headers | None = None, *app_headers: tuple[str, str], method: str = "GET", **more: Any
) -> Reply:
    visitor = Visitor(gated(Answer(page, headers=app_headers)), **more)
    return visitor.send(method, f"{visitor.root_path}/", {**NAVIGATE, **(headers or {})})


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        pytest.param({"sec-fetch-dest": None, "sec-fetch-mode": None, "sec-fetch-site": None}, True, id="absent"),
        pytest.param({"sec-fetch-dest": "document"}, True, id="document"),
        pytest.param({"sec-fetch-dest": "empty"}, True, id="empty, navigate"),
        pytest.param({"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}, False, id="empty, cors"),
        pytest.param({"sec-fetch-dest": "empty", "sec-fetch-mode": None}, False, id="empty, no mode"),
        *(
            pytest.param({"sec-fetch-dest": dest}, False, id=dest)
            for dest in ("iframe", "frame", "embed", "object", "fencedframe", "script", "image", "nonsense", "")
        ),
        pytest.param({"sec-fetch-site": "cross-site"}, True, id="from elsewhere"),
    ],
)
def test_only_a_document_asks(headers: Headers, *, asked: bool) -> None:
    reply = _ask(PAGE, headers)
    assert reply.asks is asked
    assert b"googletagmanager" not in reply.body


@pytest.mark.parametrize(
    ("site", "asked"), [("cross-site", False), ("same-origin", True), (None, True)], ids=["cross-site", "own", "absent"]
)
def test_a_payments_return_does_not_ask(site: str | None, *, asked: bool) -> None:
    reply = _ask(PAGE, {"sec-fetch-site": site}, method="POST")
    assert reply.asks is asked


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("<!doctype html><p>x", True),
        ("<html><p>x", True),
        ("<body><p>x", True),
        ("<BODY CLASS=a><p>x", True),
        ("<p>x</p>", False),
        ("<li>x</li><li>y</li>", False),
        ("", False),
        ("just text", False),
        ("<turbo-stream action=append><template><p>x</p></template></turbo-stream>", False),
        ("<!-- <html><body> --><p>x</p>", False),
        ("<!doctype html><frameset cols=*><frame src=/a></frameset>", False),
    ],
)
def test_a_fragment_does_not_ask(page: str, *, asked: bool) -> None:
    reply = _ask(page)
    assert reply.asks is asked
    if not asked:
        assert reply.text == page


TRICKS = {
    "explicit": "<!doctype html><html><head><title>x</title></head><body class='a>b'><h1>Tea</h1></body></html>",
    "in capitals": "<!DOCTYPE HTML><HTML><BODY\nCLASS=A><h1>Tea</h1></BODY></HTML>",
    "implied by a heading": "<!doctype html><title>x</title><h1>Tea</h1>",
    "implied by text": "<!doctype html><title>x</title>tea <h1>Tea</h1>",
    "implied after head": "<!doctype html><html><head><title>x</title></head><h1>Tea</h1></html>",
    "implied, no head at all": "<html><h1>Tea</h1></html>",
    "after head elements": "<!doctype html><meta charset=utf-8><link rel=icon href=/i><style>p>b{}</style><h1>Tea</h1>",
    "body in a comment": "<!doctype html><!-- <body> --><head><title>x</title></head><body><h1>Tea</h1>",
    "body in a title": "<!doctype html><head><title><body></title></head><body><h1>Tea</h1>",
    "body in a script": "<!doctype html><head><script>w('<body>')</script></head><body><h1>Tea</h1>",
    "body in a style": "<!doctype html><head><style>/*<body>*/</style></head><body><h1>Tea</h1>",
    "body in an attribute": "<!doctype html><head><meta content='<body>'></head><body><h1>Tea</h1>",
    "body in a template": "<!doctype html><head><template><body><p>x</p></template></head><body><h1>Tea</h1>",
    "end in a comment": "<!doctype html><body><!-- </body> --><h1>Tea</h1></body>",
    "end in a script": "<!doctype html><body><script>w('</body>')</script><h1>Tea</h1></body>",
    "two bodies": "<!doctype html><body><h1>Tea</h1><body class=b><p>x</p></body></body>",
    "a framed document": "<!doctype html><body><h1>Tea</h1><iframe srcdoc='<html><body>x'></iframe>",
    "byte order mark": "\ufeff<!doctype html><html><body><h1>Tea</h1>",
    "noscript in head": "<!doctype html><head><noscript><link rel=icon href=/a></noscript></head><body><h1>Tea</h1>",
}


@pytest.mark.parametrize("page", TRICKS.values(), ids=TRICKS)
def test_the_question_stands_once_and_first_in_the_body(page: str) -> None:
    reply = _ask(page)
    assert reply.text.count('value="accept_all"') == 1
    start = re.search(r"<(?:link|section|aside|div)\b[^>]*privacy", reply.text)
    assert start
    end = reply.text.rindex("</section>") + len("</section>")
    assert reply.text[: start.start()] + reply.text[end:].lstrip("\n") == page
    if "<template" in page:
        return  # the oracle knows no templates
    body = parsed(reply.body).find("body")
    ours = [child for child in body if "privacy" in str(sorted(child.attrib.items()))]
    assert ours
    assert list(body)[: len(ours)] == ours
    assert not list(parsed(reply.body).find("head").iter("section"))


def test_yes_and_no_have_the_same_weight() -> None:
    buttons = re.findall(r"<button([^>]*)>", _ask(PAGE).text)
    shape = {
        re.sub(r'value="\w+"', "", button) for button in buttons if "accept_all" in button or "reject_all" in button
    }
    assert len(buttons) >= 2
    assert len(shape) == 1


def test_the_form_stays_with_us_whatever_frameworks_the_page_uses() -> None:
    forms = re.findall(r"<form[^>]*>", _ask(PAGE).text)
    assert forms
    for form in forms:
        assert all(
            said in form for said in ('target="_self"', 'data-turbo="false"', 'hx-boost="false"', 'method="post"')
        )


CSP = "content-security-policy"


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        pytest.param([(CSP, "form-action 'none'")], False, id="none"),
        pytest.param([(CSP, "default-src 'self'; FORM-ACTION https://pay.example")], False, id="another host"),
        pytest.param([(CSP, "sandbox allow-scripts")], False, id="sandbox"),
        pytest.param([(CSP, "default-src 'self'"), (CSP, "form-action 'none'")], False, id="second line"),
        pytest.param([(CSP, "default-src 'self', form-action 'none'")], False, id="joined by a comma"),
        pytest.param([(CSP, "form-action")], False, id="empty list"),
        pytest.param([(CSP, "form-action 'self'")], True, id="self"),
        pytest.param([(CSP, "default-src 'none'")], True, id="default-src says nothing about forms"),
        pytest.param([(CSP + "-report-only", "form-action 'none'")], True, id="report only"),
    ],
)
def test_where_the_pages_policy_forbids_forms_there_are_links(lines: list[tuple[str, str]], *, form: bool) -> None:
    reply = _ask(PAGE, None, *lines)
    assert ("<form" in reply.text) is form
    assert reply.asks
    assert [value for name, value in reply.headers if name.startswith(CSP)] == [value for _, value in lines]
    if not form:
        assert re.search(r'<a [^>]*href="/_privacy/', reply.text)


def _ours(text: str) -> list[str]:
    return re.findall(r'(?:href|action|src)="([^"]*_privacy[^"]*)"', text)


def test_under_a_base_our_addresses_name_our_host() -> None:
    page = "<!doctype html><html><head><base href='https://other.example/x/' target=_blank></head><body><h1>Tea</h1>"
    reply = _ask(page)
    assert _ours(reply.text)
    assert all(url.startswith("//shop.test/_privacy/") for url in _ours(reply.text))
    assert all('target="_self"' in tag for tag in re.findall(r"<(?:form|a)\b[^>]*_privacy[^>]*>", reply.text))


def test_every_address_of_ours_starts_with_the_root_path() -> None:
    reply = _ask(PAGE, None, root_path="/tea")
    assert _ours(reply.text)
    assert all(url.startswith("/tea/_privacy/") for url in _ours(reply.text))
    visitor = Visitor(gated(Answer()), root_path="/tea")
    choices = visitor.get("/tea/_privacy/")
    assert choices.status == 200
    assert all(url.startswith("/tea/_privacy/") for url in _ours(choices.text))
    for url in _ours(choices.text):
        if url.endswith(".css"):
            assert visitor.get(url).status == 200


def test_the_question_returns_to_its_page() -> None:
    visitor = Visitor(gated(Answer()))
    page = visitor.get("/tea/green?size=1&x=%22%3E")
    found = re.search(r'name="return_to" value="([^"]*)"', page.text)
    assert found
    assert found[1].replace("&amp;", "&") == "/tea/green?size=1&x=%22%3E"


@pytest.mark.parametrize("path", ['/"><script>alert(1)</script>', "/a'b", "//evil.example", "/%0d%0aX:y", "/\u00e9"])
def test_a_hostile_address_does_not_reach_the_page(path: str) -> None:
    page = Visitor(gated(Answer())).get(path).text
    assert "<script>alert" not in page
    assert not re.search(r'name="return_to" value="//', page)


def test_nothing_of_ours_needs_javascript() -> None:
    bare = "<!doctype html><html><body></body></html>"
    visitor = Visitor(gated(Answer(bare), languages=["en", "ko"]))
    for language in ("en", "ko"):
        for path in ("/", "/_privacy/", "/_privacy/browsers", "/_privacy/nothing"):
            text = visitor.get(path, {"accept-language": language, "user-agent": "Mozilla/5.0 Firefox/130.0"}).text
            assert not re.search(r"<script|\son[a-z]+\s*=|javascript:", text, re.IGNORECASE)


def test_the_question_comes_in_the_visitors_language() -> None:
    visitor = Visitor(gated(languages=["en", "ko"]))
    assert "모두 거부" in html.unescape(visitor.get("/", {"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"}).text)
    assert "Reject all" in html.unescape(visitor.get("/", {"accept-language": "en-GB"}).text)
    assert "Reject all" in html.unescape(visitor.get("/", {"accept-language": "fr"}).text)
    assert "Reject all" in html.unescape(visitor.get("/", {"accept-language": "\xff;;q=x,,,"}).text)


def test_a_form_posted_from_the_page_as_it_stands_is_a_choice() -> None:
    visitor = Visitor(gated(Answer()))
    page = visitor.get("/tea").text
    action = re.search(r'<form[^>]*action="([^"]+)"', page)
    assert action
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    reply = visitor.post({**fields, "action": "reject_all"}, SAME_ORIGIN, path=action[1])
    assert (reply.status, reply.all("location")) == (303, ["/tea"])
    assert not visitor.get("/tea").asks
