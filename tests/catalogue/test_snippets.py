"""What the catalogue is for: vendors' snippets go, everything else stays."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.catalogue.reference import Case, alive, harmless, snippets

SNIPPETS = snippets()
HARMLESS = harmless()


@pytest.mark.parametrize("case", SNIPPETS, ids=lambda case: case.id)
def test_nothing_of_a_vendors_snippet_is_alive_for_who_was_not_asked(case: Case) -> None:
    assert alive(case.gated) == []


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.id)
def test_what_is_nobodys_tracker_leaves_byte_for_byte(case: Case) -> None:
    assert case.gated == case.page


@pytest.mark.parametrize("case", SNIPPETS, ids=lambda case: case.id)
def test_every_snippet_of_the_reference_would_load_or_run(case: Case) -> None:
    assert alive(case.page)


def test_the_reference_is_large_enough_to_be_believed() -> None:
    variants = Counter(case.group for case in SNIPPETS)

    assert len(variants) >= 40
    assert [service for service, count in variants.items() if count < 3] == []
    assert len(HARMLESS) >= 300
    assert len({case.id for case in SNIPPETS + HARMLESS}) == len(SNIPPETS + HARMLESS)
