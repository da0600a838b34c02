"""Which services does an inline script load or feed? Found by words first, then by fingerprints and addresses."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from cookiegate.gate.attributes import unescape
from cookiegate.gate.grammar import many
from cookiegate.gate.javascript import is_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cookiegate.gate.matcher import Match


class Fingerprint(NamedTuple):
    """What gives an inline script away, and whom."""

    found_in: Callable[[bytes], Iterator[re.Match[bytes]]]
    match: Match


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
    b"audio eventsource image sharedworker websocket webtransport worker xmlhttprequest ajax append appendchild "
    b"assign axios createelement document fetch from get getscript href iframe import importscripts innerhtml "
    b"insertadjacenthtml insertbefore load loadscript location open outerhtml post prepend register replace request "
    b"script sendbeacon setattribute src srcdoc url write writeln".split()
)


class InlineIndex:
    """Every fingerprint and host, by a word that a script which has it must have."""

    def __init__(
        self,
        fingerprints: Iterable[tuple[str, Match]],
        hosts: Iterable[str],
        place: Callable[[str, str], Match | None],
    ) -> None:
        self._fingerprints: Mapping[bytes, list[Fingerprint]] = defaultdict(list)
        for text, match in fingerprints:
            self._fingerprints[_longest(text)].append(_fingerprint(text, match))
        self._hosts: Mapping[bytes, list[tuple[bytes, set[bytes]]]] = defaultdict(list)
        for host in hosts:
            words = set(_WORDS(host.rpartition(".")[0].encode()))
            self._hosts[max(words, key=len, default=b"")].append((host.encode(), words))
        self._nameless = tuple(host for host, _ in self._hosts.pop(b"", ()))  # those without a word, such as 51.la
        every = (words for hosts in self._hosts.values() for _, words in hosts)
        self._index = frozenset().union(self._fingerprints, *every)
        self._place = place

    def find(self, script: bytes, *, data: bool = False) -> tuple[Match, ...]:
        """Return the services whose fingerprint or loaded address stands in *script*.

        In *data* (an import map, a data URL's document) every address counts; in a script only where there is
        a word that loads.
        """
        found: dict[str, Match] = {}
        for text in _readings(script, markup=data):
            lowered = text.translate(_SPACED)
            words = set[bytes]().union(*(self._index.intersection(part.split()) for part in _slices(lowered)))
            for match in self._found(text, words, everywhere=data):
                found.setdefault(match.service.slug, match)
        return tuple(found.values())

    def _found(self, text: bytes, words: set[bytes], *, everywhere: bool) -> Iterator[Match]:
        for word in words:
            for fingerprint in self._fingerprints.get(word, ()):
                places = [found.start() for found in fingerprint.found_in(text)]
                if places and is_code(text, places):
                    yield fingerprint.match
        named = [host for word in words for host, needed in self._hosts.get(word, ()) if needed <= words]
        if named or self._nameless:
            lowered = text.lower()
            if any(host in lowered for host in (*named, *self._nameless)):
                yield from self._mentioned(text, everywhere=everywhere or _loads(lowered))

    def _mentioned(self, text: bytes, *, everywhere: bool) -> Iterator[Match]:
        for called, host, path in set(_MENTIONED(text)):
            if called or everywhere:
                match = self._place(host.decode().lower().strip("."), path.decode("latin-1").lower() or "/")
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
    return not _LOADERS.isdisjoint(lowered.translate(_SPACED).split())


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


def _fingerprint(text: str, match: Match) -> Fingerprint:
    """Compile ``fbq(`` or ``gtag("config", "AW-``: whole words, any quotes, any white space."""
    parts = [part for part in _TOKENS(text) if not part.isspace()]
    first = re.escape(parts[0])
    # The look behind stands after the first word: a pattern that begins with a literal is searched for at C speed.
    head = first + (rf"(?<![\w$]{first})" if re.match(r"[\w$]", text) else "")
    pattern = r"\s*+".join([head, *("[\"'`]" if part in "\"'`" else re.escape(part) for part in parts[1:])])
    after = r"(?![\w$])" if re.search(r"[\w$]$", text) else ""
    return Fingerprint(re.compile((pattern + after).encode()).finditer, match)


def _longest(text: str) -> bytes:
    return max(_WORDS(text.lower().encode()), key=len, default=b"")
