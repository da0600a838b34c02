"""What can go wrong, said so that the reader knows the value, the place and the remedy."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CookieGateError(Exception):
    """Every error of ours, so that one ``except`` catches them all."""


class ConfigError(CookieGateError):
    """The declaration is wrong; the text names file, key, value and remedy, one line for each fault."""


class RecordsError(CookieGateError):
    """A record cannot be kept or read; the text names place and remedy, never a visitor."""


class SelfCheckError(CookieGateError):
    """This interpreter does not run the gate's patterns as they are written; nothing may be served."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the valid spelling closest to *word*, or an empty string."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""
