"""Where our own pages stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where our own pages stand: below *root* (the server's root path and our *prefix*) at *netloc*."""

    root: str
    prefix: str
    netloc: str

    @classmethod
    def of(cls, scope: Mapping[str, Any], prefix: str, origin: Origin) -> Self:
        """Return those that the visitor who sent this request can reach."""
        return cls(root=quote(scope.get("root_path", "")) + prefix, prefix=prefix, netloc=origin.netloc)

    @property
    def home(self) -> str:
        """The address of the site's first page."""
        return self.root[: len(self.root) - len(self.prefix)] + "/"

    def to(self, path: str, *, based: bool = False) -> str:
        """Return the address of one of our pages; under a ``<base>`` a path alone would lead elsewhere."""
        return self.page(f"{self.root}{path}", based=based)

    def page(self, path: str, *, based: bool = False) -> str:
        """Return the address of one of the site's pages."""
        return f"//{self.netloc}{path}" if based else path
