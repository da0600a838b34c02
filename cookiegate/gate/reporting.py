"""Headers that make a browser report, prefetch or go somewhere by itself (Reporting API, NEL, Speculation Rules)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cookiegate.gate.places import unclear

if TYPE_CHECKING:
    from collections.abc import Callable

    from cookiegate.gate.judge import Judge
    from cookiegate.gate.places import Withheld

# Reporting-Endpoints and Speculation-Rules are structured fields (RFC 9651): strings in quotes, backslash escapes.
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"').findall


def sends_to(name: bytes, value: bytes, judge: Judge) -> Withheld | None:
    """Return why a header does not leave; None for one that asks nobody who is withheld, and for any other header."""
    judges = _JUDGES.get(name)
    return judges(value.decode("latin-1"), judge) if judges else None


def _refresh(value: str, judge: Judge) -> Withheld | None:
    return judge.refresh(value)


def _strings(value: str, judge: Judge) -> Withheld | None:
    addresses = (re.sub(r"\\(.)", r"\1", text) for text in _STRING(value))
    return next((withheld for url in addresses if (withheld := judge.url(url))), None)


def _report_to(value: str, judge: Judge) -> Withheld | None:
    """The older header is a list of JSON objects without its brackets; what cannot be read goes to nobody."""
    try:
        groups = json.loads(f"[{value}]")
        addresses = [str(endpoint["url"]) for group in groups for endpoint in group.get("endpoints", ())]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return unclear("header")
    return next((withheld for url in addresses if (withheld := judge.url(url))), None)


_JUDGES: dict[bytes, Callable[[str, Judge], Withheld | None]] = {
    b"refresh": _refresh,
    b"reporting-endpoints": _strings,
    b"speculation-rules": _strings,
    b"report-to": _report_to,
}
HEADERS = frozenset(_JUDGES)
