"""Checkpoint: the heads of all chains, signed, to be kept where nobody can change them. Bytes in, bytes out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cookiegate.errors import RecordsError
from cookiegate.records.entries import moment
from cookiegate.records.heads import Heads

if TYPE_CHECKING:
    from cookiegate.records.vault import SealChecker, SealKey

_TITLE = b"cookiegate checkpoint\0"


def write_checkpoint(heads: Heads, key: SealKey, now: float, *, broken: str) -> bytes:
    """Return the file's content, JSON. Raises RecordsError where the last pass found the seals *broken*."""
    if broken:
        raise RecordsError(f"The seals do not fit: {broken}. Run: cookiegate verify")
    content = {"at": moment(now), "key": key.public.hex(), **heads.encode()}
    content["signature"] = key.sign(_TITLE + _canonical(content)).hex()
    return json.dumps(content, indent=1).encode() + b"\n"


def read_checkpoint(content: bytes, checker: SealChecker) -> Heads:
    """Return what a file says. Raises RecordsError where it is none, of another key, or was changed."""
    try:
        values: dict[str, Any] = json.loads(content)
        signature = bytes.fromhex(values.pop("signature"))
        heads = Heads.decode(values)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecordsError("This is no checkpoint of ours: `cookiegate checkpoint` writes one.") from None
    if values.get("key") != checker.public.hex():
        raise RecordsError(
            f"The checkpoint of {values.get('at')} was signed by another key than {checker.public.hex()}: the key "
            "that signs the seals was replaced since, or this is another log's."
        )
    if not checker.verify(signature, _TITLE + _canonical(values)):
        raise RecordsError("This checkpoint was changed: its signature does not fit.")
    return heads


def _canonical(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True).encode()
