"""The grammar of tags (WHATWG HTML 13.2.5) as patterns on bytes; one match skips all that cannot matter."""

from __future__ import annotations

import re
from collections import defaultdict

SPACE = rb"\t\n\f\r "

# Elements whose content is text up to their end tag (13.2.5.2 to 13.2.5.4); noscript where scripting is on.
RAW_TEXT = frozenset(
    {b"style", b"xmp", b"iframe", b"noembed", b"noframes", b"noscript", b"script", b"title", b"textarea"}
)
# Elements that load something by an attribute, and those that change how the following bytes are read.
LOADING = frozenset(
    {b"script", b"img", b"image", b"iframe", b"frame", b"link", b"object", b"embed", b"source", b"video", b"audio",
     b"track", b"input", b"base"}
)  # fmt: skip
SWITCHING = frozenset({b"plaintext", b"svg", b"math", b"select", b"frameset"})
INTERESTING = RAW_TEXT | LOADING | SWITCHING

# CPython 3.11.0 to 3.11.4 run possessive repeats of groups wrongly (gh-106052): everything would be skipped
# in silence. The atomic form means the same and is 15 % slower.
_POSSESSIVE_WORKS = re.compile(rb"(?:ab?c)*+").match(b"aca").end() == 2  # type: ignore[union-attr]


def many(group: bytes) -> bytes:
    """Return the pattern of any number of *group*, never given back."""
    return rb"(?:" + group + rb")*+" if _POSSESSIVE_WORKS else rb"(?>(?:" + group + rb")*)"


def any_case(words: bytes) -> bytes:
    """Return the pattern of plain *words* in any mixture of cases."""
    return b"".join(b"[%c%c]" % (c, c - 32) if 97 <= c <= 122 else bytes((c,)) for c in words)


_VALUE = rb'(?:"[^"]*+"|\'[^\']*+\'|(?=>)|[^' + SPACE + rb'>"\'][^' + SPACE + rb">]*+)"
_ATTRIBUTE_NAME = rb"[^" + SPACE + rb"/>][^" + SPACE + rb"/>=]*+"
_EQUALS = rb"[" + SPACE + rb"]*+=[" + SPACE + rb"]*+"
_ATTRIBUTE = _ATTRIBUTE_NAME + rb"(?:" + _EQUALS + _VALUE + rb"|(?![" + SPACE + rb"]*+=))"
_REST = many(rb"[" + SPACE + rb"/]++|" + _ATTRIBUTE) + rb">"
# The common case first: name="value" pairs; what does not fit falls through to the exact grammar.
_QUICK_REST = many(rb' [a-zA-Z-]++="[^"]*+"') + rb"(?:>|" + _REST + rb")"
_NAME_REST = rb"[^" + SPACE + rb"/>]*+"
_NAME_END = rb"[" + SPACE + rb"/>]"

TAG = re.compile(rb"<(/?)([a-zA-Z]" + _NAME_REST + rb")(" + _REST + rb")").match
"""A whole tag: 1 is the slash of an end tag, 2 the name, 3 all from behind the name to the ``>``."""

TAG_NAME = re.compile(rb"</?[a-zA-Z]" + _NAME_REST).match

ATTRIBUTES = re.compile(
    rb"(" + _ATTRIBUTE_NAME + rb")(?:" + _EQUALS
    + rb'(?:"([^"]*+)"|\'([^\']*+)\'|(?=>)|([^' + SPACE + rb'>"\'][^' + SPACE + rb">]*+)))?+"
).finditer  # fmt: skip

EQUALS = re.compile(_EQUALS).match
COMMENT_END = re.compile(rb"--!?>").search
DOCTYPE = re.compile(rb"<!" + any_case(b"doctype")).match
BLANK = re.compile(rb"[" + SPACE + rb"]*+").match
LITERAL_TEXT = re.compile(rb"[^<]*+" + many(rb"<(?=[^a-zA-Z/!?])[^<]*+")).match

SCRIPT_DATA = re.compile(rb"</" + any_case(b"script") + rb"(?=" + _NAME_END + rb")|<!--").search
SCRIPT_ESCAPED = re.compile(rb"-->|<(/?)" + any_case(b"script") + rb"(?=" + _NAME_END + rb")").search
RAW_END = {
    name: re.compile(rb"</" + any_case(name) + rb"(?=" + _NAME_END + rb")").search for name in RAW_TEXT
}  # fmt: skip

_DRAWING = (
    rb"(?:path|g|circle|rect|polygon|polyline|line|ellipse|defs|symbol|clippath|mask|lineargradient|"
    rb"radialgradient|stop|text|tspan|filter|pattern|marker)"
)


def _names(names: frozenset[bytes]) -> bytes:
    return b"|".join(any_case(name) for name in sorted(names))


def _other_name(names: frozenset[bytes]) -> bytes:
    """The beginning of a name that is none of *names*, decided by one or two letters where these suffice."""
    seconds = defaultdict(set)
    for name in names:
        seconds[name[:1]].add(name[1:2])
    free = b"".join(bytes((c, c - 32)) for c in range(97, 123) if bytes((c,)) not in seconds)
    quick = [rb"[" + free + rb"]"]
    for first, following in seconds.items():
        letters = b"".join(letter + letter.upper() for letter in sorted(following))
        quick.append(any_case(first) + rb"(?![" + letters + rb"])")
    return rb"(?:" + b"|".join(quick) + rb"|(?!(?:" + _names(names) + rb")" + _NAME_END + rb")[a-zA-Z])"


def _skipper(
    starts: frozenset[bytes], ends: frozenset[bytes] = frozenset(), *, drawings: bool = False
) -> re.Pattern[bytes]:
    """Text, comments and every whole tag that is neither a start tag of *starts* nor an end tag of *ends*."""
    start = _other_name(starts) + _NAME_REST + _QUICK_REST
    if drawings:  # <svg> with nothing but plain drawing inside: no integration point, script, style or CDATA
        drawing = any_case(_DRAWING)
        start += (
            rb"|" + any_case(b"svg") + rb"(?=[" + SPACE + rb">])" + _QUICK_REST + rb"(?<!/>)[^<]*+"
            + many(rb"<(?:" + drawing + rb"(?=" + _NAME_END + rb")" + _QUICK_REST
                   + rb"|/" + drawing + rb"[" + SPACE + rb"]*+>)[^<]*+")
            + rb"</" + any_case(b"svg") + rb"[" + SPACE + rb"]*+>"
        )  # fmt: skip
    name = _other_name(ends) if ends else rb"[a-zA-Z]"
    end = name + rb"(?:[^>=]*+>|" + _NAME_REST + _REST + rb")"  # without '=' no quote can hide a '>'
    comment = rb"--(?:-?>|" + many(rb"[^-]++|-(?!-)|--++(?!!?>)") + rb"--++!?>)"
    # End tags first: they are the most frequent, and an alternative that begins with a letter fails at once.
    return re.compile(
        rb"[^<]*+"
        + many(
            rb"<(?:/(?:" + end + rb"|[^a-zA-Z>][^>]*+>|>)|" + start + rb"|!(?:(?!--)[^>]*+>|" + comment + rb")"
            rb"|\?[^>]*+>|(?=[^a-zA-Z/!?]))[^<]*+"
        )
    )  # fmt: skip


SKIP_HTML = _skipper(INTERESTING, drawings=True).match
SKIP_SELECT = _skipper(INTERESTING, frozenset({b"select"})).match
"""Inside ``<select>``, which ends with its own end tag."""
