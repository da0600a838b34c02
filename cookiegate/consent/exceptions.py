"""Exceptions: answers to one service that differ from its purpose's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceException:
    """An answer to one service that differs from its purpose's; *until* in seconds since 1970."""

    granted: bool
    until: int | None = None


REFUSAL = ServiceException(granted=False)


class Wish(Enum):
    """What the choices page asks for one service; the values are the form's."""

    FOLLOW = ""  # as its purpose
    ALLOW = "allow"
    REFUSE = "refuse"
    UNTIL = "until"  # leave it allowed for a while, as it is


def settled(
    earlier: ServiceException | None, wish: Wish | None, *, was_granted: bool, is_granted: bool, may_allow: bool
) -> ServiceException | None:
    """Return the exception that is left once its purpose was answered; *wish* is None where the form named none.

    An earlier yes never outlives an answer that did not repeat it; an earlier no does, unless it was taken back by
    name. A yes under a purpose's yes says nothing new and is not kept: who takes the purpose back takes it along.
    """
    if wish is Wish.REFUSE:
        return REFUSAL
    if wish is Wish.FOLLOW:
        return None
    if wish is Wish.ALLOW:
        return ServiceException(granted=True) if may_allow and not is_granted else None
    lent = earlier is not None and earlier.until is not None
    if wish is Wish.UNTIL and lent and (was_granted if is_granted else may_allow):
        return earlier
    refused = earlier is not None and (not earlier.granted or (lent and was_granted))
    return REFUSAL if refused else None


def in_force(
    exceptions: Mapping[str, ServiceException], granted: Collection[str], now: float
) -> dict[str, ServiceException]:
    """Return what is left of *exceptions* at *now*; *granted* are the services whose purpose was answered yes.

    Only what was refused by name can be allowed for a while under a purpose's yes: once that ends, it is refused.
    """
    left = {slug: e for slug, e in exceptions.items() if e.until is None or now < e.until}
    return left | {slug: REFUSAL for slug in exceptions if slug in granted and slug not in left}
