"""What our own routes answer: pages, files, and that a method is not allowed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from cookiegate.agent import recognise
from cookiegate.notice import browsers
from cookiegate.notice.choices import Note, choices
from cookiegate.notice.download import receipt_file
from cookiegate.notice.forms import return_to
from cookiegate.pages import assets, render, stylesheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from cookiegate.consent.consent import Consent
    from cookiegate.notice.addresses import Addresses

OWN_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one of our routes answers. *consent* is the visitor's new one, if there is one; *happened* says what."""

    response: Response
    consent: Consent | None = None
    happened: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request to one of our routes."""

    request: Request
    path: str  # below the prefix
    consent: Consent
    language: str
    addresses: Addresses
    origin: str
    can_keep: bool  # whether a receipt can be stored: https, or a developer's own machine
    now: float
    new_id: Callable[[], str]
    hears: Callable[[], bool]  # whether one more report of browsers is read
    hear: Callable[[bytes], None]
    variant: Callable[[], bytes | None]  # by which a shared cache keeps this visitor's pages, if the site has one
    fits: Callable[[Consent], bool]  # into one cookie


def choices_page(asked: Asked, note: Note | None = None, status: HTTPStatus = HTTPStatus.OK) -> Outcome:
    """Show what is asked and what was chosen, and say *note* first."""
    asked_note = asked.request.query_params.get("note")
    if note is None and asked_note in {Note.SAVED.value, Note.WITHDRAWN.value}:
        note = Note(asked_note)
    back = _came_from(asked)
    return _page(
        asked, "choices.html", status,
        **choices(asked.consent, asked.language, note=note, now=asked.now),
        back=back,
        here=partial(_here, asked, back),
    )  # fmt: skip


def _here(asked: Asked, back: str, note: str) -> str:
    query = urlencode({key: value for key, value in {"note": note, "back": back}.items() if value})
    return asked.addresses.to(f"/?{query}" if query else "/")


def _came_from(asked: Asked) -> str:
    """Return the page of this site from which the visitor came, or nothing; our own pages are none."""
    named = asked.request.query_params.get("back")
    wanted = _referring_page(asked) if named is None else named
    if return_to(wanted) != wanted or wanted.startswith(asked.addresses.to("")):
        return ""
    return wanted


def _referring_page(asked: Asked) -> str:
    try:
        sent = urlsplit(asked.request.headers.get("referer", ""))
    except ValueError:
        return ""
    if f"{sent.scheme}://{sent.netloc}".lower() != asked.origin:
        return ""
    return sent.path + (f"?{sent.query}" if sent.query else "")


def receipt(asked: Asked) -> Outcome:
    """Give the visitor's own choice as a file."""
    content = receipt_file(
        asked.consent, asked.language, address=asked.origin + asked.addresses.to("/"), origin=asked.origin
    )
    if content is None:
        return missing(asked)
    headers = {
        **OWN_HEADERS,
        "cache-control": "no-store",
        "content-disposition": 'attachment; filename="consent-receipt.json"',
    }
    return Outcome(response=Response(content, headers=headers, media_type="application/json"))


def variant(asked: Asked) -> Outcome:
    """Tell a shared cache which variant this visitor is shown: the receipt's signature is ours to check."""
    shown = asked.variant()
    if shown is None:
        return missing(asked)
    headers = {"privacy-variant": shown.decode(), "cache-control": "no-store", "vary": "*", **OWN_HEADERS}
    return Outcome(response=Response(status_code=HTTPStatus.NO_CONTENT, headers=headers))


def browsers_page(asked: Asked) -> Outcome:
    """Show how to refuse cookies, in this visitor's browser first."""
    headers = asked.request.headers
    hints = (headers.get(f"sec-ch-ua{name}", "") for name in ("", "-platform", "-mobile"))
    agent = recognise(headers.get("user-agent", ""), *hints)
    wanted = asked.path.removeprefix("/browsers").strip("/")
    own = browsers.guide(wanted or agent.slug)
    missing = bool(wanted) and own is None
    return _page(
        asked, "browsers.html", HTTPStatus.NOT_FOUND if missing else HTTPStatus.OK,
        guides=browsers.guides(agent), own=own, agent=agent, analytics=browsers.analytics(),
        printed=asked.consent.site.browsers, missing=missing,
    )  # fmt: skip


def asset(asked: Asked) -> Outcome:
    """Give a stylesheet, for good: another one has another name."""
    content = assets().get(asked.path.removeprefix("/assets/"))
    if content is None:
        return missing(asked)
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Outcome(response=Response(content, media_type="text/css", headers=headers))


def missing(asked: Asked) -> Outcome:
    """Say that there is no such page."""
    return _page(asked, "missing.html", HTTPStatus.NOT_FOUND)


def _page(asked: Asked, template: str, status: HTTPStatus, /, **context: Any) -> Outcome:
    body = render(
        template, asked.language,
        of=asked.consent.site,
        site_name=asked.consent.site.name,
        url=asked.addresses.to,
        css=asked.addresses.to(f"/assets/{stylesheet()}"),
        css_of=lambda stem: asked.addresses.to(f"/assets/{stylesheet(stem)}"),
        home=asked.addresses.home,
        **context,
    )  # fmt: skip
    headers = {**OWN_HEADERS, "cache-control": "no-store", "vary": "Cookie, Accept-Language, Sec-GPC, User-Agent"}
    return Outcome(response=Response(body, status, headers, media_type="text/html"))


def method_not_allowed(allowed: str) -> Response:
    """Refuse a request by a method that this route does not know."""
    status = HTTPStatus.METHOD_NOT_ALLOWED
    return Response(status.phrase, status, {"allow": allowed, **OWN_HEADERS}, media_type="text/plain")
