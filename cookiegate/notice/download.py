"""The receipt to download: what one visitor chose, in the fields of ISO/IEC TS 27560 (docs/receipt.md)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cookiegate.consent.consent import Overruled
from cookiegate.languages import lifetime_in
from cookiegate.pages import Wording

if TYPE_CHECKING:
    from cookiegate.consent.consent import Consent
    from cookiegate.service import CookieRule, Service

SCHEMA = "cookiegate consent receipt 1"
_OVERRULED = {
    Overruled.NO_RECEIPT: "not asked",
    Overruled.CHANGED: "invalidated",
    Overruled.SIGNAL: "refused by signal",
    Overruled.CHILD: "refused for a child",
    Overruled.NO_SITE: "not asked",
}


def receipt_file(consent: Consent, language: str, *, address: str, origin: str) -> bytes | None:
    """Return the receipt as JSON, or None for who has not chosen; *address* is the choices page's.

    The cookie itself is not in it: in another browser it would be this visitor's consent.
    """
    if consent.time is None or not (consent.answers or consent.exceptions):
        return None
    wording = Wording("words.html", language, of=consent.site)
    receipt = {
        "schema_version": SCHEMA,
        "record_id": consent.id,
        "pii_principal_id": consent.id,
        "pii_processing": {
            "privacy_notice": address,
            "language": wording.language,
            "collection_method": "form",
            "storage_locations": ["cookie in this browser"],
            "withdrawal_method": {"address": address, "action": wording.say("Withdraw my consent")},
            "purposes": [_purpose(consent, purpose, wording) for purpose in consent.site.asked],
        },
        "party_identification": [
            {"party_type": "pii_controller", "party_name": consent.site.name, "party_url": origin},
            *_recipients(consent),
        ],
        "event": _event(consent, consent.time),
        "signals": [{"signal": "Sec-GPC", "honoured": True, "purposes": consent.heeds_signal}]
        if consent.signal
        else [],
    }
    return json.dumps(_without_gaps(receipt), ensure_ascii=False, indent=2).encode() + b"\n"


def _event(consent: Consent, time: int) -> dict[str, Any]:
    """A refusal carries its day and no more: the same receipt for all who refused on it."""
    lifetime = consent.site.reask_after_yes if consent.grants else consent.site.reask_after_no
    given, ends = datetime.fromtimestamp(time, UTC), datetime.fromtimestamp(time, UTC) + lifetime
    return {
        "event_time": _moment(given) if consent.grants else given.date().isoformat(),
        "event_type": "explicit",
        "event_state": "given" if consent.grants else "refused",
        "validity_duration": _duration(lifetime),
        "valid_until": _moment(ends) if consent.grants else ends.date().isoformat(),
    }


def _purpose(consent: Consent, purpose: str, wording: Wording) -> dict[str, Any]:
    answer, why = consent.answers.get(purpose), consent.overruled.get(purpose)
    return {
        "purpose": purpose,
        "purpose_name": wording.macro("purpose_name", purpose, consent.site.purposes[purpose]),
        "purpose_description": wording.macro("purpose_text", purpose, consent.site.purposes[purpose]),
        "lawful_basis": "consent",
        "event_state": _OVERRULED[why] if why else _state(granted=consent.allows(purpose)),
        "notice_version": answer.fingerprint if answer else None,
        "notice_version_now": consent.site.fingerprints[purpose] if why is Overruled.CHANGED else None,
        "despite_signal": (answer is not None and answer.despite_signal) or None,
        "services": [
            _service(consent, service, wording) for service in consent.site.services_for(purpose) if not service.keep
        ],
    }


def _service(consent: Consent, service: Service, wording: Wording) -> dict[str, Any]:
    exception = consent.exceptions.get(service.slug)
    until = exception.until if exception else None
    return {
        "service": service.slug,
        "service_name": service.title,
        "recipient": service.operator,
        "pii_information": wording.words(service.use),
        "event_state": _state(granted=consent.allows_service(service)),
        "decided_by_name": exception is not None or None,
        "valid_until": _moment(datetime.fromtimestamp(until, UTC)) if until else None,
        "cookies": [_cookie(cookie, wording) for cookie in service.cookies],
        "privacy_policy": service.privacy,
        "opt_out": service.opt_out,
    }


def _cookie(cookie: CookieRule, wording: Wording) -> dict[str, Any]:
    return {
        "name": cookie.name,
        "purpose": wording.words(cookie.use),
        "retention_period": lifetime_in(wording.language, cookie.lifetime),
        "third_party": cookie.third_party or None,
    }


def _recipients(consent: Consent) -> list[dict[str, str]]:
    """Who receives data once its services are allowed, each company once."""
    services = [service for purpose in consent.site.asked for service in consent.site.services_for(purpose)]
    countries = {service.operator: service.country for service in services if service.operator and not service.keep}
    return [
        {"party_type": "recipient", "party_name": operator, "party_country": country}
        for operator, country in sorted(countries.items())
    ]


def _state(*, granted: bool) -> str:
    return "given" if granted else "refused"


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _duration(length: timedelta) -> str:
    """ISO 8601, in days where they are whole."""
    seconds = int(length.total_seconds())
    return f"P{seconds // 86_400}D" if seconds % 86_400 == 0 else f"PT{seconds}S"


def _without_gaps(value: Any) -> Any:
    """Leave out what is not known, so that no key is there without saying something."""
    if isinstance(value, dict):
        return {key: _without_gaps(inner) for key, inner in value.items() if inner not in (None, "", [], ())}
    return [_without_gaps(inner) for inner in value] if isinstance(value, list) else value
