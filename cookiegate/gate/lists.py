"""Filter lists that the operator supplies, asked about what no declaration settles: the only door to adblock.

Their rules are written for visitors' browsers: where a site would break, an exception lets the tracker through. A
gate that asks for consent first takes no exceptions, and leaves out what is hidden rather than loaded.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cookiegate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cookiegate.gate.url import Place

    Ask = Callable[[str, str, str, str, bool], Any]

REMEMBERED = 4096  # addresses of one site
LONGEST = 2048  # characters of an address that are looked at

# What a browser would call that which an element loads, as far as the element tells: all are asked about.
OTHERS = ("image", "other")
KINDS: Mapping[bytes, tuple[str, ...]] = {
    b"script": ("script",),
    b"link": ("stylesheet", "script", "other"),
    b"iframe": ("subdocument",),
    b"frame": ("subdocument",),
    b"object": ("object",),
    b"embed": ("object",),
    b"video": ("media", "image"),
    b"audio": ("media",),
    b"source": ("media", "image"),
    b"track": ("media",),
}

_HIDES = re.compile(r"#@?(?:[$?%]|\$\?)?#|\$@?\$").search  # elements, not addresses
_DATED = re.compile(r"^!\s*(?:Last modified|TimeUpdated)\s*:(.+)", re.IGNORECASE | re.MULTILINE).search


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterList:
    """One file as it was read. *exceptions* were left out; *modified* is None where the file does not say."""

    name: str
    rules: int
    exceptions: int
    modified: datetime | None
    ask: Ask


class Lists:
    """The filter lists of one site.

    Raises:
        ConfigError: a file cannot be read or holds no rule, or the extra that reads it is not installed.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        texts = [(path, _text(path)) for path in paths]
        self.read = tuple(_read(path.name, text) for path, text in texts)
        self.digest = hashlib.sha256("\0".join(text for _, text in texts).encode()).hexdigest()
        self._rule = lru_cache(maxsize=REMEMBERED)(self._find)

    def rule(self, place: Place, url: str, element: bytes, *, page_host: str) -> str | None:
        """Return the rule that names what *element* loads, behind its file's name; None where none does.

        *place* is where *url* leads, which must be a third party's.
        """
        if not self.read or not place.host:
            return None
        query = url.partition("#")[0].partition("?")[2]
        address = f"{place.scheme}://{place.host}{place.path}{'?' if query else ''}{query}"[:LONGEST]
        return self._rule(address, place.host, page_host, KINDS.get(element, OTHERS))

    def _find(self, address: str, host: str, page_host: str, kinds: Sequence[str]) -> str | None:
        address = address.encode("utf-8", "replace").decode()
        for known in self.read:
            for kind in kinds:
                answer = known.ask(address, host, page_host, kind, True)  # noqa: FBT003  a third party
                if answer.matched:
                    return f"{known.name} {answer.filter}"
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig", "replace")
    except OSError as fault:
        raise ConfigError(f"lists: {str(path)!r} cannot be read: {fault.strerror}. Put the file there.") from None


@lru_cache(maxsize=16)  # sites share what they share; by its text, so that it is never stale
def _read(name: str, text: str) -> FilterList:
    rules: list[str] = []
    exceptions = 0
    for line in _network_rules(text):
        rule = _without_exceptions(line)
        exceptions += rule != line
        rules += [rule] if rule else []
    if not rules:
        raise ConfigError(
            f"lists: {name!r} holds no rule that this reads. Use a list in the syntax of EasyPrivacy "
            "('||tracker.example^'); a hosts file is none."
        )
    return FilterList(
        name=name, rules=len(rules), exceptions=exceptions, modified=_modified(text), ask=_engine(name, rules)
    )


def _engine(name: str, rules: list[str]) -> Ask:
    try:
        from adblock import Engine, FilterSet  # an extra
    except ImportError:
        raise ConfigError(
            f"lists: to read {name!r}, filter lists need an extra: pip install 'cookiegate[lists]'. Or leave lists out."
        ) from None
    filters = FilterSet(debug=True)  # keeps each rule's text
    filters.add_filters(rules)
    ask: Ask = Engine(filters, optimize=False).check_network_urls_with_hostnames  # optimised, rules become one
    return ask


def _network_rules(text: str) -> Iterator[str]:
    for line in map(str.strip, text.splitlines()):
        if line and line[0] not in "![#" and not re.search(r"\s", line) and not _HIDES(line):
            yield line


def _without_exceptions(rule: str) -> str:
    """Return *rule* as it holds on every site that it does not name; nothing where it is an exception itself."""
    if rule.startswith("@@"):
        return ""
    pattern, _, options = rule.rpartition("$")
    if not pattern or "~" not in options:
        return rule
    kept = [option for option in map(_everywhere, options.split(",")) if option]
    return f"{pattern}${','.join(kept)}" if kept else pattern


def _everywhere(option: str) -> str:
    name, _, domains = option.partition("=")
    if name not in {"domain", "from"}:
        return option
    named = [domain for domain in domains.split("|") if not domain.startswith("~")]
    return f"domain={'|'.join(named)}" if named else ""


def _modified(text: str) -> datetime | None:
    """Return the date in the list's head: ``21 Nov 2026 08:10 UTC`` or ISO 8601."""
    from email.utils import parsedate_to_datetime  # slow to import, and few sites have lists

    dated = _DATED(text[:4096])
    for reads in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError):
            date = reads(dated[1].strip() if dated else "")
            return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None
