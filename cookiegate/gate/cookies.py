"""Cookie and Set-Cookie as browsers read them: which may be seen, which may be set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Header = tuple[bytes, bytes]

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search  # RFC 6265bis 5.6, step 1: tab is none of them
_SECONDS = re.compile(rb"-?[0-9]{1,20}").fullmatch  # browsers ignore an attribute of more than 1,024 bytes


def visible(headers: Sequence[Header], denied: Callable[[bytes], bool]) -> list[Header]:
    """Return the request's headers without the cookies that may not be read; untouched lines stay as they are."""
    shown: list[Header] = []
    for name, line in headers:
        if name == b"cookie":
            pairs = line.split(b";")
            kept = [pair for pair in pairs if not denied(pair.partition(b"=")[0].strip(b" \t"))]
            if not kept:
                continue
            line = line if len(kept) == len(pairs) else b";".join(kept).strip(b" \t")
        shown.append((name, line))
    return shown


def set_cookie_name(line: bytes) -> bytes:
    """Return the name under which a Set-Cookie's cookie will come back (RFC 6265bis 5.6); empty if it has none.

    ``=_ga=1`` sets a cookie without a name and with the value ``_ga=1``: sent back, it is one of the name ``_ga``.
    """
    pair = line.partition(b";")[0].strip(b" \t")
    if pair.startswith(b"="):
        pair = pair[1:].strip(b" \t")
    name, equals, _ = pair.partition(b"=")
    return name.rstrip(b" \t") if equals else b""


def is_refused(line: bytes) -> bool:
    """Return whether browsers ignore a Set-Cookie for its control characters."""
    return bool(_CONTROLS(line))


def deletes(line: bytes) -> bool:
    """Return whether a Set-Cookie stores nothing, in every reading: each of its Max-Age is past."""
    attributes = [attribute.partition(b"=") for attribute in line.split(b";")[1:]]
    ages = [value.strip(b" \t") for name, _, value in attributes if name.strip(b" \t").lower() == b"max-age"]
    return bool(ages) and all(_SECONDS(age) and int(age) <= 0 for age in ages)
