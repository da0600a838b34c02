"""Vault: what is encrypted, by which key. Everything here is bytes in, bytes out. (Only door to cryptography.)

The operator's key opens the inner key, the inner key opens the days' keys, a day's key opens that day's rows.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict
from functools import lru_cache
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cookiegate.records.day import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cookiegate.records.day import Day

KEY_BYTES = 32
TAG_BYTES = 8
WRITER_BYTES = 16
_NONCE = 12
_GENERATION = 8
_NAME = 8
_PUBLIC = 32
_FINGERPRINT = 16


class FrameCipher:
    """AES-256-GCM for the frames of one writer on one day.

    Key and first nonce are HKDF-SHA-256 of the day's key and the writer's random id; a frame's nonce is the first
    one XOR its number (as in RFC 8446, 5.3), so it never repeats unless a writer id or a number does. Site, kind,
    day, writer and number are bound to the frame: it opens nowhere else.
    """

    def __init__(self, key: bytes, day: Day, writer: bytes) -> None:
        secret = _derive(key, b"frames", salt=writer, length=KEY_BYTES + _NONCE)
        self._aead = AESGCM(secret[:KEY_BYTES])
        self._first = int.from_bytes(secret[KEY_BYTES:])
        self._bound_to = f"{day}/{writer.hex()}/".encode()

    def seal(self, number: int, row: bytes) -> bytes:
        """Encrypt frame *number* (0 ≤ number < 2⁶⁴, never twice)."""
        return self._aead.encrypt(self._nonce(number), row, self._bound_to + number.to_bytes(8))

    def open(self, number: int, sealed: bytes) -> bytes | None:
        """Decrypt frame *number*; ``None`` if it is not what was written there."""
        try:
            return self._aead.decrypt(self._nonce(number), sealed, self._bound_to + number.to_bytes(8))
        except InvalidTag:
            return None

    def _nonce(self, number: int) -> bytes:
        return (self._first ^ number).to_bytes(_NONCE)


class DayKey:
    """The key of one day, open: it gives a writer its cipher and values their tags."""

    def __init__(self, day: Day, terms: Terms, key: bytes) -> None:
        self.day, self.terms, self._key = day, terms, key
        self._tags = _derive(key, b"tags")
        self._names = _derive(key, b"names")
        self.tag = lru_cache(maxsize=1024)(self._tag)
        self.name = _derive(key, b"name", length=_NAME)  # which of a day's keys this is, where hosts have their own

    def cipher(self, writer: bytes) -> FrameCipher:
        """Return the cipher of the writer with this random id of 16 bytes."""
        return FrameCipher(self._key, self.day, writer)

    def _tag(self, value: str) -> bytes:
        """Return the 8 bytes by which *value* is found among this day's frames without opening them."""
        return hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=TAG_BYTES, key=self._tags).digest()

    def pseudonym(self, address: str) -> str:
        """Return what stands for an address where ``ip = "keyed"``: the same all day, nothing without the key."""
        return hashlib.blake2b(address.encode("utf-8", "replace"), digest_size=16, key=self._names).hexdigest()


class InnerKey(NamedTuple):
    """The one key that destroys: *generation* (hexadecimal) is its name."""

    generation: str
    secret: bytes

    @classmethod
    def fresh(cls) -> InnerKey:
        """Return a new random one."""
        return cls(secrets.token_hex(_GENERATION), secrets.token_bytes(KEY_BYTES))

    def next(self) -> InnerKey:
        """Return the one that follows where several hosts share it: each derives the same, and none goes back."""
        name = _derive(self.secret, b"next generation", length=_GENERATION)
        return InnerKey(name.hex(), _derive(self.secret, b"next inner key"))

    def reach(self, generation: str, *, steps: int) -> InnerKey | None:
        """Return the one called *generation* at most *steps* further; ``None`` if it does not follow this one."""
        key = self
        while key.generation != generation:
            if steps <= 0:
                return None
            key, steps = key.next(), steps - 1
        return key

    def wrap(self, operators_key: str) -> bytes:
        """Return it encrypted by the operator's key."""
        name, nonce = bytes.fromhex(self.generation), secrets.token_bytes(_NONCE)
        return name + nonce + _operators(operators_key).encrypt(nonce, self.secret, name)

    @classmethod
    def unwrap(cls, wrapped: bytes, operators_keys: Iterable[str]) -> InnerKey | None:
        """Open it by the first of *operators_keys* that does; ``None`` if none does."""
        name, nonce = wrapped[:_GENERATION], wrapped[_GENERATION : _GENERATION + _NONCE]
        for key in operators_keys:
            try:
                secret = _operators(key).decrypt(nonce, wrapped[_GENERATION + _NONCE :], name)
            except (InvalidTag, ValueError):
                continue
            return cls(name.hex(), secret)
        return None


class Handover:
    """How a newcomer receives inner and seal key so that nothing written down ever opens them again.

    Both sides make an X25519 key for this once and throw it away. Without the operator's key nobody can take part, nor
    even ask: who keeps the store could ask with a key of his own, and open the answer once he learns the operator's.
    """

    def __init__(self, operators_key: str) -> None:
        self._private = X25519PrivateKey.generate()
        public = self._private.public_key().public_bytes_raw()
        self.question = public + _proof(public, operators_key)

    @staticmethod
    def answer(question: bytes, inner: InnerKey, seal: SealKey, operators_keys: Iterable[str]) -> bytes:
        """Return both keys for the one who asked; nothing for one who has none of *operators_keys*.

        Raises ValueError for what is no question.
        """
        asker, proof = question[:_PUBLIC], question[_PUBLIC:]
        operators_key = next((key for key in operators_keys if compare_digest(proof, _proof(asker, key))), None)
        if operators_key is None:
            return b""
        private = X25519PrivateKey.generate()
        secret = private.exchange(X25519PublicKey.from_public_bytes(asker))
        public, nonce = private.public_key().public_bytes_raw(), secrets.token_bytes(_NONCE)
        sealed = _agreed(secret, operators_key).encrypt(nonce, _joined(inner) + seal.secret, question + public)
        return public + nonce + sealed

    def take(self, answer: bytes, operators_keys: Iterable[str]) -> tuple[InnerKey, SealKey] | None:
        """Open the answer by the first of *operators_keys* that does; ``None`` if none does."""
        public, nonce = answer[:_PUBLIC], answer[_PUBLIC : _PUBLIC + _NONCE]
        for key in operators_keys:
            try:
                secret = self._private.exchange(X25519PublicKey.from_public_bytes(public))
                given = _agreed(secret, key).decrypt(nonce, answer[_PUBLIC + _NONCE :], self.question + public)
            except (InvalidTag, ValueError):
                continue
            end = _GENERATION + KEY_BYTES
            return InnerKey(given[:_GENERATION].hex(), given[_GENERATION:end]), SealKey(given[end:])
        return None


class SealKey:
    """The Ed25519 key that signs the seals. As it lies on disk, anybody may read its *public* half, who verifies."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw()

    @classmethod
    def fresh(cls) -> SealKey:
        """Return a new random one."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def secret(self) -> bytes:
        """The private half."""
        return self._key.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(message)

    def fingerprint(self, value: str) -> str:
        """Return what stands for *value* in an access record: whoever has the key and the value can tell."""
        key = _derive(self._key.private_bytes_raw(), b"whose")
        return hashlib.blake2b(value.encode("utf-8", "replace"), digest_size=_FINGERPRINT, key=key).hexdigest()

    def wrap(self, operators_key: str) -> bytes:
        """Return it encrypted by the operator's key, behind its public half."""
        nonce = secrets.token_bytes(_NONCE)
        return self.public + nonce + _operators(operators_key).encrypt(nonce, self.secret, self.public)

    @classmethod
    def unwrap(cls, wrapped: bytes, operators_keys: Iterable[str]) -> SealKey | None:
        """Open it by the first of *operators_keys* that does; ``None`` if none does."""
        public, nonce, sealed = wrapped[:_PUBLIC], wrapped[_PUBLIC : _PUBLIC + _NONCE], wrapped[_PUBLIC + _NONCE :]
        for key in operators_keys:
            try:
                return cls(_operators(key).decrypt(nonce, sealed, public))
            except (InvalidTag, ValueError):
                continue
        return None


class SealChecker:
    """The public half of a seal key."""

    def __init__(self, public: bytes) -> None:
        self.public = public[:_PUBLIC]
        self._key = Ed25519PublicKey.from_public_bytes(self.public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Return whether the seal key signed *message*."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class WrappedDayKey(NamedTuple):
    """A day's key as it lies on disk: readable *terms*, which cannot be changed, and the key for one inner key."""

    terms: Terms
    generation: str
    sealed: bytes

    @classmethod
    def fresh(cls, day: Day, terms: Terms, inner: InnerKey) -> WrappedDayKey:
        """Return a new random day key, wrapped."""
        return cls._of(day, terms, inner, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def _of(cls, day: Day, terms: Terms, inner: InnerKey, key: bytes) -> WrappedDayKey:
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(inner.secret).encrypt(nonce, key, _bound_to(day, terms))
        return cls(terms, inner.generation, nonce + sealed)

    def encode(self) -> bytes:
        """Return the file's content, JSON."""
        content = {"terms": asdict(self.terms), "generation": self.generation, "key": self.sealed.hex()}
        return json.dumps(content, indent=1).encode()

    @classmethod
    def decode(cls, content: bytes) -> WrappedDayKey | None:
        """Read what `encode` wrote; ``None`` if it is nothing of ours."""
        try:
            fields: dict[str, Any] = json.loads(content)
            return cls(Terms(**fields["terms"]), fields["generation"], bytes.fromhex(fields["key"]))
        except (ValueError, KeyError, TypeError):
            return None

    def open(self, day: Day, inner: InnerKey) -> DayKey | None:
        """Open it; ``None`` if *inner* is another one or the file was changed."""
        key = self._unsealed(day, inner)
        return None if key is None else DayKey(day, self.terms, key)

    def anew(self, day: Day, old: InnerKey, new: InnerKey) -> WrappedDayKey | None:
        """Return the same day key wrapped by *new*; ``None`` if *old* does not open it."""
        key = self._unsealed(day, old)
        return None if key is None else self._of(day, self.terms, new, key)

    def _unsealed(self, day: Day, inner: InnerKey) -> bytes | None:
        try:
            return AESGCM(inner.secret).decrypt(self.sealed[:_NONCE], self.sealed[_NONCE:], _bound_to(day, self.terms))
        except (InvalidTag, ValueError):
            return None


def _bound_to(day: Day, terms: Terms) -> bytes:
    return json.dumps([str(day), asdict(terms)], sort_keys=True).encode()


def _operators(key: str) -> AESGCM:
    return AESGCM(_derive(key.encode(), b"operator"))


def _agreed(secret: bytes, operators_key: str) -> AESGCM:
    return AESGCM(_derive(secret, b"handover", salt=_derive(operators_key.encode(), b"handover")))


def _proof(question: bytes, operators_key: str) -> bytes:
    """Return what shows that somebody with the operator's key asks."""
    return hashlib.blake2b(question, digest_size=16, key=_derive(operators_key.encode(), b"question")).digest()


def _joined(inner: InnerKey) -> bytes:
    return bytes.fromhex(inner.generation) + inner.secret


def _derive(key: bytes, use: bytes, *, salt: bytes | None = None, length: int = KEY_BYTES) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=b"cookiegate " + use).derive(key)
