"""How much of vendors' snippets does the catalogue know, and what does it touch in vain?

Run: python -m benchmarks.recall

The reference is tests/catalogue: every tag counts once, however often real pages carry it.
"""

from __future__ import annotations

from collections import Counter

from tests.catalogue.reference import Case, Kind, alive, harmless, snippets

Tally = dict[Kind, Counter[str]]  # kind of what is alive → service → how many


def tally(pages: list[tuple[str, str]]) -> Tally:
    """Count what is alive in *pages*, which are (service, page)."""
    counted: Tally = {kind: Counter() for kind in Kind}
    for service, page in pages:
        for kind, _ in alive(page):
            counted[kind][service] += 1
    return counted


def share(part: int, whole: int) -> str:
    """Return as in '39/40 0.975'."""
    return f"{part:4}/{whole:<4}{part / whole:6.3f}" if whole else " " * 15


def row(name: str, before: Tally, after: Tally, service: str | None = None) -> str:
    """Return recall per kind, of one service or of all."""
    cells = []
    for kind in Kind:
        whole, left = (t[kind][service] if service else t[kind].total() for t in (before, after))
        cells.append(share(whole - left, whole))
    return f"{name:28}" + "  ".join(cells)


def print_recall(cases: list[Case]) -> None:
    """Print recall per kind, and the misses below their service."""
    before = tally([(case.group, case.page) for case in cases])
    after = tally([(case.group, case.gated) for case in cases])
    services = dict.fromkeys(case.group for case in cases)
    print(f"{f'{len(cases)} snippets of {len(services)}':28}" + "  ".join(f"{kind.value:15}" for kind in Kind))
    print(row("all services", before, after))
    for service in services:
        missed = [(case.name, what) for case in cases if case.group == service for _, what in alive(case.gated)]
        if missed:
            print(row(service, before, after, service))
        for name, what in missed:
            print(f"    {name}: {what}")


def print_false_changes(cases: list[Case]) -> None:
    """Print what changed though it was to stay."""
    touched = [case for case in cases if case.gated != case.page]
    print(f"{'harmless changed':28}{share(len(touched), len(cases))}")
    for case in touched:
        print(f"    {case.id}: {' '.join(case.gated.split())[:100]}")


def main() -> None:
    """Print the table."""
    print_recall(snippets())
    print_false_changes(harmless())


if __name__ == "__main__":
    main()
