"""The grammar of tags (WHATWG HTML 13.2.5) as patterns on bytes."""

from __future__ import annotations

import re

SPACE = rb"\t\n\f\r "

# Elements whose content is text up to their end tag (13.2.5.2 to 13.2.5.4); noscript where scripting is on.
RAW_TEXT = frozenset(
    {b"style", b"xmp", b"iframe", b"noembed", b"noframes", b"noscript", b"script", b"title", b"textarea"}
)

# CPython 3.11.0 to 3.11.4 run possessive repeats of groups wrongly (gh-106052): everything would be skipped
# in silence. The atomic form means the same and is 15 % slower.
_POSSESSIVE_WORKS = re.compile(rb"(?:ab?c)*+").match(b"aca").end() == 2  # type: ignore[union-attr]


def many(group: bytes) -> bytes:
    """Return the pattern of any number of *group*, never given back."""
    return rb"(?:" + group + rb")*+" if _POSSESSIVE_WORKS else rb"(?>(?:" + group + rb")*)"


def any_case(words: bytes) -> bytes:
    """Return the pattern of plain *words* in any mixture of cases."""
    return b"".join(b"[%c%c]" % (c, c - 32) if 97 <= c <= 122 else bytes((c,)) for c in words)


VALUE = rb'(?:"[^"]*+"|\'[^\']*+\'|(?=>)|[^' + SPACE + rb'>"\'][^' + SPACE + rb">]*+)"
_ATTRIBUTE_NAME = rb"[^" + SPACE + rb"/>][^" + SPACE + rb"/>=]*+"
_EQUALS = rb"[" + SPACE + rb"]*+=[" + SPACE + rb"]*+"
ATTRIBUTE = _ATTRIBUTE_NAME + rb"(?:" + _EQUALS + VALUE + rb"|(?![" + SPACE + rb"]*+=))"
REST = many(rb"[" + SPACE + rb"/]++|" + ATTRIBUTE) + rb">"
NAME_REST = rb"[^" + SPACE + rb"/>]*+"
NAME_END = rb"[" + SPACE + rb"/>]"

TAG = re.compile(rb"<(/?)([a-zA-Z]" + NAME_REST + rb")(" + REST + rb")").match
"""A whole tag: 1 is the slash of an end tag, 2 the name, 3 all from behind the name to the ``>``."""

TAG_NAME = re.compile(rb"</?[a-zA-Z]" + NAME_REST).match

ATTRIBUTES = re.compile(
    rb"(" + _ATTRIBUTE_NAME + rb")(?:" + _EQUALS
    + rb'(?:"([^"]*+)"|\'([^\']*+)\'|(?=>)|([^' + SPACE + rb'>"\'][^' + SPACE + rb">]*+)))?+"
).finditer  # fmt: skip

EQUALS = re.compile(_EQUALS).match
COMMENT_END = re.compile(rb"--!?>").search
DOCTYPE = re.compile(rb"<!" + any_case(b"doctype")).match

SCRIPT_DATA = re.compile(rb"</" + any_case(b"script") + rb"(?=" + NAME_END + rb")|<!--").search
SCRIPT_ESCAPED = re.compile(rb"-->|<(/?)" + any_case(b"script") + rb"(?=" + NAME_END + rb")").search
RAW_END = {
    name: re.compile(rb"</" + any_case(name) + rb"(?=" + NAME_END + rb")").search for name in RAW_TEXT
}  # fmt: skip
