"""Period: a length of calendar time, in months and years; never a number of days."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, model_serializer, model_validator

from cookiegate.declaration import Declaration

CENTURY = 1200  # months


class Period(Declaration):
    """Calendar months and years, written ``Period(months=3)`` or, in TOML, in ISO 8601: ``"P3M"``, ``"P1Y6M"``.

    Days and weeks are refused: a statute that says three months means calendar months (Korean Civil Act 160),
    and pydantic would read P3M as 90 days.
    """

    months: int = Field(default=0, ge=0)
    years: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _iso_8601(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = re.fullmatch(r"P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?", value)
        if parts is None:
            raise ValueError("write calendar months and years as in ISO 8601: 'P3M', 'P1Y', 'P1Y6M'.")
        return {"years": int(parts[1] or 0), "months": int(parts[2] or 0)}

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if not 1 <= self.in_months <= CENTURY:
            raise ValueError("a period lasts at least a month and at most a hundred years, as in 'P3M'.")
        return self

    @property
    def in_months(self) -> int:
        """The whole period in calendar months."""
        return 12 * self.years + self.months

    def __str__(self) -> str:
        """Write it as ISO 8601, as it may stand in the configuration."""
        return "P" + f"{self.years}Y" * bool(self.years) + f"{self.months}M" * bool(self.months)

    @model_serializer
    def _as_written(self) -> str:
        return str(self)
