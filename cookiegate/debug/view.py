"""What there is to see: plain data for programs, which the page only lays out."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cookiegate.catalogue import catalogue
from cookiegate.config import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cookiegate.config import Config
    from cookiegate.consent.consent import Consent

HIDDEN = {"secret_keys", "debug", "is_child", "clock"}


def view(
    config: Config,
    consent: Consent,
    *,
    facts: Mapping[str, object],
    responses: Sequence[Mapping[str, Any]],
    unsettled: Sequence[Mapping[str, object]],
    policy: Mapping[str, object],
    reported: Sequence[Mapping[str, object]],
    records: Mapping[str, object] | None,
) -> dict[str, Any]:
    """Return all that debug shows. It holds no key, no password, no address and no consent id."""
    return {
        "process": os.getpid(),
        "site": consent.site.name,
        "request": dict(facts),
        "decision": decision(consent),
        "responses": [dict(response) for response in responses],
        "unsettled": [dict(entry) for entry in unsettled],
        "policy": dict(policy),
        "reported": [dict(entry) for entry in reported],
        "records": dict(records) if records is not None else None,
        "configuration": configuration(config),
    }


def decision(consent: Consent) -> list[dict[str, str]]:
    """Return the decision rules of this request, in their order, each with what it came to."""
    said = consent.answers
    steps = [
        ("1 receipt", consent.standing.value),
        ("2 changed purposes", _purposes(consent, "CHANGED") or "none"),
        (
            "3 Sec-GPC",
            ("sent; denies " + (_purposes(consent, "SIGNAL") or "nothing")) if consent.signal else "not sent",
        ),
        ("4 child", _purposes(consent, "CHILD") or "no"),
    ]
    for purpose in consent.site.asked:
        answer = said.get(purpose)
        word = "never answered" if answer is None else "answered yes" if answer.granted else "answered no"
        why = consent.overruled.get(purpose)
        state = "granted" if consent.allows(purpose) else "denied"
        steps.append((f"5 {purpose}", f"{state}: {word}{f'; {why.value}' if why else ''}"))
    for slug, exception in consent.exceptions.items():
        steps.append((f"5 exception {slug}", "granted" if exception.granted else "denied"))
    steps.append(("banner asks about", ", ".join(consent.asks) or "nothing"))
    return [{"rule": rule, "outcome": outcome} for rule, outcome in steps]


def _purposes(consent: Consent, why: str) -> str:
    return ", ".join(purpose for purpose, reason in consent.overruled.items() if reason.name == why)


def configuration(config: Config) -> dict[str, Any]:
    """Return the effective configuration without secrets; of passwords only whose they are."""
    shown = config.model_dump(mode="json", exclude=HIDDEN, fallback=str)
    for site, declared in zip(shown["sites"], config.sites, strict=True):
        if "services" in site:  # a ready-made one says no more than its name
            site["services"] = [
                service.slug if catalogue().get(service.slug) == service else entry
                for service, entry in zip(declared.services, site["services"], strict=True)
            ]
    if config.records:
        shown["records"]["store"] = place_of(config.records.store)
    shown["secret_keys"] = f"{len(config.secret_keys)} (not shown)"
    shown["debug"] = {"people": sorted(config.debug.people) if config.debug else []}
    return shown


def clock(moment: float | None) -> str | None:
    """Return a time of debug's: UTC, to the second."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
