"""Eye: the gate's own judge, which writes down what it would withhold from one visitor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cookiegate.catalogue import catalogue
from cookiegate.consent.consent import Answer, Consent
from cookiegate.consent.exceptions import ServiceException
from cookiegate.gate.encoding import PIECE
from cookiegate.gate.judge import Judge
from cookiegate.gate.links import gated_link
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.places import Withheld
from cookiegate.gate.rewriter import Rewriter
from cookiegate.service import NECESSARY
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cookiegate.cli.reading import Text

MOST = 20_000  # things of one page: the rest of a page that has more is nothing new


class Eye:
    """Sees pages for one consent. Compiled once for all pages."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._matcher = Matcher(consent.site)
        self._limit = consent.site.gate_memory

    def markup(self, text: Text, address: str) -> list[Withheld]:
        """Return what the gate would withhold of a page, in the page's order."""
        judge = Judge(self._matcher, self._consent, page=address, charset=text.charset)
        found: list[Withheld] = []

        def note(thing: Withheld) -> None:
            for each in (thing, *thing.also):
                if len(found) < MOST:
                    found.append(replace(each, element=thing.element, offset=thing.offset))

        rewriter = Rewriter(judge, limit=self._limit, report=note)
        for start in range(0, len(text.body), PIECE):
            rewriter.feed(text.body[start : start + PIECE])
        rewriter.close()
        return sorted(found, key=lambda thing: thing.offset)

    def links(self, values: Iterable[bytes], address: str) -> list[Withheld]:
        """Return what the gate would withhold of ``Link`` headers."""
        judge = Judge(self._matcher, self._consent, page=address)
        gone = [thing for value in values for thing in gated_link(value, judge.link)[1]]
        return [replace(thing, element="Link header") for thing in gone]

    def address(self, url: str, address: str) -> Withheld | None:
        """Return whether the gate would withhold what a browser asked for."""
        return Judge(self._matcher, self._consent, page=address).url(url)


def agreeing(site: Site) -> Consent:
    """Return the consent of somebody who agreed to everything: whatever is withheld even so was declared by nobody."""
    strict = _like(site, unknown="withhold")
    return Consent(site=strict, answers=_yes(strict))


def sparing_nothing(site: Site) -> Consent:
    """Return a consent to which nothing that is known may run, nothing is kept and nothing is necessary.

    Purposes are granted, so that a mark does not hide whose the marked element is.
    """
    spared = {
        service.slug: service.model_copy(update={"keep": False, "purpose": "analytics"})
        for service in (*catalogue().values(), *site.declared.values())
        if service.keep or service.purpose == NECESSARY
    }
    bare = _like(site, unknown="withhold", keep=(), marks="untrusted", service={**site.service, **spared})
    denied = {slug: ServiceException(granted=False) for slug in bare.declared}
    return Consent(site=bare, answers=_yes(bare), exceptions=denied)


def _yes(site: Site) -> dict[str, Answer]:
    return {purpose: Answer(granted=True, fingerprint="") for purpose in site.purposes}


def _like(site: Site, **changes: object) -> Site:
    return Site(**{**{name: getattr(site, name) for name in Site.model_fields}, **changes})
