"""Visit and Misuse: the rows that are kept, already minimised, and their bytes before encryption."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from cookiegate.address import plain, prefix_of

if TYPE_CHECKING:
    from cookiegate.site import Site

ADDRESS, METHOD, PATH, REFERRER, AGENT, GRANTED, CONSENT_ID = 64, 16, 2048, 256, 1024, 256, 64  # bytes

_FACTS = struct.Struct("<dHQfQB7H")  # time, status, size, duration, stream, finished, seven lengths
_ORIGIN = re.compile(r"(https?://)(?:[^/?#\\@]*@)?([^/?#\\@]+)", re.IGNORECASE)


class Visit(NamedTuple):
    """One request's record. Make it with `Visit.of`, which leaves out what must not be kept.

    *time* is the request's beginning in seconds since 1970 (UTC), *duration* in seconds, *size* the body's bytes.
    A long stream is recorded twice under the same non-zero *stream*: when it begins (*finished* false) and when it
    ends; the log gives both back as one.
    """

    site: str
    time: float
    address: str
    method: str
    path: str
    status: int
    size: int = 0
    duration: float = 0.0
    referrer: str = ""
    agent: str = ""
    granted: tuple[str, ...] = ()
    consent_id: str = ""
    stream: int = 0
    finished: bool = True

    def __repr__(self) -> str:
        """Say nothing of whom it is about: it may end up in a log line."""
        return f"<Visit to {self.site}>"

    @classmethod
    def of(
        cls,
        site: Site,
        *,
        time: float,
        address: str,
        method: str,
        path: str,
        status: int,
        size: int = 0,
        duration: float = 0.0,
        referrer: str = "",
        agent: str = "",
        granted: tuple[str, ...] = (),
        consent_id: str = "",
        stream: int = 0,
        finished: bool = True,
    ) -> Self:
        """Return the row for a request to *site*: path without query, referrer as its origin, address by ``ip``.

        The consent id is kept only where visits are kept by consent or analytics is granted, so that a visitor who
        refused is no row's common thread.
        """
        visits = site.visits
        known = visits is not None and (visits.basis == "consent" or "analytics" in granted)
        return cls(  # in order: names would take as long as all the rest
            site.name,
            time,
            prefix_of(address) if visits and visits.ip == "truncated" else plain(address),
            method,
            path.partition("?")[0].partition("#")[0],
            status,
            size,
            duration,
            referrer and referring_origin(referrer),
            agent,
            granted,
            consent_id if known else "",
            stream,
            finished,
        )

    def encode(self) -> bytes:
        """Return the row's bytes, at most 3.8 KB; each text is cut to its limit."""
        texts = (
            self.address.encode("utf-8", "replace")[:ADDRESS],
            self.method.encode("utf-8", "replace")[:METHOD],
            self.path.encode("utf-8", "replace")[:PATH],
            self.referrer.encode("utf-8", "replace")[:REFERRER],
            self.agent.encode("utf-8", "replace")[:AGENT],
            ",".join(self.granted).encode("utf-8", "replace")[:GRANTED],
            self.consent_id.encode("utf-8", "replace")[:CONSENT_ID],
        )
        facts = _FACTS.pack(
            self.time,
            self.status & 0xFFFF,
            max(0, self.size),
            self.duration,
            self.stream,
            self.finished,
            *map(len, texts),
        )
        return b"".join((facts, *texts))

    @classmethod
    def decode(cls, site: str, row: bytes) -> Self:
        """Read what `encode` wrote for *site*."""
        time, status, size, duration, stream, finished, *lengths = _FACTS.unpack_from(row)
        texts, at = [], _FACTS.size
        for length in lengths:
            texts.append(row[at : at + length].decode("utf-8", "replace"))
            at += length
        address, method, path, referrer, agent, granted, consent_id = texts
        return cls(
            site=site,
            time=time,
            address=address,
            method=method,
            path=path,
            status=status,
            size=size,
            duration=duration,
            referrer=referrer,
            agent=agent,
            granted=tuple(granted.split(",")) if granted else (),
            consent_id=consent_id,
            stream=stream,
            finished=bool(finished),
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Misuse:
    """That somebody under an address *prefix* did *what* (``forged receipt`` …) in the minute beginning at *time*.

    *time* is in seconds since 1970 (UTC). There is one record per site, deed, prefix and minute.
    """

    site: str
    time: int
    what: str
    prefix: str

    @classmethod
    def of(cls, site: Site, *, time: float, what: str, address: str) -> Self:
        """Return the row, cut to the minute and to the address's prefix."""
        return cls(site=site.name, time=int(time // 60) * 60, what=what, prefix=prefix_of(address))

    def encode(self) -> bytes:
        """Return the row's bytes; *what* is cut to 64."""
        what = self.what.encode("utf-8", "replace")[:64]
        return struct.pack("<qB", self.time, len(what)) + what + self.prefix.encode()

    @classmethod
    def decode(cls, site: str, row: bytes) -> Self:
        """Read what `encode` wrote for *site*."""
        time, length = struct.unpack_from("<qB", row)
        what, prefix = row[9 : 9 + length], row[9 + length :]
        return cls(site=site, time=time, what=what.decode("utf-8", "replace"), prefix=prefix.decode())


def referring_origin(referrer: str) -> str:
    """Return scheme, host and port of a web address, without user, path and query; an empty text for any other."""
    found = _ORIGIN.match(referrer)
    return f"{found[1]}{found[2]}".lower() if found else ""
