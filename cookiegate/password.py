"""Passwords of the people who may look: kept as scrypt hashes (RFC 7914), never as themselves."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode

_FORM = re.compile(r"scrypt:(\d{2}):(\d{1,2}):(\d{1,2}):([A-Za-z0-9+/]{22}==):([A-Za-z0-9+/]{43}=)").fullmatch
COST, BLOCK, PARALLEL = 15, 8, 1  # log2 N, r, p: about 100 ms and 32 MB


def hashed(password: str) -> str:
    """Return ``scrypt:log2 N:r:p:salt:hash`` for a new salt."""
    salt = secrets.token_bytes(16)
    key = _derive(password, salt, COST, BLOCK, PARALLEL)
    return f"scrypt:{COST}:{BLOCK}:{PARALLEL}:{b64encode(salt).decode()}:{b64encode(key).decode()}"


def is_hash(text: str) -> bool:
    """Return whether *text* is a hash of ours whose price can be paid (at most 256 MB)."""
    match = _FORM(text)
    if match is None:
        return False
    cost, block, parallel = (int(part) for part in match.groups()[:3])
    return 10 <= cost <= 18 and 1 <= block <= 8 and 1 <= parallel <= 4


def fits(password: str, text: str) -> bool:
    """Return whether *password* made the hash *text*; takes about 100 ms, so call it in a thread."""
    match = _FORM(text)
    if match is None:
        return False
    salt, expected = b64decode(match[4]), b64decode(match[5])
    return hmac.compare_digest(_derive(password, salt, int(match[1]), int(match[2]), int(match[3])), expected)


def _derive(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    size = 128 * block * (1 << cost) * 2
    return hashlib.scrypt(
        password.encode(), salt=salt, n=1 << cost, r=block, p=parallel, maxmem=size + (1 << 20), dklen=32
    )
