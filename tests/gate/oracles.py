"""What three independent readers of HTML see of a page: its start tags with their attributes, values as written.

html5lib is asked for the tokens that its tree builder reads, not for its tree, which drops and repeats elements.
lol-html runs in a process of its own, because its binding can crash; it may decline a page whose text it cannot tell
from markup.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import html5lib

from cookiegate.gate.tag import Kind, attribute_values
from cookiegate.gate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Start = tuple[str, tuple[tuple[str, str], ...]]  # name and attributes, sorted


class Reading(NamedTuple):
    """The start tags that were seen; not *whole* where the reader was in doubt from there on."""

    tags: list[Start]
    whole: bool = True


def _start(name: str, attributes: Iterable[tuple[str, str]]) -> Start:
    first: dict[str, str] = {}
    for key, value in attributes:
        first.setdefault(_text(key), _text(value))
    return _text(name), tuple(sorted(first.items()))


def _text(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


# -- ours


def ours(page: bytes, *, scripting: bool = True) -> Reading:
    """Return what our tokenizer sees, up to where browsers may disagree and the gate withholds."""
    tokenizer = Tokenizer(limit=1 << 20, scripting=scripting)
    tokenizer.thorough = True
    found: list[Start] = []
    for data, final in ((page, False), (b"", True)):
        for tag in tokenizer.read(data, final=final):
            if tag.kind is Kind.WITHHOLD or tag.before != b"":
                return Reading(found, whole=False)
            if tag.kind is Kind.START:
                values = attribute_values(tokenizer.buf, tag.attributes, tag.end).items()
                found.append(_start(_utf8(tag.name), ((_utf8(name), _utf8(value)) for name, value in values)))
                if tokenizer.holds_text(tag) and (tag.doubtful or tag.foreign):
                    return Reading(found, whole=False)
    return Reading(found)


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


# -- html5lib


class _Parser(html5lib.HTMLParser):  # type: ignore[misc]
    """Notes every start tag on its way from the tokenizer into the tree, before values are changed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Start] = []

    def mainLoop(self) -> None:
        tokenizer, emit = self.tokenizer, self.tokenizer.emitCurrentToken

        def noting() -> None:
            token = tokenizer.currentToken
            if token["type"] == _START:
                self.seen.append(_start(token["name"].translate(_LOWER), map(tuple, token["data"])))
            emit()

        def as_written(_: object) -> None:
            tokenizer.currentToken["data"][-1][1] += "&"

        tokenizer.emitCurrentToken, tokenizer.processEntityInAttribute = noting, as_written
        super().mainLoop()


_START = html5lib.constants.tokenTypes["StartTag"]
_LOWER = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def by_html5lib(page: bytes, *, scripting: bool = True) -> Reading:
    """Return what html5lib sees."""
    parser = _Parser()
    try:
        parser.parse(_utf8(page), scripting=scripting)
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return Reading(parser.seen, whole=False)  # its own faults
    return Reading(parser.seen)


# -- lol-html

_WORKER = """
import base64, json, lolhtml, sys
for line in sys.stdin:
    found, whole = [], True
    class Handler:
        def element(self, element):
            found.append((element.tag_name, element.attributes))
    rewriter = lolhtml.HTMLRewriter(lambda data: None)
    rewriter.on("*", Handler())
    try:
        rewriter.write(base64.b64decode(line))
        rewriter.end()
    except RuntimeError:
        whole = False
    print(json.dumps((found, whole)), flush=True)
"""


def lolhtml_is_installed() -> bool:
    """Return whether the binding can be imported, without importing it here."""
    return subprocess.run([sys.executable, "-c", "import lolhtml"], capture_output=True, check=False).returncode == 0


def by_lolhtml(pages: Sequence[bytes]) -> list[Reading]:
    """Return what lol-html sees of each page."""
    asked = b"".join(base64.b64encode(page) + b"\n" for page in pages)
    answer = subprocess.run([sys.executable, "-c", _WORKER], input=asked, capture_output=True, check=False)
    assert answer.returncode == 0, f"lol-html died: {answer.stderr.decode()[-500:]}"
    readings = (json.loads(line) for line in answer.stdout.splitlines())
    return [Reading([_start(name, attributes) for name, attributes in found], whole) for found, whole in readings]


# -- where they part


def disagreement(one: Reading, other: Reading) -> str:
    """Return where two readings part, nothing where they agree as far as both are sure."""
    for number, (left, right) in enumerate(zip(one.tags, other.tags, strict=False)):
        if left != right:
            return f"tag {number}: {left} and {right}"
    longer, shorter = (one, other) if len(one.tags) > len(other.tags) else (other, one)
    if shorter.whole and len(longer.tags) > len(shorter.tags):
        return f"only one sees {longer.tags[len(shorter.tags)]}"
    return ""
