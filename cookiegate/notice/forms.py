"""What a form may do, and from where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from cookiegate.consent.exceptions import Wish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_BODY = 16_384  # bytes
MAX_FIELDS = 600  # one for each service that a site declares
_RETURN_TO = re.compile(r"/(?![/\\])[\x21-\x5B\x5D-\x7E]*").fullmatch
_FRAMED = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})


class Action(Enum):
    """What the visitor pressed; the values are the form's."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    WITHDRAW = "withdraw"
    ALLOW_ONCE = "allow_once"
    ALLOW_ALWAYS = "allow_always"
    LANGUAGE = "language"


STAYING = {"yes": Action.ACCEPT_ALL, "no": Action.REJECT_ALL}  # the answers that leave the page as it is
SERVICE_FIELD = "service."  # and the slug: what is wished for this one service
_ACTIONS = {action.value: action for action in Action}
_WISHES = {wish.value: wish for wish in Wish}
_YES = frozenset({Action.ACCEPT_ALL, Action.ALLOW_ONCE, Action.ALLOW_ALWAYS})


class Passage(Enum):
    """Whether a form counts."""

    PASSES = auto()
    REFUSED = auto()  # it came from another site, a frame or a script
    UNPROVEN = auto()  # the browser does not say from where: a no counts, a yes does not


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that was read; unknown fields and values are ignored."""

    action: Action | None
    purposes: frozenset[str]
    meanings: frozenset[str]  # fingerprints of what its page told; none: a page that does not say
    service: str
    wishes: Mapping[str, Wish]
    return_to: str
    language: str | None
    stays: bool = False  # the visitor wants to stay on the page, with what was typed there

    @property
    def allows(self) -> frozenset[str]:
        """The services that it allows by name."""
        return frozenset(slug for slug, wish in self.wishes.items() if wish in {Wish.ALLOW, Wish.UNTIL})

    @property
    def gives(self) -> bool:
        """Whether it says yes to anything."""
        if self.action is Action.SAVE:
            return bool(self.purposes or self.allows)
        return self.action in _YES


def read_form(body: bytes) -> Form:
    """Return what a urlencoded body says; one that cannot be read says nothing."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        fields = {}
    return Form(
        action=_action(fields),
        purposes=frozenset(filter(None, fields.get("purpose", ()))),
        meanings=frozenset(fields.get("meaning", ())),
        service=fields.get("service", [""])[0],
        wishes={
            name.removeprefix(SERVICE_FIELD): wish
            for name, values in fields.items()
            if name.startswith(SERVICE_FIELD) and (wish := _wish(values))
        },
        return_to=return_to(fields.get("return_to", ["/"])[0]),
        language=fields.get("language", [None])[0],
        stays=not STAYING.keys().isdisjoint(fields.get("stay", ())),
    )


def _action(fields: Mapping[str, Sequence[str]]) -> Action | None:
    """Return what was pressed; a form that says several things says its no, or nothing."""
    said = {STAYING.get(value) for value in fields.get("stay", ())}
    said |= {_ACTIONS.get(value) for value in fields.get("action", ())}
    if len(said) == 1:
        return said.pop()
    return None if said.isdisjoint({Action.REJECT_ALL, Action.WITHDRAW}) else Action.REJECT_ALL


def _wish(values: Sequence[str]) -> Wish | None:
    """Return what was wished for one service; who contradicts himself refuses, and what is no wish says nothing."""
    return _WISHES.get(values[0]) if len(set(values)) == 1 else Wish.REFUSE


def return_to(path: str) -> str:
    """Return *path* where it is a path on this very host, else ``/``: no open redirect, no header injection."""
    return path if len(path) <= 2048 and _RETURN_TO(path) else "/"


def passage(headers: Mapping[str, str], *, origin: str, gives: bool) -> Passage:
    """Return whether a form counts, by Fetch Metadata and, where that is absent, by ``Origin``.

    *origin* is this request's own, scheme and port included. SameSite protects nothing here: the cookie on our
    answer sticks after a stranger's post too.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            return Passage.REFUSED
        if gives and headers.get("sec-fetch-mode", "navigate") != "navigate":
            return Passage.REFUSED
        framed = headers.get("sec-fetch-dest") in _FRAMED
        return Passage.REFUSED if gives and framed else Passage.PASSES
    sent = headers.get("origin", "null").lower()
    if sent == "null":
        return Passage.UNPROVEN if gives else Passage.PASSES
    return Passage.PASSES if sent == origin else Passage.REFUSED
