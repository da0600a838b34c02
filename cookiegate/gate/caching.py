"""Vary, ETag, Cache-Control: one visitor's page is never another's."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cookiegate.consent.consent import Consent

    Header = tuple[bytes, bytes]

_TAGS = re.compile(rb'(W/)?"([^"]*)"').findall
_TAG = re.compile(rb'(?:W/)?"[^"\x00-\x1f\x7f]*"').fullmatch
_OURS = re.compile(rb"(.*)~([0-9a-f]{12})", re.DOTALL).fullmatch
_SUFFIX = re.compile(rb'~[0-9a-f]{12}(?=")').sub
# RFC 9111 5.2: directives are a list over all lines, and an argument may be quoted. What follows a quote that never
# closes belongs to nobody.
_ELEMENTS = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\(?:.|\Z))*(?:"|\Z))+', re.DOTALL).findall
_DIRECTIVE = re.compile(
    rb'([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*([^\s\0",;=]*|"(?:[^"\\\0\r\n]|\\[^\0\r\n])*"))?'
).fullmatch
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 5.6.2: the name of a header
# What an app may say of a page that is no longer true, or not ours to say, once the page was gated.
_UNTRUE = frozenset(
    {
        b"last-modified", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"unencoded-digest",
        b"accept-ranges", b"privacy-variant",
    }
)  # fmt: skip
# Words for shared caches, some of which would hear them before Cache-Control.
_SHARED = frozenset({b"surrogate-control", b"x-accel-expires", b"edge-control"})
_TARGETED = b"-cache-control"  # RFC 9213 and its forerunners: CDN-, Cloudflare-CDN-, Netlify-CDN-, X-LiteSpeed- …
# `immutable` and a stale page would show an earlier choice wherever a browser forgets Vary: Cookie.
_NOT_OF_A_PAGE = frozenset(
    {b"public", b"private", b"s-maxage", b"proxy-revalidate", b"immutable", b"stale-while-revalidate"}
)
_OF_THE_BODY = frozenset(
    {
        b"content-length", b"content-type", b"content-encoding", b"content-language", b"content-range", b"etag",
        b"transfer-encoding",
    }
)  # fmt: skip
_READING = frozenset({"GET", "HEAD"})
_PARTIAL = frozenset({b"range", b"if-range", b"if-modified-since"})
_CONDITIONS = frozenset({b"if-match", b"if-none-match", b"if-range", b"if-modified-since", b"if-unmodified-since"})


def variant(consent: Consent, *, revision: str, language: str, forms: tuple[bool, bool]) -> bytes:
    """Return 12 hexadecimal digits for all that a page depends on.

    That is what is granted and why it is not (a placeholder offers no yes that a rule would overrule), the services
    excepted, the signal, the language of banner and placeholders, whether our *forms* may stand in the page and leave
    their visitor there, and the configuration (*revision*).
    """
    site = consent.site
    purposes = (f"{p}={consent.allows(p)} {why.name if (why := consent.overruled.get(p)) else ''}" for p in site.asked)
    excepted = (
        f"{slug}={consent.allows_service(site.declared[slug])}"
        for slug in sorted(consent.exceptions)
        if slug in site.declared
    )
    facts = [revision, language, str(forms), str(consent.signal), *purposes, "|", *excepted]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12].encode()


def document_variant(variant: bytes) -> bytes:
    """Return the variant of a document that is not tokenised: a 304 has no Content-Type, its tag tells them apart."""
    return hashlib.sha256(variant + b" document").hexdigest()[:12].encode()


def tagged(etag: bytes, variant: bytes, *, weak: bool = False) -> bytes:
    """Return the app's ETag with the variant in it; nothing for what is no ETag (RFC 9110 8.8.3)."""
    if not _TAG(etag):
        return b""
    return (b"W/" if weak and not etag.startswith(b"W/") else b"") + etag[:-1] + b"~" + variant + b'"'


def translated(values: Iterable[bytes], variant: bytes, *, foreign: bool) -> bytes | None:
    """Return If-None-Match as the app knows its tags: of our variants only this visitor's.

    *foreign* tags, which never had a variant of ours, stay only where the request is not for a page.
    """
    kept: list[bytes] = []
    for value in values:
        if value.strip() == b"*" and foreign:
            kept.append(b"*")
        for weak, tag in _TAGS(value):
            ours = _OURS(tag)
            if ours and ours[2] == variant:
                plain = b'"' + ours[1] + b'"'  # a cache may have weakened the tag; an app may compare by the letter
                kept += [plain, weak + plain] if weak else [plain]
            elif not ours and foreign:
                kept.append(weak + b'"' + tag + b'"')
    return b", ".join(kept) or None


def weakened(values: Iterable[bytes], variant: bytes) -> bool:
    """Return whether the visitor's copy has a weak tag of this variant: a 304 must name the same (RFC 9111 4.3.4)."""
    return any(weak and tag.endswith(b"~" + variant) for value in values for weak, tag in _TAGS(value))


def confirmed(values: Iterable[bytes], variant: bytes) -> bytes:
    """Return the one tag of this variant that the visitor's copy can have; a 304 names it (RFC 9110 15.4.5)."""
    tags = {weak + b'"' + tag + b'"' for value in values for weak, tag in _TAGS(value) if tag.endswith(b"~" + variant)}
    return tags.pop() if len(tags) == 1 and all(map(_TAG, tags)) else b""


def wants_page(headers: Sequence[Header]) -> bool:
    """Return whether the request's Accept names text/html."""
    return any(name == b"accept" and b"text/html" in value.lower() for name, value in headers)


def depends(sent: Mapping[bytes, bytes]) -> bool:
    """Return whether a request with these headers is for a page, or has a condition: see `request_headers`."""
    return not _CONDITIONS.isdisjoint(sent) or sent.get(b"accept", b"").lower().find(b"text/html") >= 0


def request_headers(headers: Sequence[Header], variant: Callable[[], bytes], *, method: str) -> list[Header]:
    """Return the headers that the app may see: no condition or range that could cross variants of a page.

    Conditions of a request that changes something protect from lost updates (RFC 9110 13.1.1) and are never dropped.
    """
    page = wants_page(headers)
    if not page and not any(b"~" in value for name, value in headers if name.startswith(b"if-")):
        return list(headers)
    if method in _READING:
        kept = _conditions_of_reading(headers, variant, page=page)
    else:
        kept = [(name, _SUFFIX(b"", value) if name == b"if-none-match" else value) for name, value in headers]
    kept = [(name, _SUFFIX(b"", value) if name == b"if-match" else value) for name, value in kept]
    if not page:
        return kept
    # Compression belongs outside: it costs more than the gate.
    return [*(entry for entry in kept if entry[0] != b"accept-encoding"), (b"accept-encoding", b"identity")]


def _conditions_of_reading(headers: Sequence[Header], variant: Callable[[], bytes], *, page: bool) -> list[Header]:
    asked = [value for name, value in headers if name == b"if-none-match"]
    partial = page or any(name == b"if-range" and b"~" in value for name, value in headers)
    dropped = {b"if-none-match"} | (_PARTIAL if partial else frozenset())
    kept = [(name, value) for name, value in headers if name not in dropped]
    condition = translated(asked, variant(), foreign=not page) if asked else None
    return [*kept, (b"if-none-match", condition)] if condition else kept


def page_headers(
    headers: Sequence[Header], variant: bytes, *, vary: Sequence[bytes], fleeting: bool, weak: bool = False
) -> list[Header]:
    """Return a page's headers: private to this visitor, and silent about what gating made untrue.

    A *fleeting* page asks something, or shows what was allowed for minutes: it is stored nowhere. Its tag is *weak*
    also where we encoded the body anew: the same page then need not have the same bytes.
    """
    weak = weak or any(name == b"content-encoding" for name, _ in headers)
    kept: list[Header] = []
    for name, value in _unshared(headers, fleeting=fleeting):
        if name == b"etag":
            value = tagged(value.strip(), variant, weak=weak)
        if name not in _UNTRUE and value:
            kept.append((name, value))
    kept.append((b"cache-control", _cache_control(headers, fleeting=fleeting)))
    kept.append((b"vary", _vary(headers, vary)))
    return kept


def private_headers(headers: Sequence[Header], vary: Sequence[bytes]) -> list[Header]:
    """Return the headers of a response that is no page and yet depends on the visitor: by its cookies or its Link."""
    return [
        *_unshared(headers, fleeting=False),
        (b"cache-control", _cache_control(headers, fleeting=False)),
        (b"vary", _vary(headers, vary)),
    ]


def withheld_headers(headers: Sequence[Header], length: int) -> list[Header]:
    """Return the headers of the notice that takes a page's place: nothing of the page's body, stored nowhere."""
    kept = [entry for entry in _unshared(headers, fleeting=True) if entry[0] not in _UNTRUE | _OF_THE_BODY]
    return [
        *kept,
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(length).encode()),
        (b"cache-control", b"no-store"),
    ]


def _unshared(headers: Sequence[Header], *, fleeting: bool) -> list[Header]:
    """Return the headers without every word for caches; Expires is one that Cache-Control: private covers."""
    dropped = _SHARED | {b"vary", b"cache-control"} | ({b"expires"} if fleeting else frozenset())
    return [
        (name, value)
        for name, value in headers
        if name not in dropped
        and not name.endswith(_TARGETED)
        and (name != b"pragma" or value.strip().lower() == b"no-cache")
    ]


def directives(headers: Iterable[Header], name: bytes = b"cache-control") -> dict[bytes, bytes | None] | None:
    """Return the directives of all lines, names in lower case, the strictest of a repeated one; None if malformed."""
    said: dict[bytes, bytes | None] = {}
    for element in _ELEMENTS(b",".join(value for found, value in headers if found == name)):
        if not element.strip():
            continue
        match = _DIRECTIVE(element.strip())
        if not match:
            return None
        key, value = match[1].lower(), match[2]
        said[key] = _shorter(said[key], value) if key in said else value
    return said


def _shorter(one: bytes | None, other: bytes | None) -> bytes | None:
    """RFC 9111 4.2.1: of several lifetimes the shortest is believed; of other arguments none limits the directive."""
    if one is None or other is None or not (one.isdigit() and other.isdigit()):
        return one if one == other else None
    return min(one, other, key=int)


def _cache_control(headers: Sequence[Header], *, fleeting: bool) -> bytes:
    said = directives(headers)
    if fleeting or said is None:
        return b"no-store"
    kept = [
        name if value is None else name + b"=" + value for name, value in said.items() if name not in _NOT_OF_A_PAGE
    ]
    return b", ".join([b"private", *kept])


def _vary(headers: Sequence[Header], vary: Sequence[bytes]) -> bytes:
    said = [part.strip() for name, value in headers if name == b"vary" for part in value.split(b",")]
    if b"*" in said:
        return b"*"
    named = [part for part in [*said, *vary] if _TOKEN(part)]
    merged = {part.lower(): part for part in reversed(named)}
    order = dict.fromkeys(part.lower() for part in named)
    return b", ".join(merged[key] for key in order)
