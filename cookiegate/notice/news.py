"""What changed in a purpose since it was answered, as far as a fingerprint can tell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cookiegate.service import Service
    from cookiegate.site import Site

MOST_AT_ONCE = 3  # services that were added
MOST_TRIED = 400  # fingerprints: a few milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The services of a purpose that are new, and those whose operator, data, country or retention changed: titles."""

    added: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


def news(site: Site, purpose: str, fingerprint: str) -> News:
    """Return what changed since *purpose* had this fingerprint; nothing where that cannot be found out.

    A receipt has no room for what each purpose meant. But the declaration of today without its latest services, or
    with one of them as it was before, has the fingerprint of then if that is what changed.
    """
    for then in islice(_earlier(site.meanings(purpose)), MOST_TRIED):
        if site.fingerprint_with(purpose, then) == fingerprint:
            return _difference(site.services_for(purpose), then)
    return News()


def _difference(services: Iterable[Service], then: Mapping[str, int]) -> News:
    return News(
        added=tuple(service.title for service in services if service.slug not in then),
        altered=tuple(
            service.title for service in services if then.get(service.slug, service.meaning) != service.meaning
        ),
    )


def _earlier(now: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
    for slug, meaning in now.items():
        for before in range(meaning - 1, 0, -1):
            yield {**now, slug: before}
    for count in range(1, MOST_AT_ONCE + 1):
        for slugs in combinations(now, count):
            yield {slug: meaning for slug, meaning in now.items() if slug not in slugs}
