"""Bytes of a body: which are a page, how they are encoded, and that the rest passes as it is."""

from __future__ import annotations

import gzip
import html
import sys
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .world import GA, PAGE, Answer, Visitor, gated, visit

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _unpacked(encoding: str, data: bytes) -> bytes:
    if not encoding or encoding == "identity":
        return data
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31).decompress(data)  # a body that was cut may leave cut
    if encoding == "zstd":
        return zstd.decompress(data)
    if encoding.endswith("br"):
        return _unpacked(encoding.removesuffix("br").rstrip(", "), brotli.decompress(data))
    return zlib.decompress(data, -zlib.MAX_WBITS if data[:1] != b"\x78" else zlib.MAX_WBITS)


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip in capitals": ("GZIP", gzip.compress),
    "deflate with zlib's frame": ("deflate", zlib.compress),
    "raw deflate": ("deflate", _raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "gzip in br": ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
}


@pytest.mark.parametrize(("encoding", "pack"), PACKERS.values(), ids=PACKERS)
def test_a_packed_page_is_gated(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(PAGE.encode())
    plain = visit(Answer(PAGE)).get().body
    for chunks in ([packed], [packed[i : i + 7] for i in range(0, len(packed), 7)]):
        reply = visit(Answer(*chunks, headers=[("content-encoding", encoding)])).get()
        assert _unpacked(reply.header("content-encoding").lower(), reply.body) == plain
        assert reply.header("content-length") in {"", str(len(reply.body))}


def test_two_gzip_members_are_one_body() -> None:
    packed = gzip.compress(PAGE[:60].encode()) + gzip.compress(PAGE[60:].encode())
    reply = visit(Answer(packed, headers=[("content-encoding", "gzip")])).get()
    body = _unpacked(reply.header("content-encoding"), reply.body)
    assert GA.encode() not in body
    assert b"googletagmanager" not in body


WITHHELD: dict[str, Answer] = {
    "unknown encoding": Answer(PAGE, headers=[("content-encoding", "x-snappy")]),
    "brotli that is none": Answer(PAGE, headers=[("content-encoding", "br")]),
    "zstd that is none": Answer(PAGE, headers=[("content-encoding", "zstd")]),
    "br in one line too many": Answer(gzip.compress(PAGE.encode()), headers=[("content-encoding", "gzip")] * 2),
    "unknown inside known": Answer(gzip.compress(PAGE.encode()), headers=[("content-encoding", "x-snappy, gzip")]),
    "truncated gzip": Answer(gzip.compress(PAGE.encode())[:-30], headers=[("content-encoding", "gzip")]),
    "gzip without an end": Answer(gzip.compress(PAGE.encode())[:-4], headers=[("content-encoding", "gzip")]),
    "gzip that is none": Answer(PAGE, headers=[("content-encoding", "gzip")]),
    "deflate that is none": Answer(PAGE, headers=[("content-encoding", "deflate")]),
    "empty gzip": Answer(b"", headers=[("content-encoding", "gzip")]),
    "utf-16": Answer(PAGE.encode("utf-16"), content_type="text/html; charset=utf-16"),
    "utf-16le": Answer(PAGE.encode("utf-16-le"), content_type="text/html; charset=utf-16le"),
    "utf-16 by its mark alone": Answer(PAGE.encode("utf-16"), content_type="text/html"),
    "utf-16 by its mark against the header": Answer(PAGE.encode("utf-16"), content_type="text/html; charset=utf-8"),
    "utf-32": Answer(PAGE.encode("utf-32"), content_type="text/html; charset=utf-32"),
    "utf-7": Answer(PAGE.encode("utf-7"), content_type="text/html; charset=utf-7"),
    "iso-2022-kr": Answer(PAGE.encode(), content_type="text/html; charset=iso-2022-kr"),
    "ebcdic": Answer(PAGE.encode("cp500"), content_type="text/html; charset=cp500"),
    "a charset that nobody knows": Answer(PAGE, content_type="text/html; charset=x-klingon"),
    "half of a page": Answer(PAGE, status=206, headers=[("content-range", "bytes 0-9/100")]),
}


@pytest.mark.parametrize("answer", WITHHELD.values(), ids=WITHHELD)
@pytest.mark.parametrize("give", [None, ()], ids=["undecided", "refused"])
def test_what_cannot_be_read_is_gated_or_withheld_and_never_an_error(
    answer: Answer, give: tuple[str, ...] | None
) -> None:
    reply = visit(answer, give=give).get()
    body = _unpacked(reply.header("content-encoding"), reply.body)
    assert reply.status != 500
    assert reply.status < 500 or "text/html" in reply.header("content-type")
    for charset in ("ascii", "utf-16-le", "utf-16-be", "utf-32-le", "cp500"):
        assert "googletagmanager".encode(charset) not in body
    assert reply.header("content-length") in {"", str(len(reply.body))}


@pytest.mark.parametrize("name", ["unknown encoding", "a charset that nobody knows"])
def test_what_is_withheld_is_replaced_by_a_page_that_says_so(name: str) -> None:
    reply = visit(WITHHELD[name]).get()
    assert reply.header("content-type").startswith("text/html")
    assert len(reply.body) > 50
    assert "<script" not in reply.text


@pytest.mark.parametrize(
    "lines",
    [
        ["text/html"], ["TEXT/HTML; Charset=UTF-8"], [" text/html ;charset=utf-8"], ["text/html;"],
        ["text/plain", "text/html"], ["text/html", "text/plain"], ["text/plain, text/html"], [], [""], ["*/*"],
        ["text"], ["unknown/unknown"], ["application/unknown"], ["text/html; charset=utf-8; profile=x"],
    ],
    ids=str,
)  # fmt: skip
def test_what_a_browser_would_show_as_a_page_is_gated(lines: list[str]) -> None:
    answer = Answer(content_type=None, headers=[("content-type", line) for line in lines])
    body = visit(answer).get().body
    assert b"googletagmanager" not in body
    assert b"<h1>Tea</h1>" in body


NOT_A_PAGE: dict[str, Answer] = {
    "json": Answer(PAGE, content_type="application/json"),
    "plain text": Answer(PAGE, content_type="text/plain"),
    "script": Answer(f"load('{GA}')", content_type="text/javascript"),
    "style": Answer("a{b:c}", content_type="text/css"),
    "image": Answer(bytes(range(256)), content_type="image/png"),
    "unlabelled, nosniff": Answer(content_type=None, headers=[("x-content-type-options", "nosniff")]),
    "unlabelled bytes": Answer(bytes(range(256)) * 9, content_type=None),
    "attachment": Answer(headers=[("content-disposition", 'attachment; filename="tea.html"')]),
    "attachment in capitals": Answer(headers=[("Content-Disposition", "ATTACHMENT")]),
    "packed json": Answer(
        gzip.compress(b"{}"), content_type="application/json", headers=[("content-encoding", "gzip")]
    ),
    "events": Answer("data: 1\n\n", "data: 2\n\n", content_type="text/event-stream"),
    "range of a video": Answer(b"\x00" * 99, content_type="video/mp4", status=206),
}


@pytest.mark.parametrize("answer", NOT_A_PAGE.values(), ids=NOT_A_PAGE)
@pytest.mark.parametrize("give", [None, ()], ids=["undecided", "refused"])
def test_what_is_not_a_page_passes_untouched(answer: Answer, give: tuple[str, ...] | None) -> None:
    visitor = visit(answer, give=give)
    bare = Visitor(answer).get()
    reply = visitor.get()
    assert reply.body == bare.body
    assert reply.headers == bare.headers
    assert reply.status == bare.status


ODD: dict[str, tuple[bytes, str]] = {
    "every byte": (bytes(range(256)).replace(b"<", b""), "text/html; charset=utf-8"),
    "latin-1": ("<p title=\"é\">Übergröße ÿ</p>".encode("latin-1"), "text/html; charset=iso-8859-1"),
    "windows-1252": ("<p>“tea” – €</p>".encode("cp1252"), "text/html; charset=windows-1252"),
    "euc-kr": ("<p title='녹차'>우전, 세작 그리고 황차</p>".encode("euc-kr"), "text/html; charset=euc-kr"),
    "shift_jis": ("<p>お茶 ソ 表 能</p>".encode("shift_jis"), "text/html; charset=shift_jis"),
    "gbk": ("<p>绿茶</p>".encode("gbk"), "text/html; charset=gbk"),
    "wrong charset": ("녹차".encode("euc-kr"), "text/html; charset=utf-8"),
    "no charset": ("녹차".encode("euc-kr"), "text/html"),
    "byte order mark": (b"\xef\xbb\xbf<p>tea</p>", "text/html"),
    "nul and cr": (b"<p\x00a>\r\n\r<b\x0c>\x00</b></p>", "text/html"),
    "sloppy": (b"<P CLASS=a b='c\"><i></I></p><p/><br / ><a href=x>y<a><!-><!--x--!><?php ?></ x><<b", "text/html"),
    "unclosed": (b"<p title=\"never closed><b>and on", "text/html"),
    "unclosed comment": (b"tea <!-- and on", "text/html"),
    "own script": (b"<script>if (a<b && c>d) { x('</p>') }</script>", "text/html"),
    "nothing": (b"", "text/html"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "content_type"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("framed", [True, False], ids=["page", "fragment"])
def test_a_page_without_services_leaves_byte_for_byte(content: bytes, content_type: str, *, framed: bool) -> None:
    page = b"<!doctype html><html><body>" + content if framed else content
    assert visit(Answer(page, content_type=content_type)).get().body == page


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.binary(max_size=9) | st.sampled_from([b"<p ", b">", b"</", b"<!--", b"-->", b'="', b"<b>", b"&lt;"]))
)
def test_any_bytes_without_services_leave_as_they_came(parts: list[bytes]) -> None:
    page = b"<!doctype html><html><body>" + b"".join(parts)
    visitor.app = gated(Answer(page, content_type="text/html; charset=iso-8859-1"))
    assert visitor.get().body == page


visitor = visit(Answer())


@pytest.mark.parametrize("charset", ["euc-kr", "shift_jis", "iso-8859-1", "windows-1252", "gb18030", "big5"])
def test_pages_in_other_charsets_are_gated_and_asked_in_their_own_bytes(charset: str) -> None:
    answer = Answer(PAGE.encode(charset), content_type=f"text/html; charset={charset}")
    reply = Visitor(gated(answer, languages=["ko", "en"])).get("/", {"accept-language": "ko"})
    assert b"googletagmanager" not in reply.body
    assert reply.asks
    assert "모두" in html.unescape(reply.body.decode(charset))


def test_a_content_length_never_lies() -> None:
    for give in (None, (), ("analytics",)):
        reply = visit(Answer(headers=[("content-length", str(len(PAGE)))]), give=give).get()
        assert reply.header("content-length") in {"", str(len(reply.body))}
