"""Heads: how far every chain has come. One copy lies with the keys, so that who changes the data cannot cut a tail."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.seal import NOTHING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    Head = tuple[int, bytes]  # how many seals or statements, and the hash of the last


@dataclass(slots=True)
class Heads:
    """*ledger*: the last statement. *writers*: the last seal of every writer by ``kind/folder/day/writer``."""

    ledger: Head = (0, NOTHING)
    writers: dict[str, Head] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file; nothing is known where there is none. Raises OSError, RecordsError."""
        try:
            return cls.decode(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return cls()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RecordsError(f"{path}: this is not what we wrote. Put the newest copy back.") from None

    def save(self, path: Path) -> None:
        """Write the file. Raises OSError."""
        disk.replace(path, json.dumps(self.encode()).encode())

    @classmethod
    def decode(cls, values: dict[str, Any]) -> Self:
        """Read what `encode` gave. Raises ValueError, KeyError, TypeError, AttributeError for anything else."""
        return cls(_head(values["ledger"]), {place: _head(head) for place, head in values["writers"].items()})

    def encode(self) -> dict[str, Any]:
        """Return plain values."""
        count, head = self.ledger
        writers = {place: [number, last.hex()] for place, (number, last) in self.writers.items()}
        return {"ledger": [count, head.hex()], "writers": writers}


def _head(value: list[Any]) -> Head:
    count, text = value
    return int(count), bytes.fromhex(text)
