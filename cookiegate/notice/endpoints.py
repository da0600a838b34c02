"""Our own routes: a request → Outcome(response, consent, happened)."""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from cookiegate.consent.consent import Overruled
from cookiegate.notice.answers import (
    OWN_HEADERS,
    Asked,
    Outcome,
    asset,
    browsers_page,
    choices_page,
    method_not_allowed,
    missing,
    receipt,
    variant,
)
from cookiegate.notice.banner import CSP_REPORT
from cookiegate.notice.choices import Note
from cookiegate.notice.forms import MAX_BODY, Action, Form, Passage, passage, read_form

if TYPE_CHECKING:
    from starlette.requests import Request

    from cookiegate.consent.consent import Consent

_NOTHING = (Note.NOTHING_CHOSEN, HTTPStatus.BAD_REQUEST)
ONCE = 600  # seconds that a service is allowed once
_ALLOWING = frozenset({Action.ALLOW_ONCE, Action.ALLOW_ALWAYS})
MAX_REPORT = 1 << 17  # bytes of one body: browsers send several reports at once, each with the whole policy in it
_REPORTS = frozenset({"application/csp-report", "application/reports+json", "application/json"})
REFUSED = "refused"  # a form that came from another site, a frame or a script
GPC = "/.well-known/gpc.json"
GPC_SINCE = "2026-11-21"  # the day of this statement, not of the last release
_READ = {
    "": choices_page,
    "/": choices_page,
    "/browsers": browsers_page,
    "/receipt.json": receipt,
    "/variant": variant,
}


async def respond(asked: Asked) -> Outcome:
    """Answer a request below the prefix. Never raises; what we do not have is a 404 page."""
    if asked.path == "/choices":
        return await _choose(asked)
    if asked.path == CSP_REPORT:
        return await _hear(asked)
    if asked.request.method not in {"GET", "HEAD"}:
        return Outcome(response=method_not_allowed("GET, HEAD"))
    if asked.path.startswith("/browsers/"):
        return browsers_page(asked)
    if asked.path.startswith("/assets/"):
        return asset(asked)
    return _READ.get(asked.path, missing)(asked)


def gpc_statement() -> Response:
    """Return ``/.well-known/gpc.json`` (W3C Global Privacy Control 4): this site heeds the signal."""
    body = json.dumps({"gpc": True, "lastUpdate": GPC_SINCE})
    return Response(body, media_type="application/json", headers={"cache-control": "public, max-age=86400"})


async def _choose(asked: Asked) -> Outcome:
    if asked.request.method != "POST":
        return _unsent(asked)
    body = await _body(asked.request)
    if body is None:
        return choices_page(asked, Note.NOTHING_CHOSEN, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    form = read_form(body)
    problem = _problem(asked, form)
    if problem:
        outcome = choices_page(asked, *problem)
        return replace(outcome, happened=REFUSED) if problem[0] is Note.REFUSED else outcome
    if form.action is Action.ACCEPT_ALL and not _accepted(asked.consent, form):
        # Nothing that the page told of still means that: whoever stays is asked again on the next page.
        return Outcome(response=_answer(form)) if form.stays else choices_page(asked, *_NOTHING)
    consent = _after(asked, form)
    if not asked.fits(consent):
        return choices_page(asked, Note.TOO_MUCH, HTTPStatus.BAD_REQUEST)
    response = _answer(form)
    if _said_yes(asked.consent) - _said_yes(consent):
        response.headers["clear-site-data"] = '"cache"'  # else the back-forward cache restores a granted page
    return Outcome(response=response, consent=consent, happened=form.action.value if form.action else None)


def _unsent(asked: Asked) -> Outcome:
    """Show the choices to who opens the form's address: the one that an explained refusal stands at, restored."""
    outcome = choices_page(asked, status=HTTPStatus.METHOD_NOT_ALLOWED)
    outcome.response.headers["allow"] = "POST"
    return outcome


def _answer(form: Form) -> Response:
    """A 204 leaves the visitor on the page, with all that was typed there (HTML 7.4.2.3.2); else back to it."""
    headers = {**OWN_HEADERS, "cache-control": "no-store"}
    if form.stays:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": form.return_to, **headers})


async def _hear(asked: Asked) -> Outcome:
    """Take a browser's report of what our policy stopped. Whatever came, the answer is the same and says nothing."""
    if asked.request.method != "POST":
        return Outcome(response=method_not_allowed("POST"))
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
        return _NOTHING
    if found is Passage.REFUSED:
        return Note.REFUSED, HTTPStatus.FORBIDDEN
    if found is Passage.UNPROVEN:
        return Note.UNPROVEN, HTTPStatus.FORBIDDEN
    if not asked.can_keep:
        return Note.PLAIN_HTTP, HTTPStatus.FORBIDDEN
    if form.gives and Overruled.CHILD in asked.consent.overruled.values():
        return Note.CHILD, HTTPStatus.FORBIDDEN
    if form.action in _ALLOWING and not asked.consent.can_allow(form.service):
        return _NOTHING
    return None


def _untold(consent: Consent, form: Form) -> set[str]:
    """The purposes of which neither the form's page nor an earlier answer says what they mean today.

    A page may be a week old, and a service may have come since: a yes to that page is no yes to the service.
    """
    known = form.meanings | {answer.fingerprint for answer in consent.answers.values()}
    return {purpose for purpose, now in consent.site.fingerprints.items() if form.meanings and now not in known}


def _accepted(consent: Consent, form: Form) -> set[str]:
    """The purposes that *accept all* is about."""
    asked = set(consent.site.asked)
    return (asked & form.purposes if form.purposes else asked) - _untold(consent, form)


def _saved(consent: Consent, form: Form, *, now: float, new_id: str) -> Consent:
    """Return the consent after *save*: a no always counts, a yes to what was not told leaves things as they were."""
    services = consent.site.declared
    yes = form.purposes | {services[slug].purpose for slug in form.allows if slug in services}
    open_ = _untold(consent, form) & yes
    about = [purpose for purpose in consent.site.asked if purpose not in open_]
    return consent.choose(form.purposes - open_, now=now, new_id=new_id, wishes=form.wishes, about=about)


def _after(asked: Asked, form: Form) -> Consent:
    consent, now = asked.consent, asked.now
    if form.language in consent.site.languages:
        consent = consent.speak(form.language, now=now)
    match form.action:
        case Action.ACCEPT_ALL:
            return consent.give(now=now, new_id=asked.new_id(), named=_accepted(consent, form))
        case Action.SAVE:
            return _saved(consent, form, now=now, new_id=asked.new_id())
        case Action.REJECT_ALL | Action.WITHDRAW:
            return consent.refuse(now=now)
        case Action.ALLOW_ONCE | Action.ALLOW_ALWAYS:
            until = int(now) + ONCE if form.action is Action.ALLOW_ONCE else None
            return consent.allow(form.service, until=until, now=now, new_id=asked.new_id())
        case _:
            return consent
