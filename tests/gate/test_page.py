from __future__ import annotations

import pytest
from webencodings import LABELS

from cookiegate.gate.page import Form, content_of, hides_markup, looks_like_html, unreadable

STATEFUL = {"utf-16le", "utf-16be", "iso-2022-jp", "hz-gb-2312", "x-user-defined"}

FORMS = {
    "html": ([b"text/html"], Form.PAGE),
    "html with parameters": ([b"Text/HTML; charset=utf-8"], Form.PAGE),
    "second line": ([b"text/plain", b"text/html"], Form.PAGE),
    "list": ([b"text/plain, text/html"], Form.PAGE),
    "turbo": ([b"text/vnd.turbo-stream.html; charset=utf-8"], Form.FRAGMENT),
    "xhtml": ([b"application/xhtml+xml"], Form.XML),
    "svg": ([b"image/svg+xml"], Form.XML),
    "xml": ([b"text/xml"], Form.XML),
    "none": ([], Form.UNLABELLED),
    "empty": ([b""], Form.UNLABELLED),
    "anything": ([b"*/*"], Form.UNLABELLED),
    "unknown": ([b"unknown/unknown"], Form.UNLABELLED),
    "plain text": ([b"text/plain"], Form.OTHER),
    "json": ([b"application/json"], Form.OTHER),
    "bytes": ([b"application/octet-stream"], Form.OTHER),
}


def headers(*types: bytes, **others: bytes) -> list[tuple[bytes, bytes]]:
    return [*((b"content-type", t) for t in types), *((n.replace("_", "-").encode(), v) for n, v in others.items())]


@pytest.mark.parametrize(("types", "form"), FORMS.values(), ids=FORMS)
def test_a_response_is_what_a_browser_makes_of_its_labels(types: list[bytes], form: Form) -> None:
    assert content_of(headers(*types)).form is form


def test_an_attachment_is_no_page_and_nosniff_leaves_the_unlabelled_alone() -> None:
    assert content_of(headers(b"text/html", content_disposition=b'Attachment; filename="a"')).form is Form.OTHER
    for shown in (b"inline", b"attachment filename=a.html", b"attachment=a", b"attachment, inline"):  # in Chromium
        assert content_of(headers(b"text/html", content_disposition=shown)).form is Form.PAGE
    several = [(b"content-disposition", b"inline"), (b"content-disposition", b"attachment")]
    assert content_of([(b"content-type", b"text/html"), *several]).form is Form.PAGE
    for heeded in (b"x", b"nosniff"):  # the first line is
        lines = [(b"x-content-type-options", heeded), (b"x-content-type-options", b"nosniff")]
        assert content_of(lines).form is (Form.OTHER if heeded == b"nosniff" else Form.UNLABELLED)
    assert content_of(headers(x_content_type_options=b"NoSniff")).form is Form.OTHER


@pytest.mark.parametrize(
    ("label", "charset"),
    [
        (b"utf-8", "utf-8"),
        (b"UTF8", "utf-8"),
        (b'"euc-kr"', "cp949"),
        (b"'shift_jis'", "cp932"),
        (b"gbk", "gbk"),
        (b"windows-1252", "cp1252"),
        (b"iso-8859-1", "cp1252"),
        (b"utf-16", ""),
        (b"utf-7", ""),
        (b"iso-2022-jp", ""),
        (b"hz", ""),
        (b"hz-gb-2312", ""),
        (b"cp500", ""),
        (b"utf_16", ""),
        (b"latin-1", None),
        (b"no-such", None),
        (b"\xff", None),
        (b"rot13", ""),
        (b"utf-8\0", None),
        (b"x-user-defined", "ascii"),
        (b"utf-8; charset=utf-8", "utf-8"),
        (b"utf-8, text/html; charset=euc-kr", ""),
    ],
)
def test_a_character_set_is_named_as_browsers_know_it(label: bytes, charset: str | None) -> None:
    assert content_of(headers(b"text/html; charset=" + label)).charset == charset


@pytest.mark.parametrize("label", sorted(label for label, name in LABELS.items() if name not in STATEFUL))
def test_every_label_that_browsers_know_for_a_readable_character_set_is_readable(label: str) -> None:
    if LABELS[label] != "replacement":
        assert content_of(headers(b"text/html; charset=" + label.encode())).charset


@pytest.mark.parametrize("label", [b"u8", b"latin-1", b"cp1252x", b"euc_jp", b"utf_8"])
def test_a_label_that_browsers_do_not_know_vouches_for_nothing(label: bytes) -> None:
    content = content_of(headers(b"text/html; charset=" + label))
    assert content.charset == "" or hides_markup(b"\x1b$B<", content.charset)


@pytest.mark.parametrize(
    ("start", "html"),
    [
        (b"<!doctype html>", True),
        (b"\xef\xbb\xbf <HTML>", True),
        (b"\n<script>", True),
        (b"<!-- x", True),
        (b"<p>", True),
        (b"<a href", True),
        (b"<abbr>", False),
        (b"{}", False),
        (b"x<p>", False),
        (b"", False),
        (b"<", False),
        (b"<x>", False),
    ],
)
def test_unlabelled_bytes_are_looked_at_as_browsers_do(start: bytes, html: bool) -> None:
    assert looks_like_html(start) is html


def test_utf_16_and_escape_bytes_hide_markup() -> None:
    assert unreadable(b"\xff\xfe<\0", "utf-8")
    assert unreadable(b"\xfe\xff\0<", None)
    assert unreadable(b"<p>", "")
    assert unreadable(b"\xef\xbb\xbf<p>", "utf-8") is None
    assert hides_markup(b"a\x1b$B", None)
    assert not hides_markup(b"a\x1b$B", "utf-8")
    assert not hides_markup(b"abc", None)
