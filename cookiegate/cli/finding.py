"""Finding: one sentence of `cookiegate check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """*level* ``error`` makes the check fail; ``warning`` is for the operator to weigh."""

    level: Literal["error", "warning", "note"]
    sentence: str
