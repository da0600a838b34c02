"""data-privacy: what a site says about its own elements."""

from __future__ import annotations

import re

import pytest

from .world import GA, STRANGER, Answer, visit


def _page(markup: str) -> str:
    return f"<!doctype html><html><head><title>Tea</title></head><body><p>Tea</p>{markup}</body></html>"


def _tidy(text: str) -> str:
    """Where a mark stood a space may be left."""
    return re.sub(r" +(?=[ >])", "", text)


MARKED = {
    "own inline script": ("<script{}>count()</script>", "count()"),
    "own script": ('<script{} src="/own.js"></script>', "/own.js"),
    "own image": ('<img{} src="/pixel.gif">', "/pixel.gif"),
    "own frame": ('<iframe{} src="/map"></iframe>', "/map"),
    "own link": ('<link{} rel="preload" as="image" href="/x.png">', "/x.png"),
}
MARK = ' data-privacy="analytics"'


@pytest.mark.parametrize(("markup", "content"), MARKED.values(), ids=MARKED)
def test_a_marked_element_is_withheld_until_its_purpose_is_granted(markup: str, content: str) -> None:
    page = _page(markup.format(MARK))
    assert content not in visit(Answer(page)).get().text
    assert content not in visit(Answer(page), give=["marketing"]).get().text


@pytest.mark.parametrize(("markup", "content"), MARKED.values(), ids=MARKED)
def test_a_granted_mark_is_removed_on_the_way_out(markup: str, content: str) -> None:
    page = _page(markup.format(MARK))
    assert _tidy(visit(Answer(page), give=["analytics"]).get().text) == _page(markup.format(""))


@pytest.mark.parametrize("mark", ["data-privacy='analytics'", "data-privacy=analytics", "DATA-PRIVACY=analytics"])
def test_a_mark_may_be_written_in_every_way_of_html(mark: str) -> None:
    page = _page(f"<script {mark}>count()</script>")
    assert "count()" not in visit(Answer(page)).get().text
    granted = visit(Answer(page), give=["analytics"]).get().text
    assert "count()" in granted
    assert "privacy" not in granted.lower()


def test_a_necessary_mark_frees_an_unknown_host() -> None:
    page = _page(f'<script data-privacy="necessary" src="{STRANGER}"></script>')
    assert _tidy(visit(Answer(page)).get().text) == _page(f'<script src="{STRANGER}"></script>')


def test_a_necessary_mark_frees_own_inline_scripts() -> None:
    page = _page('<script data-privacy="necessary">fetch("https://cdn.stranger.example/tea")</script>')
    assert _tidy(visit(Answer(page)).get().text) == _page('<script>fetch("https://cdn.stranger.example/tea")</script>')


@pytest.mark.parametrize(
    ("markup", "content"),
    [
        pytest.param('<script data-privacy="necessary" src="{}"></script>', GA, id="script"),
        pytest.param(
            '<img data-privacy="necessary" src="https://www.facebook.com/tr?id=1">', "facebook.com", id="pixel"
        ),
        pytest.param("<script data-privacy='necessary'>fbq('init', '1')</script>", "fbq(", id="inline"),
    ],
)
def test_content_cannot_exempt_a_catalogue_service_from_the_gate(markup: str, content: str) -> None:
    page = _page(markup.format(GA))
    assert content not in visit(Answer(page)).get().text
    trusted = visit(Answer(page), marks="trusted").get().text
    assert content in trusted
    assert "data-privacy" not in trusted


def test_a_mark_for_one_purpose_does_not_free_a_service_of_another() -> None:
    page = _page(f'<script data-privacy="marketing" src="{GA}"></script>')
    assert GA not in visit(Answer(page), give=["marketing"]).get().text


def test_a_mark_with_a_purpose_that_nobody_knows_frees_nothing() -> None:
    page = _page(
        f'<script data-privacy="necesary" src="{STRANGER}"></script><script data-privacy="x" src="{GA}"></script>'
    )
    body = visit(Answer(page)).get().text
    assert STRANGER not in body
    assert GA not in body
