"""The operator's key: where it comes from, and how it is made anew where it is ours."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from cookiegate.config import FILES
from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.vault import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cookiegate.config import Records

KEY_VARIABLE = "COOKIEGATE_VAULT_KEY"


class OperatorsKey:
    """Asked for, in the environment, in a named file, or in one that we make in *key_directory*. Never remembered.

    Methods raise OSError and RecordsError.
    """

    def __init__(self, records: Records) -> None:
        self._ask, self._named = records.operator_key, records.vault_key_file
        self._shared = records.store != FILES
        self._home = records.key_directory

    def newest(self) -> str:
        """Return the key with which things are wrapped."""
        return self.all()[0]

    def all(self) -> list[str]:
        """Return every key with which things may be wrapped, newest first."""
        text, place = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
        if self._ask:
            text, place = _answer_of(self._ask), "operator_key"
        elif not text:
            path = self._named or self._own()
            text, place = _text_of(path), str(path)
        keys = text.replace(",", " ").split()
        if not keys or any(len(key.encode()) < KEY_BYTES for key in keys):
            raise RecordsError(
                f"{place}: the operator's key needs at least {KEY_BYTES} bytes. "
                'A new key: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        return keys

    @property
    def ours(self) -> bool:
        """Whether it is one that we made."""
        return not (self._ask or self._shared or self._named or os.environ.get(KEY_VARIABLE))

    def does_not_open(self, path: Path) -> RecordsError:
        """Return what is to be said of a file that was wrapped by another key."""
        return RecordsError(
            f"{path}: the operator's key does not open it. Set {KEY_VARIABLE} to the key with which the "
            "records began; to change it, write the new one before the old, separated by a comma."
        )

    def renew(self) -> None:
        """Put a fresh key before ours; what the file was stays under another name, to be overwritten by `drop_old`."""
        if len(self.all()) > 1:
            return  # an earlier call came so far
        file = self._own()
        if self._old.exists() and not self._old.samefile(file):
            disk.remove(self._old)  # all that an earlier rotation had left to do
        with suppress(FileExistsError):
            os.link(file, self._old)
        disk.replace(file, f"{secrets.token_urlsafe(KEY_BYTES)} ".encode() + file.read_bytes())

    def drop_old(self) -> None:
        """Overwrite all but the newest of ours."""
        disk.blank(self._own(), len(self.newest()))
        disk.remove(self._old)

    @property
    def _old(self) -> Path:
        return self._home / "operator.old"

    def _own(self) -> Path:
        if self._shared:
            raise RecordsError(
                f"Hosts that share a store need the same operator's key: set {KEY_VARIABLE} or vault_key_file. A new "
                'key: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        path = self._home / "operator"
        if not path.exists() and not (self._home / "inner").exists():
            disk.create(path, secrets.token_urlsafe(KEY_BYTES).encode())
        return path


def _answer_of(ask: Callable[[], str]) -> str:
    """Return the key that a service gives; whatever it raises must reach no visitor."""
    try:
        return str(ask())
    except Exception as fault:
        raise RecordsError(
            f"operator_key: the function that fetches the operator's key failed ({type(fault).__name__}). Records that "
            "need it are not kept until it answers."
        ) from fault


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as fault:
        raise RecordsError(
            f"{path}: {fault.strerror}. The operator's key stands there: put it back, or set {KEY_VARIABLE}."
        ) from None
