"""A page's bytes, read by the same rules as the gate's; what it would withhold whole is unreadable here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cookiegate.cli.pages import MOST_BYTES, Page, Unreadable, too_large
from cookiegate.gate.encoding import DecodingError, wrapping_of
from cookiegate.gate.page import (
    Content,
    Form,
    content_of,
    hides_markup,
    looks_like_html,
    looks_like_xml,
    unreadable,
)

if TYPE_CHECKING:
    from cookiegate.gate.encoding import Wrapping


class Text(NamedTuple):
    """The markup of a page, decoded, and the character set in which the gate reads it."""

    body: bytes
    charset: str


def text_of(page: Page) -> Text:
    """Return the page's markup.

    Raises:
        Unreadable: it is no page, or the gate could not read it and would withhold it whole.
    """
    label = page.target.label
    encodings = [value for name, value in page.headers if name == b"content-encoding"]
    content = content_of(page.headers)
    form = _sniffed(page.body) if content.form is Form.UNLABELLED and not encodings else content.form
    if form is Form.XML:
        raise Unreadable(f"{label}: it is XML, which the gate does not read; a policy limits its hosts.")
    if form is Form.OTHER:
        kinds = b", ".join(value for name, value in page.headers if name == b"content-type").decode("latin-1")
        raise Unreadable(f"{label}: it is no page{f' ({kinds})' if kinds else ''}.")
    try:
        return _decoded(page, content, wrapping_of(encodings))
    except DecodingError as fault:
        raise Unreadable(f"{label}: the gate would withhold it: {fault}.") from None


def _sniffed(body: bytes) -> Form:
    if looks_like_xml(body):
        return Form.XML
    return Form.PAGE if looks_like_html(body) else Form.OTHER


def _decoded(page: Page, content: Content, wrapping: Wrapping) -> Text:
    body = bytearray()
    for piece in wrapping.decode(page.body, final=True):
        body += piece
        if len(body) > MOST_BYTES:
            raise too_large(page.target)
    text = bytes(body)
    why = unreadable(text[:3], content.charset)
    if why:
        raise DecodingError(why)
    if hides_markup(text, content.charset):
        raise DecodingError("it has escape bytes, and its Content-Type names no character set")
    marked = text.startswith(b"\xef\xbb\xbf")  # beats every label (WHATWG Encoding 6)
    return Text(text, "utf-8" if marked else content.charset or "utf-8")
