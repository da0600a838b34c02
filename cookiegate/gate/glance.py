"""Tags, scripts and style sheets of the common, harmless kind, told by their bytes without reading attributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cookiegate.gate import skipping
from cookiegate.gate.grammar import NAME_REST, RAW_END, any_case, many
from cookiegate.gate.loads import HANDLERS, MARK
from cookiegate.gate.rawtext import RawText

if TYPE_CHECKING:
    from cookiegate.gate.judge import Judge

KEPT_HOSTS = 256  # of one page


# What '&' may begin: no reference at all, one to a sign that no address is made of, or to none of ASCII's.
_REFERENCE = (
    rb"(?:(?!#|(?:sol|bsol|colon|Tab|NewLine|period|percnt|lowbar|fjlig);)"
    rb"|#(?:0?3[489]|160|[1-9][0-9]{3,5}|[xX](?:2[267]|[1-9a-fA-F][0-9a-fA-F]{2,4}));)"
)


def _value(quote: bytes) -> bytes:
    """Nothing that could spell an address in another way: no escape or line break, harmless references, '://' whole."""
    return many(rb"[^" + quote + rb":\\&\n\r\t]++|://|&" + _REFERENCE + rb"|:(?<![tT][pP]:)(?<![pP][sS]:)")


# A whole tag, written plainly, without a mark or a handler that runs by itself.
_PLAIN_TAG = re.compile(
    rb"<([a-zA-Z]" + NAME_REST + rb")"
    + many(
        rb"[ \n\r\t]++(?!" + b"|".join(map(any_case, (MARK, *sorted(HANDLERS)))) + rb")[a-zA-Z0-9_:@.-]++"
        rb"(?:=(?:\"" + _value(rb'"') + rb"\"|'" + _value(rb"'") + rb"'"
        rb"|[^\s\"'<>=`&\\:]++(?:://[^\s\"'<>\\&:]*+)?)|(?=[ \n\r\t>/]))"
    )
    + rb"[ \n\r\t]*+/?+>"
).match  # fmt: skip
# The host behind each '//'; nothing where it does not end plainly.
_HOSTS = re.compile(rb"//(?:([^/?#\"'<> ]*+)(?=[/?#]|[\"'][ />\t\n]|[ >]))?+").findall
_STYLE_HOSTS = re.compile(rb"//(?:([^/?#\"'() ]*+)(?=[/?#]))?+").findall
# Escapes that could spell an address: all but long numbers, which no address has, and what utility classes need.
_STRANGE_STYLE = re.compile(
    rb"\\(?:(?<=/\\)|(?!"
    rb"[1-9a-fA-F][0-9a-fA-F]{2,5}(?![0-9a-fA-F])|[.\[\]()#%,!&>+*=~@'\"$^{}]|[:/](?![/\\])))"
    rb"|:(?:(?<=[dD][aA][tT][aA]:)(?!image/|font/)|(?!//)(?:(?<=[tT][pP]:)|(?<=[tT][pP][sS]:)))"
).search
# Escapes of what paths are told by: letters, digits, dots, dashes, slashes.
_ESCAPED_ASCII = re.compile(rb"%(?:2[d-f]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f)").search
_POLICY = re.compile(rb"refresh|policy", re.IGNORECASE).search
_DATA = re.compile(rb"<script(?: (?:id|class)=\"[^\"]*+\")*+ type=\"application/(?:ld\+)?json\"").match
_TYPED = re.compile(rb"[tT][yY][pP][eE]|[sS][rR][cC]").search
_JAVASCRIPT = b' type="text/javascript"'

_SCHEME = re.compile(rb":(?!//)").search  # a script or style sheet inside its own address, perhaps
_WITH_CONTENT = frozenset({b"script", b"style", b"title", b"textarea"})
# Their start tag decides how the following bytes are read, or they are judged by more than their addresses.
_NEVER = (
    skipping.SWITCHING
    | {b"iframe", b"noscript", b"xmp", b"noembed", b"noframes", b"base", b"frame", b"object", b"embed"}
    | {name for name in skipping.INTERESTING if name.startswith(b"amp-")}
)


# Not with what is found in their tags: a style sheet inside its own address, a refresh, a policy.
_SOMETIMES = {b"link": _SCHEME, b"meta": _POLICY}


class Glance:
    """Passes over all that *judge* would let out anyway; where it is not sure, the reader has to look.

    It looks for hosts in a construct's bytes: where every one of them is free and no path tells a service, no
    attribute can load anything that is withheld.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._free: set[bytes] = set()
        self._tell_paths = judge.places.tell_paths

    def __call__(self, buf: bytes, pos: int) -> int:
        """Return where the next construct is, from *pos* on, that must be looked at."""
        free, skip = self._free, skipping.HTML
        while True:
            pos = skip(buf, pos).end()  # type: ignore[union-attr]
            tag = _PLAIN_TAG(buf, pos)
            if tag is None:
                return pos
            end = tag.end()
            hosts = _HOSTS(buf, pos, end)
            if not free.issuperset(hosts) and not self._are_free(hosts):
                return pos
            if self._may_name_path(buf[pos:end]):
                return pos
            name = tag[1].lower()
            if name in _WITH_CONTENT:
                end = self._content_end(name, buf, pos, end)
                if end < 0:
                    return pos
            elif name in _NEVER or (name in _SOMETIMES and _SOMETIMES[name](buf, pos, end)):
                return pos
            pos = end

    def _may_name_path(self, construct: bytes) -> bool:
        lowered = construct.lower()
        if b"%" in lowered and _ESCAPED_ASCII(lowered):
            return True
        return not self._tell_paths or self._judge.places.names_path(lowered)

    def _are_free(self, hosts: list[bytes]) -> bool:
        for host in hosts:
            if host not in self._free:
                if not self._judge.places.are_free_at(host):
                    return False
                if len(self._free) < KEPT_HOSTS:
                    self._free.add(host)
        return True

    # -- elements whose content is text: where they end, or -1

    def _content_end(self, name: bytes, buf: bytes, start: int, body: int) -> int:
        if name == b"script":
            return self._script_end(buf, start, body)
        end = RAW_END[name](buf, body)
        if end is None or not buf.startswith(b"</" + name + b">", end.start()):
            return -1
        if name == b"style" and not self._is_free_style(buf, body, end.start()):
            return -1
        return end.end() + 1

    def _script_end(self, buf: bytes, start: int, body: int) -> int:
        if _SCHEME(buf, start, body):
            return -1
        if buf.startswith(b"</script>", body):
            return body + 9
        at, _ = RawText(b"script").find_end(buf, body)
        if at < 0 or not buf.startswith(b"</script>", at):
            return -1
        if body - start > len(b"<script>"):
            head = buf[start:body]
            if _DATA(head):
                return at + 9
            if _TYPED(head.replace(_JAVASCRIPT, b"", 1)):
                return -1
        return -1 if self._judge.runs_withheld(buf[body:at]) else at + 9

    def _is_free_style(self, buf: bytes, body: int, end: int) -> bool:
        if _STRANGE_STYLE(buf, body, end) or self._may_name_path(buf[body:end]):
            return False
        return self._are_free(_STYLE_HOSTS(buf, body, end))
