"""What is asked: for which purposes, who receives the data, how long the answer is kept. Wherever it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.languages import country_in, period_in, speech

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cookiegate.service import Service
    from cookiegate.site import Site


def question(site: Site, purposes: Collection[str], language: str) -> dict[str, object]:
    """Return what a template needs to ask about *purposes*: banner and choices page tell the same."""
    spoken = speech(language)
    return {
        "asked": [(id_, site.purposes[id_], _receivers(site.services_for(id_), spoken)) for id_ in purposes],
        "meanings": [site.fingerprints[id_] for id_ in purposes],
        "period": period_in(spoken, max(site.reask_after_yes, site.reask_after_no)),
    }


def _receivers(services: Iterable[Service], language: str) -> str:
    """Return who runs the services, and from which country as far as that is known: ``A, B (Japan); C``."""
    places: dict[str, list[str]] = {}
    for service in services:
        known = service.operator.lower() in service.title.lower()
        title = service.title if known else f"{service.operator} {service.title}"
        places.setdefault(service.country, []).append(title)
    return "; ".join(
        ", ".join(titles) + (f" ({country_in(language, country)})" if country else "")
        for country, titles in places.items()
    )
