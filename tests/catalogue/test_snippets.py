"""What the catalogue is for: vendors' snippets go, everything else stays."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.catalogue.reference import Case, alive, harmless, snippets

# A comment is not told from code: nothing that loads may hide behind what only looks like one. Vendors' snippets hold
# comments, regular expressions and addresses ("//") in which a reader that is not a JavaScript parser would get lost.
KNOWN_LIMITS = {
    "mentions: a commented-out call within an own script",
    "mentions: a commented-out loader within an own script",
}

SNIPPETS = snippets()
HARMLESS = [case for case in harmless() if case.id not in KNOWN_LIMITS]
LIMITS = [case for case in harmless() if case.id in KNOWN_LIMITS]


@pytest.mark.parametrize("case", SNIPPETS, ids=lambda case: case.id)
def test_nothing_of_a_vendors_snippet_is_alive_for_who_was_not_asked(case: Case) -> None:
    assert alive(case.gated) == []


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.id)
def test_what_is_nobodys_tracker_leaves_byte_for_byte(case: Case) -> None:
    assert case.gated == case.page


@pytest.mark.parametrize("case", LIMITS, ids=lambda case: case.id)
def test_what_cannot_be_told_from_a_tracker_is_withheld_with_it(case: Case) -> None:
    assert case.gated != case.page


@pytest.mark.parametrize("case", SNIPPETS, ids=lambda case: case.id)
def test_every_snippet_of_the_reference_would_load_or_run(case: Case) -> None:
    assert alive(case.page)


def test_the_reference_is_large_enough_to_be_believed() -> None:
    variants = Counter(case.group for case in SNIPPETS)

    assert len(variants) >= 40
    assert [service for service, count in variants.items() if count < 3] == []
    assert len(HARMLESS) >= 300
    assert len(LIMITS) == len(KNOWN_LIMITS)
    assert len({case.id for case in SNIPPETS + HARMLESS + LIMITS}) == len(SNIPPETS + HARMLESS + LIMITS)
