"""What a site puts in place of ours is shown where it fits, and refused at start where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cookiegate import Config, ConfigError, Site
from cookiegate.cli.check import check
from cookiegate.languages import translations
from cookiegate.pages import sentences
from tests.contract.world import PAGE, Answer, Visitor, gated

if TYPE_CHECKING:
    from pathlib import Path

PERIOD = "Your choice for %(period)s; the companies' cookies for as long as the details say."
BROWSER = "This looks like {browser}."


def refusal(**site: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        gated(**site)
    return str(refused.value)


def test_a_sites_own_sentence_stands_in_its_language_everywhere() -> None:
    texts = {"en": {"Accept all": "All right", "Cookie settings": "Your <cookies>"}, "ko": {"Reject all": "전부 거절"}}
    visitor = Visitor(gated(Answer(PAGE), languages=["en", "ko"], texts=texts, standing_link="append"))
    english = visitor.get().text
    assert ">All right</button>" in english
    assert "Your &lt;cookies&gt;</a>" in english
    assert "Accept all" not in english + visitor.get("/_privacy/").text
    korean = visitor.get("/_privacy/", {"accept-language": "ko"}).text
    assert "전부 거절" in korean
    assert "모두 허용" in korean


@pytest.mark.parametrize(
    ("ours", "own", "says"),
    [
        ("Acept all", "Yes", "we say no such sentence. Did you mean 'Accept all'?"),
        ("accept all", "Yes", "Did you mean 'Accept all'?"),
        ("Accept all", " ", "write a sentence"),
        (PERIOD, "For ever", "it must hold %(period)s, spelled so"),
        (PERIOD, "For %(periode)s", "it must hold %(period)s"),
        (PERIOD, "100% for %(period)s", "a percent sign as %%"),
        (BROWSER, "{browser} {version}", "it must hold {browser}"),
        (BROWSER, "{browser} {", "it must hold {browser}"),
        ("Cookie settings", "%(name)s", "it must hold no placeholder"),
    ],
)
def test_a_sentence_that_does_not_fit_is_refused_with_the_nearest_that_does(ours: str, own: str, says: str) -> None:
    said = refusal(texts={"en": {ours: own}})
    assert said.startswith("Site 'Shop': texts.en ")
    assert says in said


@pytest.mark.parametrize(
    "texts",
    [
        {"en": {PERIOD: "%(period)s, 100 %%."}},
        {"en": {"Reject all": "Refuse all 100%"}},
        {"en": {BROWSER: "{browser}?"}},
        {"en": {"Accept all": "Yes to everything", "Reject all": "No to everything"}},
    ],
)
def test_a_sentence_that_fits_is_taken(texts: dict[str, dict[str, str]]) -> None:
    assert Visitor(gated(texts=texts)).get().asks


def test_yes_and_no_of_unlike_length_are_refused() -> None:
    for own in ({"Accept all": "Yes"}, {"Reject all": "No, I would rather not have any of it"}):
        assert "make them of like length" in refusal(texts={"en": own})


def test_a_language_that_the_site_does_not_have_is_refused() -> None:
    said = refusal(languages=["ko", "en-GB"], texts={"en_GB": {"Accept all": "All right"}})
    assert "texts.en_GB: the site has no such language. Did you mean 'en-GB'? Use: ko, en-GB." in said


def test_all_our_sentences_may_be_replaced() -> None:
    assert translations("ko").keys() - sentences() == set()
    gated(
        languages=["ko"], texts={"ko": {ours: own for ours, own in translations("ko").items() if ours in sentences()}}
    )


def test_a_sites_own_template_stands_in_place_of_ours_and_may_extend_it(tmp_path: Path) -> None:
    (tmp_path / "standing.html").write_text('<p id="mine">{{ _("Cookie settings") }}</p>')
    (tmp_path / "missing.html").write_text(
        '{% extends "cookiegate/missing.html" %}{% block content %}{{ super() }}<p>And a map.</p>{% endblock %}'
    )
    visitor = Visitor(gated(Answer(PAGE), templates=tmp_path, standing_link="append"))
    assert '<p id="mine">Cookie settings</p>' in visitor.get().text
    missing = visitor.get("/_privacy/nowhere").text
    assert "And a map." in missing
    assert "Open the choices page" in missing


def test_a_sentence_outside_of_a_languages_table_is_refused() -> None:
    assert "texts.Accept all = 'Yes': must be a table, not a single value." in refusal(texts={"Accept all": "Yes"})


def test_a_page_of_other_templates_is_another_variant(tmp_path: Path) -> None:
    variants = set()
    for look in ("A", "B"):
        (tmp_path / "placeholder.html").write_text(look)
        visitor = Visitor(gated(Answer(PAGE), templates=tmp_path, shared_cache="by-variant"))
        variants.add(visitor.get("/_privacy/variant").header("privacy-variant"))
    assert len(variants) == 2


def test_what_a_page_says_never_calls_for_what_we_fill_in() -> None:
    frame = '<iframe src="https://www.youtube.com/embed/&#x10FFF1;"></iframe>'
    page = Visitor(gated(Answer(f"<!doctype html><body>{frame}"))).get("/tea?token=secret").text
    assert "youtube.com/embed/&#1114097;" in page
    assert "embed//tea" not in page


def test_a_template_that_fails_when_it_is_shown_leaves_the_visitor_with_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "banner.html").write_text("{{ no_such_thing }}")
    assert Visitor(gated(Answer(PAGE), templates=tmp_path)).get().asks
    assert "ours stands in its place" in caplog.text


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("baner.html", "x", "'baner.html', which nothing would show. Did you mean 'banner.html'?"),
        ("banner.html", "{% if %}", "banner.html, line 1:"),
    ],
)
def test_a_template_that_cannot_be_shown_is_refused(tmp_path: Path, name: str, source: str, says: str) -> None:
    (tmp_path / name).write_text(source)
    assert says in refusal(templates=tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "there is no folder" in refusal(templates=tmp_path / "none")


def test_a_folder_is_found_beside_the_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "standing.html").write_text("mine")
    file = tmp_path / "cookiegate.toml"
    file.write_text(
        'secret_keys = ["a-key-of-at-least-thirty-two-bytes-in-all"]\n[[sites]]\nname = "Shop"\n'
        'unknown = "withhold"\ntemplates = "words"\n[sites.texts.en]\n"Accept all" = "All right"\n'
    )
    site = Config.load(file).sites[0]
    assert site.templates == tmp_path / "words"
    assert site.texts == {"en": {"Accept all": "All right"}}


def test_our_own_pages_load_the_sites_stylesheet_after_ours_and_from_nowhere_else() -> None:
    page = Visitor(gated(stylesheet="/static/brand.css")).get("/_privacy/").text
    assert page.index("/_privacy/assets/") < page.index('<link rel="stylesheet" href="/static/brand.css">')
    for elsewhere in ("//cdn.example/x.css", "https://cdn.example/x.css", "brand.css", "/a b.css"):
        with pytest.raises(ConfigError, match="write a path on the site itself"):
            Site("Shop", unknown="withhold", stylesheet=elsewhere)


def test_words_and_looks_ask_nobody_again() -> None:
    plain = Site("Shop", services=["google-analytics"], unknown="withhold")
    dressed = Site(
        "Shop", services=["google-analytics"], unknown="withhold", banner="card", standing_link="append",
        stylesheet="/x.css", texts={"en": {"Accept all": "All right"}},
    )  # fmt: skip
    assert plain.fingerprints == dressed.fingerprints


def test_check_says_what_is_left_to_the_site(tmp_path: Path) -> None:
    (tmp_path / "banner.html").write_text("mine")
    file = tmp_path / "cookiegate.toml"
    file.write_text(
        'secret_keys = ["a-key-of-at-least-thirty-two-bytes-in-all"]\n[[sites]]\nname = "Shop"\n'
        'unknown = "withhold"\ntemplates = "."\n'
    )
    said = [finding.sentence for finding in check(file)]
    assert any("banner.html stand in place of ours" in text for text in said)
    assert any("link to the choices page from every page" in text for text in said)
    file.write_text(file.read_text() + '[sites.texts.en]\n"Acept all" = "Yes"\n')
    assert [finding.sentence for finding in check(file) if finding.level == "error"] == [
        "Site 'Shop': texts.en 'Acept all': we say no such sentence. Did you mean 'Accept all'? "
        "The left side is our English, to the letter."
    ]
