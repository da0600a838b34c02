"""The seal key: where it lies, and what is said where it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.vault import SealChecker, SealKey

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records.operators_key import OperatorsKey


class SealKeyFile:
    """A file in *home*, wrapped by the operator's key; beside it *heads*, which says how far every chain has come.

    *shared*: other hosts have the same key. Methods raise OSError and RecordsError.
    """

    def __init__(self, home: Path, operator: OperatorsKey, *, shared: bool) -> None:
        self._path, self._operator, self._shared = home / "seal", operator, shared
        self.heads = home / ("store-heads" if shared else "heads")

    def make(self) -> None:
        """Make one, unless there is or was one."""
        if not self._path.exists() and not self.heads.exists():
            disk.create(self._path, SealKey.fresh().wrap(self._operator.newest()))

    def keep(self, key: SealKey) -> None:
        """Put *key* in its place, wrapped by the newest operator's key."""
        disk.replace(self._path, key.wrap(self._operator.newest()))

    def is_other_than(self, key: SealKey) -> bool:
        """Return whether *key* is not the one that lies here."""
        return not self._path.exists() or self.checker().public != key.public

    def key(self) -> SealKey:
        """Return the key that signs the seals."""
        key = SealKey.unwrap(self._wrapped(), self._operator.all())
        if key is None:
            raise self._operator.does_not_open(self._path)
        return key

    def checker(self) -> SealChecker:
        """Return what verifies the seals; the operator's key is not needed."""
        try:
            return SealChecker(self._wrapped())
        except ValueError:
            raise RecordsError(f"{self._path}: this is no seal key. Put the newest copy back.") from None

    def _wrapped(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            raise RecordsError(
                f"{self._path}: the key that signs the seals is gone; nothing is sealed. Put the newest copy back, "
                f"{self._remedy}."
            ) from None

    @property
    def _remedy(self) -> str:
        if self._shared:
            return "or that of any other host: it is the same on all"
        return f"or remove {self.heads} to begin a new one, which breaks the chain for all to see"
