"""The consent cookie: its name and how it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.consent.receipt import MAX_SENT, MAX_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cookiegate.consent.consent import Consent
    from cookiegate.cookie import SentCookie
    from cookiegate.site import Site


OWN_NAMES = frozenset({b"privacy", b"__Host-privacy", b"__Secure-privacy"})


def cookie_name(site: Site, *, secure: bool) -> str:
    """Return the name: ``__Host-`` keeps it to this host, ``__Secure-`` where all subdomains share one choice."""
    if not secure:
        return "privacy"  # on a developer's own machine only
    return "__Secure-privacy" if site.cookie_domain else "__Host-privacy"


def receipts_sent(site: Site, cookies: Iterable[SentCookie], *, secure: bool) -> tuple[bytes, ...]:
    """Return the values of all cookies of our name, byte for byte as far as it takes to see one too long or many."""
    name = cookie_name(site, secure=secure).encode()
    values = [cookie.value[: MAX_VALUE + 1] for cookie in cookies if cookie.name == name]
    return tuple(values[: MAX_SENT + 1])


def set_cookie(consent: Consent, value: str, *, secure: bool, now: float) -> bytes:
    """Return the Set-Cookie value that keeps a receipt until the server would no longer believe it."""
    site = consent.site
    lifetime = site.reask_after_yes if consent.grants else site.reask_after_no
    remaining = int((consent.time or now) + lifetime.total_seconds() - now)
    attributes = [f"Max-Age={remaining}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if secure:
        attributes.append("Secure")
        if site.cookie_domain:
            attributes.append(f"Domain={site.cookie_domain}")
    return "; ".join((f"{cookie_name(site, secure=secure)}={value}", *attributes)).encode()
