"""The choices page: purposes, services and cookies; give, refuse, save, withdraw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cookiegate.consent.consent import Overruled
from cookiegate.pages import date_in, language_name, period_in, speech

if TYPE_CHECKING:
    from cookiegate.consent.consent import Consent
    from cookiegate.service import Service
    from cookiegate.site import Purpose, Site


class Note(Enum):
    """What the page says first, after a form."""

    SAVED = "saved"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    UNPROVEN = "unproven"
    PLAIN_HTTP = "plain-http"
    CHILD = "child"
    NOTHING_CHOSEN = "nothing-chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One purpose on the page."""

    id: str
    purpose: Purpose
    services: tuple[Service, ...]
    granted: bool
    signalled: bool
    changed: bool


def choices(consent: Consent, language: str, note: Note | None) -> dict[str, object]:
    """Return what the choices page shows."""
    site = consent.site
    necessary = tuple(service for service in site.services_for("necessary"))
    rows = [
        Row(
            id=purpose,
            purpose=site.purposes[purpose],
            services=site.services_for(purpose),
            granted=consent.allows(purpose),
            signalled=consent.signal and site.purposes[purpose].respects_gpc,
            changed=consent.overruled.get(purpose) is Overruled.CHANGED,
        )
        for purpose in site.asked
    ]
    return {
        "site": site,
        "consent": consent,
        "rows": rows,
        "necessary": necessary,
        "note": note.value if note else None,
        "answered": answered_on(consent, language),
        "period": remembered(site, language),
        "languages": [(tag, language_name(tag)) for tag in site.languages] if len(site.languages) > 1 else [],
        "current": language,
    }


def remembered(site: Site, language: str) -> str:
    """Return how long a choice is kept, in words."""
    return period_in(speech(language), max(site.reask_after_yes, site.reask_after_no))


def answered_on(consent: Consent, language: str) -> str | None:
    """Return the day of the answer in the site's time zone; a refusal carries no more than the day."""
    if consent.time is None or not consent.answers:
        return None
    zone = ZoneInfo(consent.site.time_zone) if consent.grants else UTC
    return date_in(speech(language), datetime.fromtimestamp(consent.time, zone))
