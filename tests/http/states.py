"""Everybody who may ask for a page: what they chose, what their browser signals, what they read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from tests.contract.world import SAME_ORIGIN, Visitor
from tests.http.wire import Lines, stage

if TYPE_CHECKING:
    from collections.abc import Mapping

NAVIGATE: Final[Lines] = [
    (b"accept", b"text/html,*/*;q=0.8"),
    (b"sec-fetch-dest", b"document"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-site", b"none"),
]
# name → what is posted before (None: never asked), what every request carries
STATES: Final[Mapping[str, tuple[Mapping[str, str] | None, Lines]]] = {
    "never asked": (None, []),
    "never asked, Korean": (None, [(b"accept-language", b"ko")]),
    "never asked, with the signal": (None, [(b"sec-gpc", b"1")]),
    "never asked, in a frame": (None, [(b"sec-fetch-dest", b"iframe")]),
    "never asked, by a script": (None, [(b"sec-fetch-dest", b"empty"), (b"sec-fetch-mode", b"cors")]),
    "refused": ({"action": "reject_all"}, []),
    "refused, in a frame": ({"action": "reject_all"}, [(b"sec-fetch-dest", b"iframe")]),
    "analytics": ({"action": "save", "purpose": "analytics"}, []),
    "marketing": ({"action": "save", "purpose": "marketing"}, []),
    "everything": ({"action": "accept_all"}, []),
    "everything, with the signal": ({"action": "accept_all"}, [(b"sec-gpc", b"1")]),
    "one service": ({"action": "allow_always", "service": "youtube"}, []),
}
ANSWERED: Final = [name for name, (form, _) in STATES.items() if form]


@cache
def receipt(name: str) -> bytes:
    """The cookie line of this visitor; empty for one who was never asked."""
    form, _ = STATES[name]
    if form is None:
        return b""
    visitor = Visitor(stage().gate)
    reply = visitor.post({"return_to": "/", **form}, SAME_ORIGIN)
    assert reply.status == 303, reply
    return f"__Host-privacy={visitor.receipt}".encode()


def lines_of(name: str, *more: tuple[bytes, bytes]) -> Lines:
    """What the browser of this visitor sends when a page is opened."""
    cookie = receipt(name)
    own = {header for header, _ in STATES[name][1]}
    return [
        *(line for line in NAVIGATE if line[0] not in own),
        *STATES[name][1],
        *([(b"cookie", cookie)] if cookie else []),
        *more,
    ]
