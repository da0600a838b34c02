"""Which services does an inline script load or feed? Found by words first, then by fingerprints and addresses."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from cookiegate.gate.attributes import unescape
from cookiegate.gate.grammar import many
from cookiegate.gate.javascript import code_of, is_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cookiegate.gate.index import Match

    Place = Callable[[str, str], Match | None]


Known = tuple[str, "Match"]  # a fingerprint as it is written, and whom it gives away

SLICE = 1 << 16  # bytes of a script whose words are looked up at a time

_WORDS = re.compile(rb"[a-z_$][\w$]+").findall
_TOKENS = re.compile(r"[\w$-]+|[\"'`]|\s+|.").findall
# Lower-case words and spaces: translating and splitting is many times as fast as finding words by a pattern.
_SPACED = bytes(
    c + 32 if 65 <= c <= 90 else c if chr(c) in "_$" or (c < 128 and chr(c).isalnum()) else 32 for c in range(256)
)
# An address in a script: behind // or at the beginning of a string; 1 is not empty where a call takes it directly.
# Whatever may stand in a host is one: only those that are known matter.
_MENTIONED = re.compile(
    rb"(\(\s*+)?(?:[\"'`](?i:https?:|wss?:)?(?://)?|//)(?:(?<=//)" + many(rb"[^/?#@\\\s\"'`<>]*+@") + rb")?"
    rb"([\w-]*+\.[\w.-]++)(?::[0-9]++)?(/[^\s\"'`<>\\?#]*+)?"
).findall
_CODED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2})|u\{0*+([1-9A-Fa-f][0-9A-Fa-f])\})")
_REFERENCE = re.compile(rb"&(?:#[0-9xX]|[a-zA-Z]++;)").search
# What makes markup of a string: then its character references are read too.
_WRITERS = (b"write", b"HTML", b"html", b"srcdoc", b"parseFromString", b"ContextualFragment")

# A script that only mentions an address loads nothing; one that has a word of these, or calls with it, may.
_LOADERS = frozenset(
    b"audio eval eventsource execscript image sharedworker websocket webtransport worker xmlhttprequest ajax append "
    b"appendchild assign axios createelement document fetch from get getscript href iframe import importscripts "
    b"innerhtml insertadjacenthtml insertbefore load loadscript location open outerhtml post prepend register replace "
    b"request script sendbeacon setattribute setinterval settimeout src srcdoc url write writeln".split()
)


class Fingerprints:
    """Every fingerprint and host, by a word that a script which has it must have."""

    def __init__(self, known: Iterable[Known], hosts: Iterable[str]) -> None:
        self._known: dict[bytes, tuple[tuple[str, set[bytes], Match], ...]] = {}
        self._hosts: dict[bytes, tuple[tuple[bytes, set[bytes]], ...]] = {}
        for text, match in known:
            words = set(_WORDS(text.lower().encode()))
            word = max(words, key=len)
            self._known[word] = (*self._known.get(word, ()), (text, words, match))
        for host in hosts:
            # Those without a word before the last dot, such as 51.la, are found by what stands behind it.
            words = set(_WORDS(host.rpartition(".")[0].encode()) or _WORDS(host.encode()))
            word = max(words, key=len)
            self._hosts[word] = (*self._hosts.get(word, ()), (host.encode(), words))
        self._index = self._words()

    def _words(self) -> frozenset[bytes]:
        hosts = (words for hosts in self._hosts.values() for _, words in hosts)
        return frozenset().union(*hosts, *(words for known in self._known.values() for _, words, _ in known))

    def extended(self, other: Fingerprints) -> Fingerprints:
        """Return these and *other*'s, which are few, together."""
        both = Fingerprints((), ())
        both._known = self._known | {
            word: tuple({known[0]: known for known in (*self._known.get(word, ()), *others)}.values())
            for word, others in other._known.items()
        }
        both._hosts = self._hosts | {
            word: tuple({host: (host, words) for host, words in (*self._hosts.get(word, ()), *hosts)}.values())
            for word, hosts in other._hosts.items()
        }
        both._index = self._index | other._index
        return both

    def find(self, script: bytes, place: Place, *, data: bool = False) -> tuple[Match, ...]:
        """Return the services whose fingerprint or loaded address stands in *script*.

        In *data* (an import map, a data URL's document) every address counts; in a script only where there is
        a word that loads. *place* returns the service at a host and path.
        """
        found: dict[str, Match] = {}
        for text in _readings(script, markup=data):
            spaced = text.translate(_SPACED)
            words = set[bytes]().union(*(self._index.intersection(part.split()) for part in _slices(spaced)))
            for match in self._found(text, words, place, everywhere=data):
                found.setdefault(match.service.slug, match)
        return tuple(found.values())

    def _found(self, text: bytes, words: set[bytes], place: Place, *, everywhere: bool) -> Iterator[Match]:
        for word in words:
            for written, needed, match in self._known.get(word, ()):
                places = [found.start() for found in _finder(written)(text)] if needed <= words else ()
                if places and is_code(text, places):
                    yield match
        named = [host for word in words for host, needed in self._hosts.get(word, ()) if needed <= words]
        if named:
            lowered = text.lower()
            if any(host in lowered for host in named):
                yield from _mentioned(text, place, everywhere=everywhere or _loads(lowered))


def _mentioned(text: bytes, place: Place, *, everywhere: bool) -> Iterator[Match]:
    for called, host, path in set(_MENTIONED(text)):
        if called or everywhere:
            match = place(host.decode().lower().strip("."), path.decode("latin-1").lower() or "/")
            if match:
                yield match


def _slices(spaced: bytes) -> Iterator[bytes]:
    """Pieces of words and spaces, cut between two words: a list of all words of a large script is larger still."""
    start = 0
    while start < len(spaced):
        end = start + SLICE
        cut = spaced.rfind(b" ", start, end) + 1 if end < len(spaced) else 0
        yield spaced[start : cut or end]
        start = cut or end


def _loads(lowered: bytes) -> bool:
    return not _LOADERS.isdisjoint(code_of(lowered).translate(_SPACED).split())


def _readings(script: bytes, *, markup: bool) -> list[bytes]:
    """The script as it stands and, where it hides characters, as it will be read."""
    readings = [script]
    if b"\\" in script:
        read = script.replace(b"\\/", b"/")
        if b"\\x" in read or b"\\u" in read:
            read = _CODED.sub(lambda m: bytes((int(m[1] or m[2] or m[3], 16),)), read)
        readings.append(read)
    if b"%" in script and b"unescape" in script:
        readings.append(unquote_to_bytes(readings[-1]))
    if _REFERENCE(readings[-1]) and (markup or any(word in script for word in _WRITERS)):
        readings.append(unescape(readings[-1].decode("latin-1")).encode("latin-1", "replace"))
    return [text for number, text in enumerate(readings) if text not in readings[:number]]


@cache
def _finder(text: str) -> Callable[[bytes], Iterator[re.Match[bytes]]]:
    """Compile ``fbq(`` or ``gtag("config", "AW-``, when first needed: whole words, any quotes, any white space."""
    parts = [part for part in _TOKENS(text) if not part.isspace()]
    first = re.escape(parts[0])
    # The look behind stands after the first word: a pattern that begins with a literal is searched for at C speed.
    head = first + (rf"(?<![\w$]{first})" if re.match(r"[\w$]", text) else "")
    pattern = r"\s*+".join([head, *("[\"'`]" if part in "\"'`" else re.escape(part) for part in parts[1:])])
    after = r"(?![\w$])" if re.search(r"[\w$]$", text) else ""
    return re.compile((pattern + after).encode()).finditer
