"""Exchange: what is known of one request before the app has it, and what the gate asks of the notice for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cookiegate.consent.consent import Consent
    from cookiegate.cookie import SentCookie
    from cookiegate.origin import Origin
    from cookiegate.service import Service

    Header = tuple[bytes, bytes]


class Notice(Protocol):
    """What the gate asks of the notice: see ``notice/banner.py``."""

    @property
    def language(self) -> str: ...

    @property
    def asks(self) -> bool: ...

    def banner(self, *, based: bool, forms_forbidden: bool) -> bytes: ...

    @property
    def stays(self) -> bool: ...

    @property
    def appends(self) -> bool: ...

    def standing_link(self) -> bytes: ...

    @property
    def offers(self) -> bool: ...

    @property
    def reports(self) -> str: ...

    def placeholder(
        self, service: Service | None, attributes: Mapping[bytes, bytes], *, forms_forbidden: bool
    ) -> bytes: ...

    def withheld_page(self) -> bytes: ...


class Exchange(NamedTuple):
    """What is known of one request before the app has it."""

    scope: Mapping[str, Any]  # as the server gave it
    sent: Mapping[bytes, bytes]  # its headers by name
    cookies: Sequence[SentCookie]
    origin: Origin
    consent: Consent
    notice: Notice
    now: float  # seconds since 1970

    @property
    def headers(self) -> Sequence[Header]:
        """The request's headers as the visitor sent them."""
        headers: Sequence[Header] = self.scope["headers"]
        return headers

    @property
    def path(self) -> str:
        """The path that was asked for, decoded."""
        return str(self.scope["path"])

    @property
    def method(self) -> str:
        """The request's method; a socket is opened with a GET."""
        return str(self.scope.get("method", "GET"))

    @property
    def page(self) -> str:
        """The page's own absolute address, against which relative ones are read."""
        return f"{self.origin.serialized if self.origin.host else 'https://host.invalid'}{quote(self.path)}"

    @property
    def is_timed(self) -> bool:
        """Whether the page may show a service that was allowed for a while."""
        return any(exception.until is not None for exception in self.consent.exceptions.values())

    @property
    def if_none_match(self) -> list[bytes]:
        """Return the request's If-None-Match lines."""
        return [value for name, value in self.headers if name == b"if-none-match"]
