"""The operator's key: where it is found. It opens the inner key, and nothing else does."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from cookiegate.config import FILES
from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.vault import KEY_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.config import Records

KEY_VARIABLE = "COOKIEGATE_VAULT_KEY"
A_NEW_KEY = 'A new key: python -c "import secrets; print(secrets.token_urlsafe(32))"'


class OperatorsKeys:
    """The keys of the variable, of the named file, or of one that we make for a machine of its own."""

    def __init__(self, records: Records) -> None:
        self._home, self._file = records.key_directory, records.vault_key_file
        self._shared = records.store != FILES

    def read(self, *, begun: bool) -> list[str]:
        """Return them, newest first; none is made where records have *begun* with one. Raises RecordsError."""
        text, place = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
        if not text:
            path = self._file or self._own_file(begun=begun)
            text, place = _text_of(path), str(path)
        keys = text.replace(",", " ").split()
        if not keys or any(len(key.encode()) < KEY_BYTES for key in keys):
            raise RecordsError(f"{place}: the operator's key needs at least {KEY_BYTES} bytes. {A_NEW_KEY}")
        return keys

    def _own_file(self, *, begun: bool) -> Path:
        if self._shared:
            raise RecordsError(
                f"Hosts that share a store need the same operator's key: set {KEY_VARIABLE} or vault_key_file. "
                f"{A_NEW_KEY}"
            )
        path = self._home / "operator"
        if not path.exists() and not begun:
            disk.create(path, secrets.token_urlsafe(KEY_BYTES).encode())
        return path


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as fault:
        raise RecordsError(
            f"{path}: {fault.strerror}. The operator's key stands there, or in the variable {KEY_VARIABLE}."
        ) from None
