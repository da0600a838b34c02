"""Header lines that somebody hostile, or something broken, may send."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from tests.http.wire import Lines

ASKED: Final = (
    b"cookie", b"accept", b"accept-encoding", b"accept-language", b"accept-charset", b"if-match", b"if-none-match",
    b"if-modified-since", b"if-unmodified-since", b"if-range", b"range", b"host", b"forwarded", b"x-forwarded-for",
    b"x-forwarded-proto", b"x-forwarded-host", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest", b"sec-gpc",
    b"dnt", b"origin", b"referer", b"user-agent", b"sec-ch-ua", b"sec-ch-ua-platform", b"content-type",
    b"content-length", b"content-encoding", b"authorization", b"cache-control", b"te", b"expect", b"hx-request",
    b"turbo-frame", b"x-requested-with", b"purpose", b"sec-purpose", b"privacy-variant", b"transfer-encoding",
    b"upgrade", b"connection",
)  # fmt: skip
TOLD: Final = (
    b"set-cookie", b"link", b"content-security-policy", b"content-security-policy-report-only", b"etag", b"vary",
    b"cache-control", b"content-type", b"refresh", b"report-to", b"reporting-endpoints", b"nel", b"content-length",
    b"content-encoding", b"content-disposition", b"content-language", b"content-range", b"accept-ranges", b"age",
    b"expires", b"last-modified", b"location", b"clear-site-data", b"digest", b"repr-digest", b"surrogate-control",
    b"cdn-cache-control", b"sourcemap", b"x-content-type-options", b"permissions-policy", b"trailer", b"x-own",
    b"speculation-rules", b"no-vary-search", b"alt-svc", b"content-md5", b"server-timing", b"set-cookie2",
)  # fmt: skip
WORDS: Final = (
    b"_ga", b"_ga_X", b"_fbp", b"__Host-privacy", b"privacy", b"session", b"=", b";", b",", b" ", b"\t", b'"',
    b"\\", b"'", b"<", b">", b"*", b"W/", b'W/"v1"', b'"v1"', b"\r\n", b"\n", b"\r", b"\0", b"\x7f", b"\x0b",
    b"\xa0", b"\xff", b"\xc3\xa9", b"%0d%0a", b"Set-Cookie: _ga=1", b"max-age=0", b"Max-Age=-1", b"Path=/",
    b"Domain=shop.test", b"Expires=0", b"shop.test", b"evil.test", b"localhost", b"[::1]", b":443", b"@",
    b"https://www.googletagmanager.com/gtag/js", b"//connect.facebook.net/x", b"; rel=preload; as=script",
    b"0; url=", b"text/html", b"charset=utf-16", b"charset=", b"image/svg+xml", b"gzip", b"br", b"identity",
    b"bytes=0-9", b"q=", b"1", b"0", b"-1", b"9" * 400, b"ko", b"en;q=0.5", b"public", b"no-store", b"private=",
    b"s-maxage=", b"script-src", b"'none'", b"sandbox", b"form-action", b"default-src", b"document", b"navigate",
    b"same-origin", b"cross-site", b"{", b"}", b"[", b"]", b'{"group":"a","endpoints":[{"url":', b"for=", b"proto=",
    b"Sun, 06 Nov 1994 08:49:37 GMT", b"../", b"A" * 300,
)  # fmt: skip
VALUES: Final = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=9).map(b"".join),
    st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=6)), max_size=6).map(b"".join),
    st.binary(max_size=40),
)


def some(names: tuple[bytes, ...]) -> st.SearchStrategy[Lines]:
    return st.lists(st.tuples(st.sampled_from(names), VALUES), max_size=10)
