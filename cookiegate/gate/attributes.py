"""What stands in an attribute, read as browsers read it: text, a list of addresses, a whole document."""

from __future__ import annotations

import html
import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from cookiegate.gate.page import Form, content_of, hides_markup, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACES = "\t\n\f\r "
_C0_OR_SPACE = "".join(map(chr, range(33)))
_REMOVED = {ord(char): None for char in "\t\n\r"}  # anywhere in an address (WHATWG URL 4.4)

_LONG_NUMBER = re.compile(r"&#([0-9]{1000,}+)").sub
_GAP = re.compile(r"[\t\n\f\r ,]*+").match
_ADDRESS = re.compile(r"[^\t\n\f\r ]++").match
_DESCRIPTORS = re.compile(r"(?>(?:[^,(]++|\([^)]*+\)?)*)").match  # up to the next comma outside parentheses
_REFRESH = re.compile(
    r"[\t\n\f\r ]*+(?:[0-9]++|(?=\.))[0-9.]*+(?=[;,\t\n\f\r ])[\t\n\f\r ]*+[;,]?+[\t\n\f\r ]*+"
    r"(?:url[\t\n\f\r ]*+=[\t\n\f\r ]*+)?(?:\"([^\"]*+)|'([^']*+)|(.+))",
    re.IGNORECASE | re.DOTALL,
).match
_CDATA = b"<![CDATA["
_BASE64 = re.compile(r";[ ]*base64$", re.IGNORECASE)
# What XML reads otherwise than HTML: document types, style sheets, namespaces under other names; and HTML in svg.
_XML_ONLY = re.compile(
    rb"<!(?!--|\[CDATA\[)|<\?xml-|<foreignobject|xmlns(?::(?!xlink\s*=)|\s*=\s*[\"'](?!http://www\.w3\.org/2000/svg[\"']))",
    re.IGNORECASE,
).search


class Embedded(NamedTuple):
    """What stands inside an address: *document* says that it is markup, to be read in *charset*."""

    body: bytes
    document: bool = False
    charset: str = "utf-8"


def unescape(text: str) -> str:
    """Replace character references. The standard library's function gives up on numbers of thousands of digits."""
    try:
        return html.unescape(text)
    except ValueError:  # eight digits are too many for a character already
        return html.unescape(_LONG_NUMBER(lambda number: "&#0" + number[1].lstrip("0")[:8], text))


def candidates(srcset: str) -> Iterator[tuple[str, str]]:
    """Yield each address of a list with descriptors, and the entry as it is written (HTML 4.8.4.2.1)."""
    pos = 0
    while match := _ADDRESS(srcset, _GAP(srcset, pos).end()):  # type: ignore[union-attr]
        url, pos = match[0], match.end()
        if not url.endswith(","):
            pos = _DESCRIPTORS(srcset, pos).end()  # type: ignore[union-attr]
        yield url.rstrip(","), srcset[match.start() : pos].rstrip(SPACES + ",")


def refresh_address(content: str) -> str | None:
    """Return where a refresh leads (HTML 4.2.5.3, the same for the header); None if it only loads the page again."""
    found = _REFRESH(content)
    return (found[1] or found[2] or found[3]) if found else None


def foreign_text(body: bytes) -> bytes | None:
    """Return what a browser reads of a script or style in svg; None where markup stands in it, which cannot be judged.

    Its text is read like any text of svg: with character references, or in one CDATA section without.
    """
    if b"<" not in body:
        return unescape(body.decode("latin-1")).encode("latin-1", "replace")
    text = body.strip(SPACES.encode())
    if not text.startswith(_CDATA):
        return None
    section, end, rest = text.removeprefix(_CDATA).partition(b"]]>")
    return section if end and not rest else None


def embedded(url: str) -> Embedded | None:
    """Return the script or document inside a ``javascript:`` or ``data:`` address; None if it cannot be read."""
    scheme, _, rest = url.lstrip(_C0_OR_SPACE).translate(_REMOVED).partition(":")
    if scheme.lower() == "javascript":
        return Embedded(_percent_decoded(rest))
    head, _, encoded = rest.partition("#")[0].partition(",")
    if "%" in head:  # the head is not decoded (Fetch 6), but somebody may
        return None
    head = head.strip(SPACES)
    kind, body = _BASE64.sub("", head), _percent_decoded(encoded)
    if kind != head:
        try:
            body = _forgiving_base64(body)
        except (Base64Error, ValueError):
            return None
    return _document(kind, body)


def _document(kind: str, body: bytes) -> Embedded | None:
    content = content_of([(b"content-type", kind.encode("utf-8", "replace"))])
    if content.form not in {Form.PAGE, Form.XML}:
        return Embedded(body)
    if unreadable(body, content.charset) or hides_markup(body, content.charset):
        return None
    if content.form is Form.XML and (not kind.lower().startswith("image/svg+xml") or _XML_ONLY(body)):
        return None
    return Embedded(body, document=True, charset=content.charset or "utf-8")


def _percent_decoded(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogatepass"))


def _forgiving_base64(body: bytes) -> bytes:
    """Infra 7: white space does not matter, and padding may be missing."""
    body = b"".join(body.split()).rstrip(b"=")
    return b64decode(body + b"=" * (-len(body) % 4))
