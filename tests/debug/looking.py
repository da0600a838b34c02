"""Alice looks at the debug page."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.visits.place import PASSWORD

if TYPE_CHECKING:
    from tests.contract.world import Reply, Visitor

DEBUG = "/_privacy/debug"


def basic(password: str = PASSWORD, name: str = "alice") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def look(visitor: Visitor, **headers: str) -> Reply:
    """The page as a browser gets it."""
    return visitor.get(DEBUG, {**basic(), **headers})


def facts(visitor: Visitor, **headers: str) -> dict[str, Any]:
    """The page as a program gets it."""
    reply = look(visitor, accept="application/json", **headers)
    assert reply.status == 200
    found: dict[str, Any] = json.loads(reply.body)
    return found
