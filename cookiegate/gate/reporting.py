"""Headers that make a browser report, prefetch or go somewhere by itself (Reporting API, NEL, Speculation Rules)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cookiegate.gate.places import joined, unclear

if TYPE_CHECKING:
    from collections.abc import Callable

    from cookiegate.gate.judge import Judge
    from cookiegate.gate.places import Withheld

    Gated = tuple[str, list[Withheld]]

# Reporting-Endpoints and Speculation-Rules are structured fields (RFC 9651): members with a string in quotes, which
# has backslash escapes, and parameters.
_MEMBER = re.compile(r'[ \t]*((?:[a-z*][a-z0-9_.*-]*=)?"((?:[^"\\]|\\.)*+)"[^,"]*)(?:,|\Z)').match


def gated_header(name: bytes, value: bytes, judge: Judge) -> tuple[bytes, list[Withheld]]:
    """Return the header's value without whom it may not be sent to, and those; any header but `HEADERS` as it is."""
    gates = _GATES.get(name)
    if gates is None:
        return value, []
    gated, withheld = gates(value.decode("latin-1"), judge)
    return (gated.encode("latin-1", "replace"), withheld) if withheld else (value, [])


def _refresh(value: str, judge: Judge) -> Gated:
    withheld = judge.refresh(value)
    return "", [withheld] if withheld else []


def _members(value: str, judge: Judge) -> Gated:
    """What is no list of strings cannot be told apart, and goes to nobody."""
    kept: list[str] = []
    gone: list[Withheld] = []
    pos = 0
    while pos < len(value):
        member = _MEMBER(value, pos)
        if member is None:
            return "", [unclear("header")]
        withheld = judge.url(re.sub(r"\\(.)", r"\1", member[2]))
        if withheld:
            gone.append(withheld)
        else:
            kept.append(member[1].strip())
        pos = member.end()
    return ", ".join(kept), gone


def _report_to(value: str, judge: Judge) -> Gated:
    """The older header is a list of JSON objects without its brackets; what cannot be read goes to nobody."""
    kept: list[str] = []
    gone: list[Withheld] = []
    try:
        for group in json.loads(f"[{value}]"):
            addresses = [str(endpoint["url"]) for endpoint in group.get("endpoints", ())]
            withheld = joined([found for url in addresses if (found := judge.url(url))])
            if withheld:
                gone.append(withheld)
            else:
                kept.append(json.dumps(group))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", [unclear("header")]
    return ", ".join(kept), gone


_GATES: dict[bytes, Callable[[str, Judge], Gated]] = {
    b"refresh": _refresh,
    b"reporting-endpoints": _members,
    b"speculation-rules": _members,
    b"report-to": _report_to,
}
HEADERS = frozenset(_GATES)
