"""Vary, ETag, Cache-Control: one visitor's page is never another's."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cookiegate.consent.consent import Consent

    Header = tuple[bytes, bytes]

_ETAG = re.compile(rb'(W/)?"([^"]*)"').findall
_OURS = re.compile(rb"(.*)~([0-9a-f]{12})").fullmatch
# What an app may say of a page that is no longer true, or not ours to say, once the page was gated.
_UNTRUE = frozenset(
    {b"last-modified", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"accept-ranges"}
)  # fmt: skip
_SHARED = frozenset({b"surrogate-control", b"x-accel-expires", b"edge-control", b"x-litespeed-cache-control"})
_TARGETED = b"cdn-cache-control"  # RFC 9213: such a field would beat our Cache-Control in the cache that it names
_CONDITIONS = frozenset({b"range", b"if-range", b"if-modified-since", b"if-unmodified-since", b"if-match"})


def variant(consent: Consent, *, revision: str, language: str, forms: bool) -> bytes:
    """Return 12 hexadecimal digits for all that a page depends on: answers, signal, our forms, configuration."""
    facts = [
        revision,
        *consent.granted,
        "|",
        *(f"{slug}={exception.granted}" for slug, exception in sorted(consent.exceptions.items())),
        "|",
        language,  # of the banner, and of placeholders
        ",".join(consent.asks) if forms else "no forms",
        str(consent.signal),
    ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12].encode()


def document_variant(variant: bytes) -> bytes:
    """Return the variant of a document that is not tokenised: a 304 has no Content-Type, its tag tells them apart."""
    return hashlib.sha256(variant + b" document").hexdigest()[:12].encode()


def tagged(etag: bytes, variant: bytes) -> bytes:
    """Return the app's ETag with the variant in it."""
    return etag[:-1] + b"~" + variant + b'"' if etag.endswith(b'"') else b'"' + variant + b'"'


def translated(values: Iterable[bytes], variant: bytes, *, foreign: bool) -> bytes | None:
    """Return If-None-Match as the app knows its tags: of our variants only this visitor's.

    *foreign* tags, which never had a variant of ours, stay only where the request is not for a page.
    """
    kept: list[bytes] = []
    for value in values:
        if value.strip() == b"*" and foreign:
            kept.append(b"*")
        for weak, tag in _ETAG(value):
            ours = _OURS(tag)
            if ours and ours[2] == variant:
                plain = b'"' + ours[1] + b'"'  # a cache may have weakened the tag; an app may compare by the letter
                kept += [plain, weak + plain] if weak else [plain]
            elif not ours and foreign:
                kept.append(weak + b'"' + tag + b'"')
    return b", ".join(kept) or None


def wants_page(headers: Sequence[Header]) -> bool:
    """Return whether the request's Accept names text/html."""
    return any(name == b"accept" and b"text/html" in value.lower() for name, value in headers)


def request_headers(headers: Sequence[Header], variant: Callable[[], bytes]) -> list[Header]:
    """Return the headers that the app may see: no condition or range that could cross variants of a page."""
    page = wants_page(headers)
    asked = [value for name, value in headers if name == b"if-none-match"]
    if not page and not any(b"~" in value for value in asked):
        return list(headers)
    dropped = {b"if-none-match"} | (_CONDITIONS | {b"accept-encoding"} if page else frozenset())
    kept = [(name, value) for name, value in headers if name not in dropped]
    condition = translated(asked, variant(), foreign=not page) if asked else None
    if condition:
        kept.append((b"if-none-match", condition))
    if page:
        kept.append((b"accept-encoding", b"identity"))  # compression belongs outside: it costs more than the gate
    return kept


def page_headers(headers: Sequence[Header], variant: bytes, *, vary: Sequence[bytes], fleeting: bool) -> list[Header]:
    """Return a page's headers: private to this visitor, and silent about what gating made untrue.

    A *fleeting* page asks something, or shows what was allowed for minutes: it is stored nowhere.
    """
    kept = [
        (name, tagged(value.strip(), variant) if name == b"etag" else value)
        for name, value in headers
        if name not in _UNTRUE | _SHARED and name not in {b"vary", b"cache-control"} and not name.endswith(_TARGETED)
    ]
    kept.append((b"cache-control", _cache_control(headers, fleeting=fleeting)))
    kept.append((b"vary", _vary(headers, vary)))
    return kept


def private_headers(headers: Sequence[Header]) -> list[Header]:
    """Return the headers of a response that is no page and yet depends on the visitor, by what its Link fetches."""
    kept = [entry for entry in headers if entry[0] not in {b"vary", b"cache-control"}]
    kept = [entry for entry in kept if not entry[0].endswith(_TARGETED) and entry[0] not in _SHARED]
    return [
        *kept,
        (b"cache-control", _cache_control(headers, fleeting=False)),
        (b"vary", _vary(headers, [b"Cookie", b"Sec-GPC"])),
    ]


def _cache_control(headers: Sequence[Header], *, fleeting: bool) -> bytes:
    if fleeting:
        return b"no-store"
    said = b",".join(value for name, value in headers if name == b"cache-control")
    directives = [d.strip() for d in re.findall(rb'(?:[^,"]|"[^"]*")+', said)]
    kept = [
        d
        for d in directives
        if d and d.lower().split(b"=")[0].strip() not in {b"public", b"s-maxage", b"proxy-revalidate", b"private"}
    ]
    return b", ".join([b"private", *kept])


def _vary(headers: Sequence[Header], vary: Sequence[bytes]) -> bytes:
    said = [part.strip() for name, value in headers if name == b"vary" for part in value.split(b",")]
    if b"*" in said:
        return b"*"
    merged = {part.lower(): part for part in reversed([*said, *vary]) if part}
    order = dict.fromkeys(part.lower() for part in [*said, *vary] if part)
    return b", ".join(merged[key] for key in order)
