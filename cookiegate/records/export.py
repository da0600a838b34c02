"""Export: rows for an authority in one file that nobody can change unnoticed. JSON, one object a line.

header ─▶ rows ─▶ end: how many there were, the SHA-256 of all lines before, the Ed25519 signature of that hash
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cookiegate.errors import RecordsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import BinaryIO

    from cookiegate.records.vault import SealChecker, SealKey

FORM = "cookiegate export 1"
_LONGEST = 1 << 16  # bytes of a line; a row has 16 KB at most
_TITLE = b"cookiegate export\0"


def write_export(
    out: BinaryIO,
    header: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    *,
    key: SealKey,
    end: Callable[[], Mapping[str, Any]],
) -> str:
    """Write and sign; *end* is asked for what is to be said after the last row. Return the hash, hexadecimal."""
    digest = sha256()

    def add(values: Mapping[str, Any]) -> None:
        line = json.dumps(values).encode() + b"\n"
        digest.update(line)
        out.write(line)

    add({"form": FORM, **header})
    for row in rows:
        add(row)
    add({"end": end()})
    signed = digest.digest()
    seal = {"sha256": signed.hex(), "key": key.public.hex(), "signature": key.sign(_TITLE + signed).hex()}
    out.write(json.dumps(seal).encode() + b"\n")
    return signed.hex()


def read_export(file: BinaryIO, checker: SealChecker) -> dict[str, Any]:
    """Return what header and end say of a file that stands as it was signed.

    Raises:
        RecordsError: it is no export, was changed or cut, or another key signed it.
    """
    digest = sha256()
    first, last, rows = b"", b"", -2  # header and end are no rows
    seal: dict[str, Any] = {}
    while line := file.readline(_LONGEST):
        seal = _seal_in(line)
        if seal:
            break
        digest.update(line)
        first, last, rows = first or line, line, rows + 1
    if file.read(1) or not seal:
        raise RecordsError("The export is cut, or something was added to it: its signature is not its last line.")
    if seal["key"] != checker.public.hex():
        raise RecordsError(f"The export was signed by another key ({seal['key']}) than {checker.public.hex()}.")
    if seal["sha256"] != digest.hexdigest() or not _fits(seal["signature"], digest.digest(), checker):
        raise RecordsError("The export was changed: its signature does not fit.")
    return {**_read(first), **_read(last).get("end", {}), "rows": rows, "sha256": seal["sha256"]}


def _seal_in(line: bytes) -> dict[str, Any]:
    """Return the last line's values, or nothing for any other."""
    if not line.startswith(b'{"sha256"'):
        return {}
    seal = _read(line)
    return seal if all(isinstance(seal.get(name), str) for name in ("sha256", "key", "signature")) else {}


def _read(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _fits(signature: str, signed: bytes, checker: SealChecker) -> bool:
    try:
        return checker.verify(bytes.fromhex(signature), _TITLE + signed)
    except ValueError:
        return False
