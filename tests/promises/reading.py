"""How the tests of the question read a page: by no parser of ours, and in languages spelled out here."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.world import Reply, Visitor

EUROPEAN_UNION: Final = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()  # noqa: SIM905
BEYOND: Final = ["ko", "ja", "zh-Hans", "zh-Hant", "vi", "th", "id", "ar", "he", "tr", "uk"]
SPOKEN: Final = [*EUROPEAN_UNION, *BEYOND]
RIGHT_TO_LEFT: Final = {"ar", "he"}
SERVICES: Final = [
    "google-analytics", "google-tag-manager", "meta-pixel", "naver-analytics", "kakao-pixel", "kakao-maps", "youtube",
]  # fmt: skip


class Tags(HTMLParser):
    """All start tags of a page in the order of its source, and the text that follows each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def of(self, *names: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag in names]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def question(page: str) -> str:
    """The banner of a page of the app: its stylesheet's link and its section."""
    found = re.search(r'<link rel="stylesheet" [^>]*>\s*<section class="privacy-banner.*?</section>', page, re.DOTALL)
    assert found, "the page asks"
    return found[0]


def said(markup: str) -> str:
    """The words of a piece of markup, as they are read."""
    return Tags(markup).words


def pieces(markup: str, tag: str) -> list[str]:
    """The words of each *tag* that holds none of its kind."""
    return [said(inner) for inner in re.findall(rf"<{tag}(?:\s[^>]*)?>(.*?)</{tag}>", markup, re.DOTALL)]


def styles(markup: str) -> list[str]:
    return [link["href"] for link in Tags(markup).of("link") if link.get("rel") == "stylesheet"]


def forms(page: str) -> Iterator[tuple[dict[str, list[str]], list[dict[str, str]]]]:
    """Each form of a page: what a browser would send without a button, and its buttons."""
    for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        tags = Tags(form)
        fields: dict[str, list[str]] = {}
        for box in tags.of("input"):
            if box.get("name") and (box.get("type") != "checkbox" or "checked" in box):
                fields.setdefault(box["name"], []).append(box.get("value", "on"))
        for name, options in re.findall(r'<select name="([^"]+)">(.*?)</select>', form, re.DOTALL):
            values = Tags(options).of("option")
            picked = next((option for option in values if "selected" in option), values[0])
            fields[name] = [picked["value"]]
        yield fields, tags.of("button")


def press(visitor: Visitor, page: Reply, value: str, headers: dict[str, str], **changed: Any) -> Reply:
    """Press the button that sends *value*, in the form that holds it, with some fields changed."""
    for fields, buttons in forms(page.text):
        for button in buttons:
            if button.get("value") == value:
                return visitor.post({**fields, button["name"]: value, **changed}, headers)
    raise AssertionError(f"no button sends {value}")
