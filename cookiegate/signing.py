"""Keys, key ids, rotation: what we signed, and under which key."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from enum import Enum
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, Signer

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_KEY_BYTES = 32


class Unsigned(Enum):
    """Why a value is not ours."""

    UNREADABLE = "it has not the shape of a signed value"
    UNKNOWN_KEY = "its key id is none of ours"
    FORGED = "its key id is ours and its signature is not"


class Keyring:
    """Signs with the newest key, reads with all of them.

    A signed value is ``key id . payload . signature``: the id is the first four bytes of the key's SHA-256,
    the signature HMAC-SHA-256 over the payload, both URL-safe Base64 without padding. *salt* separates what is
    signed for one site from what is signed for another.
    """

    def __init__(self, keys: Sequence[str], *, salt: str) -> None:
        self._signers = {_key_id(key): _signer(key, salt) for key in reversed(keys)}
        self._newest = _key_id(keys[0])

    def sign(self, payload: str) -> str:
        """Return *payload* (URL-safe, without a dot) signed with the newest key."""
        return f"{self._newest}.{self._signers[self._newest].sign(payload).decode()}"

    def unsign(self, value: str) -> str | Unsigned:
        """Return the payload that we signed, or why the value is not ours."""
        key_id, _, signed = value.partition(".")
        if "." not in signed:
            return Unsigned.UNREADABLE
        signer = self._signers.get(key_id)
        if signer is None:
            return Unsigned.UNKNOWN_KEY
        try:
            payload = signer.unsign(signed)
        except BadSignature:
            return Unsigned.FORGED
        # Base64 has spare bits and forgives what follows its end: only the one spelling that we write is ours.
        return payload.decode("ascii") if signer.sign(payload) == signed.encode() else Unsigned.FORGED


def _key_id(key: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(key.encode()).digest()[:4]).decode().rstrip("=")


def _signer(key: str, salt: str) -> Signer:
    return Signer(key.encode(), salt=salt.encode(), key_derivation="hmac", digest_method=hashlib.sha256)
