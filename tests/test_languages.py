"""Every sentence of ours stands in every language, whole; each visitor reads the nearest one."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel import Locale
from babel.messages.pofile import read_po

import cookiegate
from cookiegate.languages import SOURCE_LANGUAGE, direction, languages, negotiate, speech, translations
from cookiegate.pages import sentences

if TYPE_CHECKING:
    from babel.messages import Catalog

EUROPEAN_UNION = frozenset("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split())  # noqa: SIM905
BEYOND = {"ar", "he", "id", "ja", "ko", "pt-PT", "th", "tr", "uk", "vi", "zh-Hans", "zh-Hant"}  # "pt" is Brazil's
TRANSLATED = tuple(language for language in languages() if language != SOURCE_LANGUAGE)
in_each = pytest.mark.parametrize("language", TRANSLATED)


def catalogue_of(language: str) -> Catalog:
    file = Path(cookiegate.__file__).parent / "locale" / f"{language}.po"
    return read_po(BytesIO(file.read_bytes()), abort_invalid=True)


def placeholders(sentence: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|\{\w+\}|%", sentence))


def test_the_languages_of_the_european_union_are_there_and_twelve_more() -> None:
    assert set(languages()) == EUROPEAN_UNION | BEYOND


@in_each
def test_no_catalogue_lacks_a_sentence_or_holds_one_that_nobody_says(language: str) -> None:
    messages = [message for message in catalogue_of(language) if message.id]

    assert {str(message.id) for message in messages} == sentences()
    assert [message.id for message in messages if not message.string or message.fuzzy] == []


@in_each
def test_every_placeholder_stands_in_its_translation(language: str) -> None:
    for sentence, translated in translations(language).items():
        assert placeholders(translated) == placeholders(sentence), translated
        assert "<" not in translated


@in_each
def test_a_catalogue_names_its_own_language(language: str) -> None:
    said = (Path(cookiegate.__file__).parent / "locale" / f"{language}.po").read_text("utf-8")

    assert f'"Language: {language}\\n"' in said
    assert Locale.parse(language, sep="-").text_direction == direction(language)


@pytest.mark.parametrize("language", languages())
def test_yes_and_no_are_of_like_length(language: str) -> None:
    known = translations(language)
    yes, no = (len(known.get(label, label)) for label in ("Accept all", "Reject all"))

    assert max(yes, no) <= 1.5 * min(yes, no)


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("de", "de"), ("de-AT", "de"), ("pt-BR", "pt"), ("pt-PT", "pt-PT"), ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"), ("zh-Hant-HK", "zh-Hant"), ("tlh", "en"), ("no such tag", "en"),
    ],
)  # fmt: skip
def test_a_site_speaks_the_nearest_of_our_languages(language: str, spoken: str) -> None:
    assert speech(language) == spoken


@pytest.mark.parametrize(
    ("accepted", "offered", "read"),
    [
        ("zh-HK, en;q=0.5", ("zh-CN", "zh-TW"), "zh-TW"),
        ("zh-Hant-TW", ("en", "zh-Hans", "zh-Hant"), "zh-Hant"),
        ("zh", ("zh-Hant", "zh-Hans"), "zh-Hans"),
        ("de-CH, fr;q=0.9", ("fr", "de"), "de"),
        ("fr;q=0, de;q=0.1", ("fr", "de"), "de"),
        ("tlh, *", ("ko", "en"), "ko"),
        ("\x00;;q=x,,,", ("ko", "en"), "ko"),
    ],
)
def test_a_visitor_reads_what_the_browser_likes_best(accepted: str, offered: tuple[str, ...], read: str) -> None:
    assert negotiate(accepted, offered) == read
