"""A shop's place on a disk with nobody's keys from outside, as the tests of visits have it."""

from __future__ import annotations

from tests.visits.conftest import _no_key_from_outside, clock, place

__all__ = ["_no_key_from_outside", "clock", "place"]
