"""What a scan found, drawn for people. Whatever comes from a page is escaped: a terminal obeys none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from cookiegate.cli.found import Found, Place, Status, Thing, in_order
from cookiegate.gate.report import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STYLES = {
    Status.UNDECLARED: "bold red",
    Status.UNKNOWN: "bold red",
    Status.ALLOWED: "yellow",
    Status.DECLARED: "green",
    Status.KEPT: "dim",
    Status.UNCLAIMED: "dim",
}
SHOWN = 3  # places of one thing
STRAYS = 10


def table_of(found: Found) -> Table:
    """Return all things that were found, what is wrong first within each kind."""
    services, hosts = in_order(found.services), in_order(found.hosts)
    kept = [thing for thing in (*services, *hosts) if thing.status is Status.KEPT]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for fixed in (False, False, True, True, False):
        table.add_column(overflow="fold", no_wrap=fixed, justify="left")
    for title, things in (
        ("Services", [thing for thing in services if thing.status is not Status.KEPT]),
        ("Other third parties", [thing for thing in hosts if thing.status is not Status.KEPT]),
        ("Cookies", in_order(found.cookies)),
        ("Never withheld", kept),
    ):
        _add(table, title, things)
    return table


def strays(found: Found) -> Iterator[Text]:
    """Yield a line for each thing that no declaration settles."""
    if found.strays:
        yield Text("Withheld whatever is declared", style="bold")
    for stray in found.strays[:STRAYS]:
        yield _text(f"{_where(stray.place)}: {stray.why}")
    if len(found.strays) > STRAYS:
        yield Text(f"and {len(found.strays) - STRAYS} more")
    if found.strays:
        yield Text()


def verdict(found: Found) -> Text:
    """Return the last line."""
    wrong = ", ".join(
        _count(len(things), words)
        for things, words in (
            (found.undeclared, ("undeclared service", "undeclared services")),
            (found.unknown, ("unknown third party", "unknown third parties")),
            (found.unreadable, ("target could not be read", "targets could not be read")),
        )
        if things
    )
    style = "bold red" if wrong else "bold green"
    return Text(f"{_count(len(found.pages), ('page', 'pages'))}: {wrong or 'nothing undeclared'}.", style=style)


def _count(number: int, words: tuple[str, str]) -> str:
    return f"{number} {words[number != 1]}"


def _add(table: Table, title: str, things: Sequence[Thing]) -> None:
    if things:
        table.add_row(Text(title, style="bold"))
    for thing in things:
        status = Text(thing.status.value, style=STYLES[thing.status])
        table.add_row(_text(thing.name), _text(_about(thing)), status, Text(f"{thing.times}×"), _places(thing))
    if things:
        table.add_row()


def _about(thing: Thing) -> str:
    """A service's purpose; a cookie's service, or the host that it lives on."""
    if thing.service:
        return thing.service.purpose
    return ", ".join(thing.services) or thing.places[0].host if thing.status is not Status.UNKNOWN else ""


def _places(thing: Thing) -> Text:
    shown = list(dict.fromkeys(map(_where, thing.places)))[:SHOWN]
    more = thing.times - sum(_where(place) in shown for place in thing.places)
    return Text("\n").join(map(_text, [*shown, *([f"and {more} more"] if more > 0 else [])]))


def _where(place: Place) -> str:
    if place.by_scripts:
        return f"{place.page}: {place.element} {'set' if place.element == 'cookie' else 'loaded'} by scripts"
    return f"{place.page}{'' if place.line is None else f':{place.line}'} {place.element}"


def _text(words: str) -> Text:
    return Text(printable(words, limit=300))
