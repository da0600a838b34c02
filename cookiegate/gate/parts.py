"""Attributes that load by themselves: which may not leave as they are, and their tag written anew."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from cookiegate.gate.grammar import ATTRIBUTES, EQUALS
from cookiegate.gate.loads import HANDLERS, LOADS, MARK, is_loaded_later
from cookiegate.gate.places import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cookiegate.gate.judge import Judge
    from cookiegate.gate.places import Withheld

    Gated = tuple[str, list[Withheld]]
    Gate = Callable[..., Gated]

_ANIMATED = frozenset({b"to", b"from", b"by", b"values"})


_is_custom = re.compile(rb"[a-z][a-z0-9._]*-[a-z0-9._-]*").fullmatch  # HTML 4.13.3, in ASCII


def _loaded_by_scripts(name: bytes, attribute: bytes) -> bool:
    return name not in LOADS and bool(is_loaded_later(attribute) or (attribute == b"src" and _is_custom(name)))


class Part(NamedTuple):
    """An attribute that loads by itself: the tag leaves with this *value* (text, not escaped) instead."""

    attribute: bytes
    value: str
    withheld: Withheld


class Parts:
    """Judges a tag's attributes one by one, with what the page's author *freed*: those whom nobody knows."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._gates: Mapping[bytes, Gate] = {
            b"srcset": judge.srcset, b"background": self._alone, b"poster": self._alone, b"ping": self._listed,
            b"attributionsrc": self._listed, b"style": self._style, b"srcdoc": self._srcdoc,
            **dict.fromkeys(HANDLERS, self._handler),
        }  # fmt: skip

    def of(self, name: bytes, attributes: Mapping[bytes, bytes], *, foreign: bool = False) -> Iterator[Part]:
        """Yield each attribute of a tag that may leave only with another value."""
        if self._judge.is_trusted(attributes):
            return
        freed = self._judge.frees(attributes)
        for attribute, value in attributes.items():
            gate = self._gates.get(attribute) or (self._foreign_gate(attribute, value) if foreign else None)
            if gate:
                gated, found = gate(self._judge.text(value), freed=freed)
                if withheld := joined(found):
                    yield Part(attribute, gated, withheld)
            elif _loaded_by_scripts(name, attribute) and (later := self._judge.words(value)):
                yield Part(attribute, "", later)

    def _foreign_gate(self, attribute: bytes, value: bytes) -> Gate | None:
        """In svg, references may stand in any attribute, and an animation may set an address."""
        if attribute in _ANIMATED and (b"//" in value or b"&" in value):
            return self._animated
        return self._style if b"(" in value else None

    def _animated(self, text: str, *, freed: bool) -> Gated:
        found = [withheld for url in text.split(";") if (withheld := self._judge.url(url.strip(), freed=freed))]
        return "" if found else text, found

    def _handler(self, text: str, *, freed: bool) -> Gated:
        withheld = self._judge.script(text.encode("utf-8", "replace"), {})
        return ("", [withheld]) if withheld else (text, [])

    def _listed(self, text: str, *, freed: bool) -> Gated:
        judged = [(url, self._judge.url(url, freed=freed)) for url in text.split()]
        gone = [withheld for _, withheld in judged if withheld]
        return (" ".join(url for url, withheld in judged if not withheld), gone) if gone else (text, gone)

    def _alone(self, text: str, *, freed: bool) -> Gated:
        withheld = self._judge.url(text, element=b"img", freed=freed)
        return ("", [withheld]) if withheld else (text, [])

    def _style(self, text: str, *, freed: bool) -> Gated:
        gated, withheld = self._judge.style(text.encode("utf-8", "surrogatepass"), charset="utf-8", freed=freed)
        return (gated or b"").decode("utf-8", "surrogatepass"), withheld

    def _srcdoc(self, text: str, *, freed: bool) -> Gated:
        gated, withheld = self._judge.document(text.encode("utf-8", "replace"), charset="utf-8")
        return gated.decode("utf-8", "replace"), withheld


def rewritten(buf: bytes, start: int, attributes: int, end: int, parts: Iterable[Part], charset: str) -> bytes:
    """Return the tag from *start* to *end*, whose attributes begin at *attributes*, with *parts* and unmarked.

    A new value stands where the first attribute of its name does, so that duplicates stay without effect. Marks
    and their duplicates go, without joining their neighbours.
    """
    kept, pos = [], start
    left = {part.attribute: part.value for part in parts}
    for match in ATTRIBUTES(buf, attributes, end):
        name = match[1].lower()
        if name in left:
            value = escape(left.pop(name)).encode(charset, "xmlcharrefreplace")
            kept += [buf[pos : match.end(1)], b'="', value, b'"']
        elif name == MARK and EQUALS(buf, match.end(), end):  # its neighbour would take up the '='
            kept += [buf[pos : match.end(1)], b'=""']
        elif name == MARK:
            kept.append(buf[pos : match.start() - _stands_alone(buf, match.start(), match.end())])
        else:
            continue
        pos = match.end()
    return b"".join((*kept, buf[pos:end]))


def _stands_alone(buf: bytes, start: int, end: int) -> bool:
    return buf[end : end + 1] in b"\t\n\f\r >" and buf[start - 1 : start].isspace()
