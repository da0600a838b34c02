"""The catalogue's files, as JSON when the wheel is built: TOML takes twenty times as long to read, at every start.

Run by hatch_build.py without its package, so it imports none of it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "compiled.json"
Entries = dict[str, dict[str, Any]]  # values by slug


def entries(sources: Mapping[str, bytes], compiled: bytes | None) -> dict[str, Entries]:
    """Return the entries of each TOML file: as *compiled* where that was made of these very *sources*."""
    made = json.loads(compiled) if compiled else {}
    if made.get("digest") == _digest(sources):
        found: dict[str, Entries] = made["files"]
        return found
    return {name: tomllib.loads(source.decode()) for name, source in sources.items()}


def write(folder: Path) -> Path:
    """Compile the TOML files of *folder* and return where."""
    sources = {file.name: file.read_bytes() for file in sorted(folder.glob("*.toml"))}
    made = {"digest": _digest(sources), "files": entries(sources, None)}
    target = folder / NAME
    target.write_text(json.dumps(made, ensure_ascii=False, default=str), "utf-8")  # dates are read from strings too
    return target


def _digest(sources: Mapping[str, bytes]) -> str:
    return hashlib.sha256(
        b"".join(b"%s\0%s\0" % (name.encode(), sources[name]) for name in sorted(sources))
    ).hexdigest()
