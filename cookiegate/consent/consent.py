"""Consent: one visitor's answers at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from cookiegate.consent.exceptions import ServiceException, Wish, settled
from cookiegate.errors import nearest
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Collection

    from cookiegate.service import Service
    from cookiegate.site import Site

DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A yes or a no to one purpose, and the fingerprint of what it then meant."""

    granted: bool
    fingerprint: str
    despite_signal: bool = False


def says_yes(answers: Mapping[str, Answer], exceptions: Mapping[str, ServiceException]) -> bool:
    """Return whether any purpose or service is granted."""
    return any(a.granted for a in answers.values()) or any(e.granted for e in exceptions.values())


class Overruled(Enum):
    """Why a purpose is denied, whatever the receipt says (rules 1 to 4)."""

    NO_RECEIPT = "there is no valid answer"
    CHANGED = "its meaning changed since the answer"
    SIGNAL = "the browser sends Sec-GPC: 1"
    CHILD = "the visitor is a child"
    NO_SITE = "no site lists this host"


# What a visitor's yes to one service outweighs: that its purpose was never asked about. Never a rule or a signal.
_LIFTED = frozenset({None, Overruled.NO_RECEIPT})


class Standing(Enum):
    """What the consent cookie turned out to be."""

    NONE = "no receipt was sent"
    VALID = "the receipt is valid"
    UNREADABLE = "the receipt cannot be read"
    UNKNOWN_KEY = "the receipt was signed with a key that is none of ours"
    FORGED = "the receipt names a key of ours and was not signed with it"
    FUTURE = "the receipt is from the future"
    EXPIRED = "the receipt has expired"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What one visitor agreed to. Immutable: giving, refusing and withdrawing return another one.

    *time* (seconds since 1970) is when the answers were given, ``None`` if never. *id* exists only while
    something is granted. *asks* are the purposes that the banner asks for.
    """

    site: Site
    answers: Mapping[str, Answer] = field(default_factory=dict)
    exceptions: Mapping[str, ServiceException] = field(default_factory=dict)
    time: int | None = None
    id: str | None = None
    language: str | None = None
    overruled: Mapping[str, Overruled] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    signal: bool = False
    standing: Standing = Standing.NONE

    def allows(self, purpose: str) -> bool:
        """Return whether *purpose* is granted; ``necessary`` always is.

        Raises:
            ValueError: the site knows no such purpose.
        """
        if purpose not in self.site.purposes:
            raise ValueError(
                f"Site {self.site.name!r} has no purpose {purpose!r}.{nearest(purpose, self.site.purposes)} "
                f"Use one of: {', '.join(self.site.purposes)}."
            )
        if purpose == NECESSARY:
            return True
        answer = self.answers.get(purpose)
        return answer is not None and answer.granted and purpose not in self.overruled

    def allows_service(self, service: Service) -> bool:
        """Return whether a *declared* service may run: its exception before its purpose (rule 5)."""
        if service.keep or service.purpose == NECESSARY:
            return True
        exception = self.exceptions.get(service.slug)
        if exception and exception.granted:
            return self.overruled.get(service.purpose) in _LIFTED
        return exception is None and self.allows(service.purpose)

    @cached_property
    def granted(self) -> tuple[str, ...]:
        """The granted purposes that were asked for, in the site's order."""
        return tuple(purpose for purpose in self.site.asked if self.allows(purpose))

    @cached_property
    def forged(self) -> bool:
        """Whether the receipt names a key of ours and was not signed with it."""
        return self.standing is Standing.FORGED

    @property
    def grants(self) -> bool:
        """Whether the receipt says yes to anything at all."""
        return says_yes(self.answers, self.exceptions)

    @property
    def heeds_signal(self) -> tuple[str, ...]:
        """The asked purposes that the browser's signal denies."""
        return tuple(p for p in self.site.asked if self.overruled.get(p) is Overruled.SIGNAL)

    def give(self, *, now: float, new_id: str, named: Collection[str] | None = None) -> Consent:
        """Return the consent after *accept all*: every asked purpose but those that the signal denies.

        A banner that asks again about one purpose *named* no other one: their answers stand, and what was never
        answered stays open.
        """
        about = [purpose for purpose in self.site.asked if named is None or purpose in named]
        yes = {purpose for purpose in about if not self._signalled(purpose)}
        stands = {purpose for purpose in self.site.asked if purpose not in about and self._answered_yes(purpose)}
        return self.choose(yes | stands, now=now, new_id=new_id, despite_signal=False, about=about)

    def choose(
        self,
        granted: Collection[str],
        *,
        now: float,
        new_id: str,
        despite_signal: bool = True,
        wishes: Mapping[str, Wish] | None = None,
        about: Collection[str] | None = None,
    ) -> Consent:
        """Return the consent after each asked purpose (or those *about*) was answered: yes if it is in *granted*.

        A yes to a purpose that the signal denies counts only from the choices page (*despite_signal*). A no to a
        purpose takes along an earlier yes to one of its services. *wishes* are answers to services, by slug. Where
        nothing at all is granted, a no to one service says nothing more and is not kept.
        """
        about = self.site.asked if about is None else about
        said = {
            purpose: Answer(
                granted=purpose in granted,
                fingerprint=self.site.fingerprints[purpose],
                despite_signal=despite_signal and purpose in granted and self._signalled(purpose),
            )
            for purpose in about
        }
        known = {**self.answers, **said}
        answers = {purpose: known[purpose] for purpose in self.site.asked if purpose in known}
        exceptions = self._settled(granted, wishes or {}, about)
        if not says_yes(answers, exceptions):
            exceptions = {}
        return replace(self, answers=answers, exceptions=exceptions)._said(now, new_id)

    def _settled(
        self, granted: Collection[str], wishes: Mapping[str, Wish], about: Collection[str]
    ) -> dict[str, ServiceException]:
        left = {
            slug: settled(
                self.exceptions.get(slug),
                wishes.get(slug),
                was_granted=self._answered_yes(service.purpose),
                is_granted=service.purpose in granted,
                may_allow=not self._signalled(service.purpose) and not self._is_child,
            )
            for slug, service in self.site.declared.items()
            if service.purpose in about and not service.keep
        }
        stands = {slug: e for slug, e in self.exceptions.items() if slug not in left and slug in self.site.declared}
        return stands | {slug: exception for slug, exception in left.items() if exception}

    def refuse(self, *, now: float) -> Consent:
        """Return the consent after *reject all*; all who refuse on one day hold the same receipt."""
        return replace(self, exceptions={}).choose((), now=now, new_id="")

    withdraw = refuse

    def can_allow(self, slug: str) -> bool:
        """Return whether a yes to this one service would be obeyed: it is declared, and no signal or rule denies it."""
        service = self.site.declared.get(slug)
        if service is None or service.keep or service.purpose == NECESSARY:
            return False
        return self.overruled.get(service.purpose) in _LIFTED

    def allow(self, slug: str, *, until: int | None, now: float, new_id: str) -> Consent:
        """Return the same answers with a yes to one service, for good or *until* (seconds since 1970).

        Where its purpose was answered yes, that covers it: only a no by name can be taken back or set aside.
        """
        exceptions = {other: exception for other, exception in self.exceptions.items() if other != slug}
        covered = self._answered_yes(self.site.declared[slug].purpose)
        if not covered or (until and slug in self.exceptions):
            exceptions[slug] = ServiceException(granted=True, until=until)
        time = self.time if self.answers and self.time is not None else int(now)
        return replace(self, exceptions=exceptions, time=time, id=self.id or new_id, standing=Standing.VALID)

    def speak(self, language: str, *, now: float) -> Consent:
        """Return the same answers with the visitor's language."""
        return replace(self, language=language, time=self.time or int(now) // DAY * DAY)

    def _answered_yes(self, purpose: str) -> bool:
        answer = self.answers.get(purpose)
        return answer is not None and answer.granted

    @property
    def _is_child(self) -> bool:
        return Overruled.CHILD in self.overruled.values()

    def _signalled(self, purpose: str) -> bool:
        return self.signal and self.site.purposes[purpose].respects_gpc

    def _said(self, now: float, new_id: str) -> Consent:
        time = int(now) if self.grants else int(now) // DAY * DAY
        overruled: dict[str, Overruled] = {
            purpose: why for purpose, why in self.overruled.items() if why is Overruled.CHILD
        }
        overruled |= {
            purpose: Overruled.SIGNAL
            for purpose, answer in self.answers.items()
            if self._signalled(purpose) and not answer.despite_signal
        }
        return replace(
            self,
            time=time,
            id=(self.id or new_id) if self.grants else None,
            overruled=overruled,
            asks=(),
            standing=Standing.VALID,
        )
