"""Whom would a browser contact for a page? Answered by html5lib and ada, who know nothing of the gate."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import ada_url
import html5lib

from cookiegate.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML: Final = "{http://www.w3.org/1999/xhtml}"
HOME: Final = "https://shop.test/tea/"
FETCHING: Final = {
    "stylesheet", "preload", "modulepreload", "prefetch", "prerender", "preconnect", "dns-prefetch", "icon",
    "manifest", "apple-touch-icon", "mask-icon",
}  # fmt: skip
# Who loads what its ``src``, ``data``, ``href`` … says; an element that nobody knows loads nothing.
LOADERS: Final = {
    "script", "img", "image", "input", "source", "video", "audio", "track", "embed", "object", "iframe", "frame",
    "link", "feImage", "use", "body", "table", "tr", "td", "th",
}  # fmt: skip
DOMAINS: Final = {
    pattern.partition("/")[0] for service in catalogue().values() if not service.keep for pattern in service.hosts
}
ADDRESSES: Final = {"src", "srcset", "imagesrcset", "href", "data", "poster", "background", "srcdoc"}
EVERYWHERE: Final = {"style", "ping"}


def contacted(page: bytes) -> set[str]:
    """Return the addresses of withheld services that a browser would load or report to, with scripting or without."""
    return {url for scripting in (True, False) for url in _addresses(page.decode(errors="replace"), scripting)}


def _addresses(page: str, scripting: bool) -> Iterator[str]:
    tree = html5lib.parse(page, scripting=scripting)
    base = HOME
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        tag = element.tag.rpartition("}")[2]
        attributes = {str(name).rpartition("}")[2].lower(): value for name, value in element.attrib.items()}
        if element.tag == HTML + "base" and base == HOME:
            base = _resolved(attributes.get("href", ""), HOME) or HOME
        for value in _loaded(tag, attributes, element.text or ""):
            if value.startswith("<") and "srcdoc" in attributes:
                yield from _addresses(value, scripting)
            elif (url := _resolved(value, base)) and is_withheld(url):
                yield f"<{tag}> {url}"


def _loaded(tag: str, attributes: dict[str, str], text: str) -> Iterator[str]:
    """Yield every address in the element, as it is written."""
    if tag == "style":
        yield from _of_css(text)
    if tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
        yield re.sub(r"""^[\s\d.]*[;,]?\s*(?:url\s*=\s*)?["']?""", "", attributes.get("content", ""), flags=re.I)
    for name, value in attributes.items():
        if not _loads(tag, name, attributes):
            continue
        if name in {"srcset", "imagesrcset", "data-srcset", "ping"}:
            yield from (part.strip(",") for part in re.split(r"[\s]+|,(?=\s|https?:)", value))
        elif name == "srcdoc":
            yield "<" + value
        else:
            yield value
            yield from _of_css(value)


def _loads(tag: str, name: str, attributes: dict[str, str]) -> bool:
    if name in EVERYWHERE or name.startswith("data-") or tag.startswith("amp-"):
        return True
    if tag == "link" and name == "href":
        return bool(FETCHING & set(attributes.get("rel", "").lower().split()))
    return tag in LOADERS and name in ADDRESSES


def _of_css(css: str) -> Iterator[str]:
    css = re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda m: chr(int(m[1], 16)), css)
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    for found in re.finditer(r"""(?:url\(|@import|image-set\()\s*["']?([^"')\s;]+)""", css, re.IGNORECASE):
        yield found[1]


def _resolved(value: str, base: str) -> str:
    try:
        return ada_url.URL(value, base).href
    except ValueError:
        return ""


@cache
def is_withheld(url: str) -> bool:
    """Whether the address belongs to a service of the catalogue that needs consent."""
    if not ada_url.check_url(url):
        return False
    parsed = ada_url.URL(url)
    host, path = parsed.hostname.rstrip("."), unquote(parsed.pathname).lower()
    return any(
        (host == domain or host.endswith("." + domain)) and path.startswith("/" + rest)
        for service in catalogue().values()
        if not service.keep
        for domain, _, rest in (pattern.partition("/") for pattern in service.hosts)
    )
