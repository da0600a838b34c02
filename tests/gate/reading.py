"""How these tests gate a page, and how an independent reader (html5lib) sees what came out."""

from __future__ import annotations

from functools import cache
from html import unescape
from typing import TYPE_CHECKING

import html5lib

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.loads import LOADS
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.places import Withheld
from cookiegate.gate.rewriter import Rewriter
from cookiegate.gate.tag import Kind, attribute_values
from cookiegate.gate.tokenizer import Tokenizer
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.body import Banner

HTML = "{http://www.w3.org/1999/xhtml}"
HOME = "https://own.example/shop/page"
TRACKER = b"//www.google-analytics.com/x"
SERVICES = ("google-analytics", "google-tag-manager", "meta-pixel", "hotjar", "youtube", "naver-analytics")
SITE = Site("Shop", services=SERVICES, unknown="allow", hosts=["own.example"])
STRICT = Site("Shop", services=SERVICES, unknown="withhold", hosts=["own.example"], own_hosts=["cdn.example"])


@cache
def _matcher(name: str) -> Matcher:
    return Matcher({"SITE": SITE, "STRICT": STRICT}[name])


def matcher_of(site: Site) -> Matcher:
    """Return the site's matcher, compiled once where the site is one of ours."""
    return _matcher("SITE") if site is SITE else _matcher("STRICT") if site is STRICT else Matcher(site)


def consent(site: Site = SITE, *granted: str) -> Consent:
    """Return the consent of a visitor who granted just these purposes."""
    return nobody_asked(site).choose(granted, now=0, new_id="id") if granted else nobody_asked(site)


def judge(site: Site = SITE, *granted: str, page: str = HOME) -> Judge:
    """Return the judge for that visitor."""
    made = Judge(matcher_of(site), consent(site, *granted), page=page)
    Rewriter(made, limit=1 << 20, report=lambda _: None)  # it can gate documents inside attributes from now on
    return made


def pieces(page: bytes, size: int) -> list[bytes]:
    """Return *page* in chunks of *size* bytes."""
    return [page[at : at + size] for at in range(0, len(page), size)]


def gate(
    page: bytes,
    *granted: str,
    size: int = 0,
    cut: int = 0,
    limit: int = 1 << 20,
    site: Site = SITE,
    banner: Banner | None = None,
    report: list[Withheld] | None = None,
) -> bytes:
    """Return the gated page: whole, in chunks of *size* bytes, or in two chunks at *cut*."""
    rewriter = Rewriter(
        judge(site, *granted), limit=limit, report=(report if report is not None else []).append, banner=banner
    )
    chunks = [page[:cut], page[cut:]] if cut else pieces(page, size or max(1, len(page)))
    return b"".join([*(rewriter.feed(chunk) for chunk in chunks), rewriter.close()])


Stop = tuple[Kind, bytes, tuple[tuple[bytes, bytes], ...], int, int, bool]


def stops(page: bytes, chunks: Sequence[bytes], *, scripting: bool = True) -> list[Stop]:
    """Return all that the tokenizer stops at, with absolute offsets."""
    tokenizer = Tokenizer(limit=1 << 20, scripting=scripting)
    found: list[Stop] = []
    base = 0
    for number, chunk in enumerate((*chunks, b"")):
        for tag in tokenizer.read(chunk, final=number == len(chunks)):
            values = attribute_values(tokenizer.buf, tag.attributes, tag.end)
            found.append((tag.kind, tag.name, tuple(values.items()), base + tag.start, base + tag.end, tag.foreign))
        base += tokenizer.pos
    assert base == len(page), "some bytes were never understood"
    return found


Seen = tuple[str, tuple[tuple[str, str], ...]]


def ours(page: bytes, *, scripting: bool = True) -> list[Seen]:
    """Return the HTML start tags of interest that our tokenizer sees, sorted."""
    found = [
        (name.decode("latin-1"), tuple(sorted((_read(n), unescape(_read(v))) for n, v in values)))
        for kind, name, values, _, _, foreign in stops(page, [page], scripting=scripting)
        if kind is Kind.START and name in LOADS and not foreign
    ]
    return sorted(("img" if name == "image" else name, values) for name, values in found)


def _read(value: bytes) -> str:
    return value.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode("utf-8", "replace").replace("\0", "\ufffd")


def theirs(page: bytes, *, scripting: bool = True) -> list[Seen]:
    """Return the same elements in html5lib's tree, sorted."""
    return sorted(
        (name, tuple(sorted((str(n), v) for n, v in attributes.items())))
        for name, attributes in elements(page, scripting=scripting)
        if name.encode() in LOADS
    )


def elements(page: bytes, *, scripting: bool = True) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and attributes of every HTML element in html5lib's tree."""
    tree = html5lib.parse(page.decode("utf-8", "replace"), scripting=scripting)
    for element in tree.iter():
        if isinstance(element.tag, str) and element.tag.startswith(HTML):
            yield element.tag.removeprefix(HTML), element.attrib


def survivors(page: bytes) -> list[str]:
    """Return every tracker's address that a browser would load from *page*, with scripting or without."""
    found = []
    for scripting in (True, False):
        for name, attributes in elements(page, scripting=scripting):
            for attribute in LOADS.get(name.encode(), ()):
                value = attributes.get(attribute.decode(), "")
                if "//www.google-analytics.com/" in value:
                    found.append(f"<{name} {attribute.decode()}={value}> {scripting=}")
    return found
