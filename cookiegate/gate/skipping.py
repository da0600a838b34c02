"""Patterns that run over all that cannot load, report or change how the page is read; one match skips a long way."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from cookiegate.gate import grammar
from cookiegate.gate.grammar import NAME_END, NAME_REST, RAW_TEXT, REST, SPACE, any_case, many
from cookiegate.gate.loads import GATED, LATER, TELLING

if TYPE_CHECKING:
    from collections.abc import Callable

    Skip = Callable[[bytes, int], re.Match[bytes] | None]

# Elements that load something and those that change how the following bytes are read; <meta> only with http-equiv.
SWITCHING = frozenset({b"plaintext", b"svg", b"math", b"select", b"frameset"})
INTERESTING = RAW_TEXT | SWITCHING | GATED - {b"meta"}

DRAWINGS = frozenset(
    b"path g circle rect polygon polyline line ellipse defs symbol clippath mask lineargradient radialgradient stop "
    b"text tspan textpath filter pattern marker use animate animatetransform".split()
)


SPACES = b"\t\n\f\r />"


def _one_of(names: frozenset[bytes]) -> bytes:
    return rb"(?:" + b"|".join(any_case(name) for name in sorted(names)) + rb")"


def _letters(characters: bytes) -> bytes:
    return b"".join(bytes((c, c - 32)) for c in characters)


def _other_name(names: frozenset[bytes]) -> bytes:
    """The beginning of a name that is none of *names*, decided by one or two letters where these suffice."""
    seconds: dict[int, set[int]] = defaultdict(set)
    for name in names:
        seconds[name[0]] |= set(name[1:2].lower() or SPACES)
    free = bytes(letter for letter in range(97, 123) if letter not in seconds)
    quick = [rb"[" + _letters(free) + rb"]"]
    for first, following in seconds.items():
        letters = b"".join(_letters(bytes((c,))) if c > 96 else b"\\x%02x" % c for c in sorted(following))
        quick.append(rb"[" + _letters(bytes((first,))) + rb"](?![" + letters + rb"])")
    return rb"(?:" + b"|".join(quick) + rb"|(?!" + _one_of(names) + NAME_END + rb")[a-zA-Z])"


# The common case first: name="value" pairs that tell nothing; what does not fit falls through to the exact grammar.
_QUICK_ATTRIBUTE = (
    rb' (?:(?:[cefgi-nqrt-z]|a(?!tt)|b(?!ac)|o(?!n[elp])|d(?!ata-' + LATER + rb')|h(?!tt)|p(?!in)|s(?!ty|rc))'
    rb'[a-z0-9_-]*+="[^"]*+"'
    rb'|style="[^"(\\&]*+")'
)  # fmt: skip
_TELLING = (
    rb"(?:" + _one_of(TELLING) + rb"|" + any_case(b"data-") + rb"(?i:" + LATER + rb")[^" + SPACE + rb"/>=]*+)"
    rb"(?=[" + SPACE + rb"/>=])"
)  # fmt: skip
_QUIET_REST = (
    many(_QUICK_ATTRIBUTE)
    + rb"(?:>|" + many(rb"[" + SPACE + rb"/]++|(?!" + _TELLING + rb")" + grammar.ATTRIBUTE) + rb">)"
)  # fmt: skip

# <svg> with nothing but plain drawing inside: no integration point, script, style or CDATA, and no address.
_DRAWING_REST = (
    many(rb' (?:(?![oO][nN])[a-zA-Z0-9:_-]++="[^"/:\\&]*+"|xmlns(?::xlink)?+="http://www\.w3\.org/[^"]*+"|style="[^"(\\&]*+")')
    + rb"[" + SPACE + rb"/]*+>"
)  # fmt: skip
_DRAWING = (
    any_case(b"svg") + rb"(?=[" + SPACE + rb">])" + _DRAWING_REST + rb"(?<!/>)[^<]*+"
    + many(rb"<(?:" + _one_of(DRAWINGS) + rb"(?=" + NAME_END + rb")" + _DRAWING_REST
           + rb"|/" + _one_of(DRAWINGS) + rb"[" + SPACE + rb"]*+>)[^<]*+")
    + rb"</" + any_case(b"svg") + rb"[" + SPACE + rb"]*+>"
)  # fmt: skip
_COMMENT = rb"--(?:-?>|" + many(rb"[^-]++|-(?!-)|--++(?!!?>)") + rb"--++!?>)"


def _skipper(starts: frozenset[bytes], ends: frozenset[bytes] = frozenset(), *, drawings: bool) -> re.Pattern[bytes]:
    """Text, comments and every whole tag that tells nothing and is no start tag of *starts*, no end tag of *ends*."""
    start = _other_name(starts) + NAME_REST + _QUIET_REST + (rb"|" + _DRAWING if drawings else b"")
    name = _other_name(ends) if ends else rb"[a-zA-Z]"
    end = name + rb"(?:[^>=]*+>|" + NAME_REST + REST + rb")"  # without '=' no quote can hide a '>'
    # End tags first: they are the most frequent, and an alternative that begins with a letter fails at once.
    return re.compile(
        rb"[^<]*+"
        + many(
            rb"<(?:/(?:" + end + rb"|[^a-zA-Z>][^>]*+>|>)|" + start + rb"|!(?:(?!--)[^>]*+>|" + _COMMENT + rb")"
            rb"|\?[^>]*+>|(?=[^a-zA-Z/!?]))[^<]*+"
        )
    )  # fmt: skip


HTML = _skipper(INTERESTING - {b"input"} | DRAWINGS, drawings=True).match
"""Anywhere in HTML; ``<input>`` matters here only with an address, and nobody draws outside of svg."""

LITERAL_TEXT = re.compile(rb"[^<]*+" + many(rb"<(?=[^a-zA-Z/!?])[^<]*+")).match
BLANK = re.compile(rb"[" + SPACE + rb"]*+").match


@cache  # few pages need these, and a pattern of this size takes its time
def without_drawings() -> Skip:
    """Where a drawing's end tag may belong to an element around it, or browsers disagree on what is ignored."""
    return _skipper(INTERESTING - {b"input"}, drawings=False).match


@cache
def select() -> Skip:
    """Inside ``<select>``, which ends with its own end tag or an ``<input>``."""
    return _skipper(INTERESTING, frozenset({b"select"}), drawings=False).match
