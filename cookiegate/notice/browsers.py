"""How does one refuse cookies in this browser?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.guides import Analytics, Guide, ready_made

if TYPE_CHECKING:
    from cookiegate.agent import Agent


def guides(agent: Agent) -> tuple[Guide, ...]:
    """Return every guide, the visitor's own first, the others by use."""
    return tuple(sorted(ready_made()[0].values(), key=lambda each: each.slug != agent.slug))


def guide(slug: str) -> Guide | None:
    """Return the guide of that browser; an ``Agent.slug`` serves as its name."""
    return ready_made()[0].get(slug)


def analytics() -> Analytics:
    """Return how to turn off Google Analytics."""
    return ready_made()[1]
