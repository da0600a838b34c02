"""The choices page: purposes, services and cookies; give, refuse, save, withdraw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cookiegate.consent.consent import Overruled
from cookiegate.consent.exceptions import Wish
from cookiegate.languages import country_in, date_in, language_name, lifetime_in, period_in, speech
from cookiegate.notice.news import News, news
from cookiegate.notice.question import question
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from cookiegate.consent.consent import Consent
    from cookiegate.service import Service
    from cookiegate.site import Purpose


class Note(Enum):
    """What the page says first, after a form."""

    SAVED = "saved"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    UNPROVEN = "unproven"
    PLAIN_HTTP = "plain-http"
    CHILD = "child"
    NOTHING_CHOSEN = "nothing-chosen"
    TOO_MUCH = "too-much"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One service on the page: which wishes it offers, and which of them is the visitor's own by now."""

    service: Service
    ways: tuple[str, ...] = ()  # none: it follows its purpose, always
    shown: str = Wish.FOLLOW.value
    remaining: str = ""  # how long it stays allowed, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One purpose on the page."""

    id: str
    purpose: Purpose
    lines: tuple[Line, ...]
    answered: bool
    granted: bool
    signalled: bool
    why: str  # it is denied whatever was answered
    news: News

    @property
    def changed(self) -> bool:
        """Whether it is asked again, because its meaning changed."""
        return self.why == Overruled.CHANGED.name.lower()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The titles of the services that the visitor allowed by name."""
        return tuple(line.service.title for line in self.lines if line.shown in {"allow", "until"})

    @property
    def refused(self) -> tuple[str, ...]:
        """The titles of the services that the visitor refused by name."""
        return tuple(line.service.title for line in self.lines if line.shown == "refuse")


def choices(consent: Consent, language: str, *, note: Note | None, now: float) -> dict[str, object]:
    """Return what the choices page shows."""
    site, spoken = consent.site, speech(language)
    return {
        **question(site, site.asked, language),
        "consent": consent,
        "rows": [_row(consent, purpose, spoken, now) for purpose in site.asked],
        "necessary": [Line(service=service) for service in site.services_for(NECESSARY)],
        "note": note.value if note else None,
        "answered": answered_on(consent, language),
        "languages": [(tag, language_name(tag)) for tag in site.languages] if len(site.languages) > 1 else [],
        "current": language,
        "country": partial(country_in, spoken),
        "lifetime": partial(lifetime_in, spoken),
    }


def _row(consent: Consent, purpose: str, spoken: str, now: float) -> Row:
    site, why, answer = consent.site, consent.overruled.get(purpose), consent.answers.get(purpose)
    changed = answer is not None and why is Overruled.CHANGED
    return Row(
        id=purpose,
        purpose=site.purposes[purpose],
        lines=tuple(_line(consent, service, spoken, now) for service in site.services_for(purpose)),
        answered=answer is not None,
        granted=consent.allows(purpose),
        signalled=consent.signal and site.purposes[purpose].respects_gpc,
        why=why.name.lower() if why else "",
        news=news(site, purpose, answer.fingerprint) if answer and changed else News(),
    )


def _line(consent: Consent, service: Service, spoken: str, now: float) -> Line:
    """What one service offers. A yes that a rule or a signal outweighs is not shown: saving must not repeat it."""
    if service.keep:
        return Line(service=service)
    exception = consent.exceptions.get(service.slug)
    allowed = exception is not None and exception.granted and consent.allows_service(service)
    remaining = timedelta(seconds=exception.until - now) if allowed and exception and exception.until else None
    shown = Wish.FOLLOW
    if exception and not exception.granted:
        shown = Wish.REFUSE
    elif allowed:
        shown = Wish.UNTIL if remaining else Wish.ALLOW
    signalled = consent.signal and consent.site.purposes[service.purpose].respects_gpc
    offered = {Wish.FOLLOW: True, Wish.UNTIL: bool(remaining), Wish.ALLOW: not signalled, Wish.REFUSE: True}
    return Line(
        service=service,
        ways=tuple(wish.value for wish, offers in offered.items() if offers),
        shown=shown.value,
        remaining=period_in(spoken, remaining) if remaining else "",
    )


def answered_on(consent: Consent, language: str) -> str | None:
    """Return the day of the answer in the site's time zone; a refusal carries no more than the day."""
    if consent.time is None or not (consent.answers or consent.exceptions):
        return None
    zone = ZoneInfo(consent.site.time_zone) if consent.grants else UTC
    return date_in(speech(language), datetime.fromtimestamp(consent.time, zone))
