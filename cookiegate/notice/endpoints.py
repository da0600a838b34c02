"""Our own routes: a request → Outcome(response, consent, happened)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from cookiegate.agent import recognise
from cookiegate.consent.consent import Overruled
from cookiegate.notice import browsers
from cookiegate.notice.banner import CSP_REPORT
from cookiegate.notice.choices import Note, choices
from cookiegate.notice.download import receipt_file
from cookiegate.notice.forms import MAX_BODY, Action, Form, Passage, passage, read_form, return_to
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
ONCE = 600  # seconds that a service is allowed once
_ALLOWING = frozenset({Action.ALLOW_ONCE, Action.ALLOW_ALWAYS})
MAX_REPORT = 1 << 17  # bytes of one body: browsers send several reports at once, each with the whole policy in it
_REPORTS = frozenset({"application/csp-report", "application/reports+json", "application/json"})
REFUSED = "refused"  # a form that came from another site, a frame or a script
GPC = "/.well-known/gpc.json"
GPC_SINCE = "2026-11-21"  # the day of this statement, not of the last release


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


async def respond(asked: Asked) -> Outcome:
    """Answer a request below the prefix. Never raises; what we do not have is a 404 page."""
    if asked.path == "/choices":
        return await _choose(asked)
    if asked.path == CSP_REPORT:
        return await _hear(asked)
    if asked.request.method not in {"GET", "HEAD"}:
        return Outcome(response=_method_not_allowed("GET, HEAD"))
    if asked.path in {"", "/"}:
        return _choices_page(asked)
    if asked.path == "/browsers" or asked.path.startswith("/browsers/"):
        return _browsers_page(asked)
    if asked.path == "/receipt.json":
        return _receipt(asked)
    if asked.path.startswith("/assets/"):
        return _asset(asked)
    if asked.path == "/variant" and (variant := asked.variant()):
        return Outcome(response=_variant(variant))
    return _page(asked, "missing.html", HTTPStatus.NOT_FOUND)


def gpc_statement() -> Response:
    """Return ``/.well-known/gpc.json`` (W3C Global Privacy Control 4): this site heeds the signal."""
    body = json.dumps({"gpc": True, "lastUpdate": GPC_SINCE})
    return Response(body, media_type="application/json", headers={"cache-control": "public, max-age=86400"})


def _variant(variant: bytes) -> Response:
    """Tell a shared cache which variant this visitor is shown: the receipt's signature is ours to check."""
    headers = {"privacy-variant": variant.decode(), "cache-control": "no-store", "vary": "*", **OWN_HEADERS}
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


async def _choose(asked: Asked) -> Outcome:
    if asked.request.method != "POST":
        return Outcome(response=_method_not_allowed("POST"))
    body = await _body(asked.request)
    if body is None:
        return _choices_page(asked, Note.NOTHING_CHOSEN, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    form = read_form(body)
    problem = _problem(asked, form)
    if problem:
        outcome = _choices_page(asked, *problem)
        return replace(outcome, happened=REFUSED) if problem[0] is Note.REFUSED else outcome
    consent = _after(asked, form)
    if not asked.fits(consent):
        return _choices_page(asked, Note.TOO_MUCH, HTTPStatus.BAD_REQUEST)
    response = _answer(form)
    if _said_yes(asked.consent) - _said_yes(consent):
        response.headers["clear-site-data"] = '"cache"'  # else the back-forward cache restores a granted page
    return Outcome(response=response, consent=consent, happened=form.action.value if form.action else None)


def _answer(form: Form) -> Response:
    """A 204 leaves the visitor on the page, with all that was typed there (HTML 7.4.2.3.2); else back to it."""
    headers = {**OWN_HEADERS, "cache-control": "no-store"}
    if form.stays:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": form.return_to, **headers})


async def _hear(asked: Asked) -> Outcome:
    """Take a browser's report of what our policy stopped. Whatever came, the answer is the same and says nothing."""
    if asked.request.method != "POST":
        return Outcome(response=_method_not_allowed("POST"))
    headers = asked.request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    near = passage(dict(headers), origin=asked.origin, gives=False) is Passage.PASSES
    if near and kind in _REPORTS and asked.hears() and (body := await _body(asked.request, MAX_REPORT)):
        asked.hear(body)
    return Outcome(response=Response(status_code=HTTPStatus.NO_CONTENT, headers={"cache-control": "no-store"}))


def _said_yes(consent: Consent) -> set[str]:
    """What was answered yes, purposes and services, though a signal may deny it by now: its pages may be stored."""
    purposes = {purpose for purpose, answer in consent.answers.items() if answer.granted}
    services = {slug for slug, service in consent.site.declared.items() if service.purpose in purposes}
    allowed = {slug for slug, exception in consent.exceptions.items() if exception.granted}
    refused = consent.exceptions.keys() - allowed
    return {f"purpose {purpose}" for purpose in purposes} | {f"service {s}" for s in (services | allowed) - refused}


async def _body(request: Request, limit: int = MAX_BODY) -> bytes | None:
    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                return None
    except ClientDisconnect:
        return None
    return body


def _problem(asked: Asked, form: Form) -> tuple[Note, HTTPStatus] | None:
    """Return why a form does not count, and what is said of it."""
    found = passage(dict(asked.request.headers), origin=asked.origin, gives=form.gives)
    if form.action is None or (form.action is Action.LANGUAGE and form.language not in asked.consent.site.languages):
        return Note.NOTHING_CHOSEN, HTTPStatus.BAD_REQUEST
    if found is Passage.REFUSED:
        return Note.REFUSED, HTTPStatus.FORBIDDEN
    if found is Passage.UNPROVEN:
        return Note.UNPROVEN, HTTPStatus.FORBIDDEN
    if not asked.can_keep:
        return Note.PLAIN_HTTP, HTTPStatus.FORBIDDEN
    if form.gives and Overruled.CHILD in asked.consent.overruled.values():
        return Note.CHILD, HTTPStatus.FORBIDDEN
    if form.action in _ALLOWING and not asked.consent.can_allow(form.service):
        return Note.NOTHING_CHOSEN, HTTPStatus.BAD_REQUEST
    return None


def _after(asked: Asked, form: Form) -> Consent:
    consent, now = asked.consent, asked.now
    if form.language in consent.site.languages:
        consent = consent.speak(form.language, now=now)
    match form.action:
        case Action.ACCEPT_ALL:
            return consent.give(now=now, new_id=asked.new_id(), named=form.purposes)
        case Action.SAVE:
            return consent.choose(form.purposes, now=now, new_id=asked.new_id(), wishes=form.wishes)
        case Action.REJECT_ALL | Action.WITHDRAW:
            return consent.refuse(now=now)
        case Action.ALLOW_ONCE | Action.ALLOW_ALWAYS:
            until = int(now) + ONCE if form.action is Action.ALLOW_ONCE else None
            return consent.allow(form.service, until=until, now=now, new_id=asked.new_id())
        case _:
            return consent


def _choices_page(asked: Asked, note: Note | None = None, status: HTTPStatus = HTTPStatus.OK) -> Outcome:
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
    sent = urlsplit(asked.request.headers.get("referer", ""))
    if named is None and f"{sent.scheme}://{sent.netloc}".lower() == asked.origin:
        named = sent.path + (f"?{sent.query}" if sent.query else "")
    path = return_to(named or "")
    return "" if path == "/" != named or path.startswith(asked.addresses.to("")) else path


def _receipt(asked: Asked) -> Outcome:
    content = receipt_file(
        asked.consent, asked.language, address=asked.origin + asked.addresses.to("/"), origin=asked.origin
    )
    if content is None:
        return _page(asked, "missing.html", HTTPStatus.NOT_FOUND)
    headers = {
        **OWN_HEADERS,
        "cache-control": "no-store",
        "content-disposition": 'attachment; filename="consent-receipt.json"',
    }
    return Outcome(response=Response(content, headers=headers, media_type="application/json"))


def _browsers_page(asked: Asked) -> Outcome:
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


def _asset(asked: Asked) -> Outcome:
    content = assets().get(asked.path.removeprefix("/assets/"))
    if content is None:
        return _page(asked, "missing.html", HTTPStatus.NOT_FOUND)
    headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
    return Outcome(response=Response(content, media_type="text/css", headers=headers))


def _page(asked: Asked, template: str, status: HTTPStatus, **context: Any) -> Outcome:
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


def _method_not_allowed(allowed: str) -> Response:
    status = HTTPStatus.METHOD_NOT_ALLOWED
    return Response(status.phrase, status, {"allow": allowed, **OWN_HEADERS}, media_type="text/plain")
