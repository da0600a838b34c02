"""What must hold for every page, however odd; `check` raises where it does not."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import html5lib
from ada_url import URL

from cookiegate.gate.loads import FOREIGN_LOADS, LOADS
from tests.gate.reading import HOME, gate, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.gate.places import Withheld

HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
SERVICE = "google-analytics.com"  # at this host a visitor who was not asked loads nothing
# What fetches without the visitor's act, whatever else the element says.
FETCHES = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "embed": "src",
    "audio": "src",
    "video": "poster",
    "object": "data",
}

Element = tuple[str, dict[bytes, bytes], str, bool]  # name, attributes, text, whether it is svg's


class LawBroken(AssertionError):
    """A law does not hold."""


def check(page: bytes) -> None:
    """Raise unless every law holds for *page*."""
    report: list[Withheld] = []
    gated = gate(page, report=report)  # and never raises
    for size in (1 if len(page) < 80 else 7, 3 + len(page) % 11):
        if gate(page, size=size) != gated:
            raise LawBroken(f"in chunks of {size} bytes another page leaves")
    if gate(gated) != gated:
        raise LawBroken("the gated page is gated again")
    if not report and gated != page and b"data-privacy" not in page.lower():
        raise LawBroken("bytes have changed, and nothing was withheld")
    for scripting in (True, False):
        for found in forbidden(gated, scripting=scripting):
            raise LawBroken(f"{found} leaves, for a browser with {scripting=}")


def forbidden(page: bytes, *, scripting: bool) -> Iterator[str]:
    """Yield what html5lib sees in *page* that may not leave: judged by our judge, and by a plain look at addresses."""
    asked = judge()
    base = HOME
    for name, attributes, text, foreign in elements(page, scripting=scripting):
        if name == "base" and base == HOME:
            with suppress(ValueError):
                base = URL(_text(attributes.get(b"href", b"")), HOME).href
        address = _text(attributes.get(FETCHES.get(name, "").encode(), b""))
        if not foreign and address and f".{_host(address, base)}".endswith(f".{SERVICE}"):
            yield f"<{name}> at {address}"
        if name.encode() in (FOREIGN_LOADS if foreign else LOADS) and asked.element(
            name.encode(), attributes, foreign=foreign
        ):
            yield f"<{name} {attributes}>"
        if name == "script" and b"src" not in attributes and _runs(text, attributes, foreign=foreign):
            yield f"the script {text}"


def _runs(text: str, attributes: dict[bytes, bytes], *, foreign: bool) -> bool:
    asked = judge()
    if asked.is_inert(attributes):
        return False
    body = text.encode("utf-8", "replace")
    if foreign:  # html5lib has read its character references
        body = body.replace(b"&", b"&amp;").replace(b"<", b"&lt;")
    return asked.script(body, attributes, foreign=foreign) is not None


def elements(page: bytes, *, scripting: bool) -> Iterator[Element]:
    """Yield the elements of html5lib's tree in order; none where html5lib fails."""
    try:
        tree = html5lib.parse(page.decode("utf-8", "replace"), scripting=scripting)
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return
    for element in tree.iter():
        if isinstance(element.tag, str) and element.tag.startswith((HTML, SVG)):
            space, _, name = element.tag.partition("}")
            attributes = {
                str(key).replace(XLINK, "xlink:").encode("utf-8", "replace"): value.replace("&", "&amp;").encode(
                    "utf-8", "replace"
                )
                for key, value in element.attrib.items()
            }
            yield name.lower(), attributes, element.text or "", space + "}" == SVG


def _text(value: bytes) -> str:
    return value.decode().replace("&amp;", "&")


def _host(address: str, base: str) -> str:
    try:
        return URL(address, base).hostname.rstrip(".")
    except ValueError:
        return ""
