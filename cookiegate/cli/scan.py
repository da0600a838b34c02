"""cookiegate scan: which services, strangers and cookies stand in pages, and which of them nobody declared."""

from __future__ import annotations

import json
import os
import secrets
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from cookiegate.cli.browse import Chromium
from cookiegate.cli.found import facts
from cookiegate.cli.inventory import Inventory
from cookiegate.cli.pages import NOWHERE, Reader, Target, Unreadable, targets
from cookiegate.cli.settle import snippet
from cookiegate.cli.tables import strays, table_of, verdict
from cookiegate.config import KEYS_VARIABLE, Config
from cookiegate.errors import ConfigError, CookieGateError
from cookiegate.gate.report import printable
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cookiegate.cli.found import Found

out, err = Console(), Console(stderr=True)
CONFIG = Path("cookiegate.toml")


def scan(
    what: Annotated[list[str], typer.Argument(metavar="URL|FILE|DIR...", help="Pages, or folders that hold some.")],
    *,
    config: Annotated[
        Path | None, typer.Option(help="Compare with this declaration; cookiegate.toml if it is there.")
    ] = None,
    site: Annotated[
        str, typer.Option(help="The site's name; the one on the URL's host, or the first, if left out.")
    ] = "",
    browser: Annotated[
        bool, typer.Option("--browser", help="Also open the pages in Chromium: what do scripts load?")
    ] = False,
    chromium: Annotated[
        Path | None, typer.Option(envvar="COOKIEGATE_CHROMIUM", help="The Chromium to open them in.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say which services, unknown third parties and cookies stand in pages, and what nobody declared.

    Exit code: 0 nothing undeclared, 1 something is, 2 something cannot be read.
    """
    try:
        path = config or (CONFIG if site or CONFIG.exists() else None)
        declared = _declared(path, site, what) if path else None
        inventory = Inventory(declared or Site("nothing declared", unknown="withhold"))
        with ExitStack() as stack:
            reader = stack.enter_context(Reader(_host_of(declared)))
            opened = stack.enter_context(Chromium(chromium)) if browser else None
            _take_in(inventory, _wanted(what, inventory.found), reader, opened)
    except CookieGateError as fault:
        _say(str(fault))
        raise typer.Exit(2) from None
    found = inventory.found
    to_paste = snippet(found, declared or Site("nothing declared", unknown="withhold"))
    if as_json:
        sys.stdout.write(
            json.dumps(facts(found, site=declared.name if declared else None, snippet=to_paste), indent=1) + "\n"
        )
    else:
        instead = ", in place of its services" if declared and declared.services and found.undeclared else ""
        _print(found, to_paste, (f"site {declared.name!r} of {path}" if declared else "[[sites]]") + instead)
    raise typer.Exit(found.code)


def _declared(path: Path, name: str, what: Sequence[str]) -> Site:
    with _some_key():
        config = Config.load(path)
    if name:
        found = next((site for site in config.sites if site.name == name), None)
        if found is None:
            names = ", ".join(site.name for site in config.sites)
            raise ConfigError(f"{path}: no site is called {name!r}. There are: {names}.")
        return found
    hosts = filter(None, map(_host_in, what))
    return next(filter(None, map(config.site_for, hosts)), config.sites[0])


@contextmanager
def _some_key() -> Iterator[None]:
    """Nothing is signed here: CI needs no secret."""
    if KEYS_VARIABLE in os.environ:
        yield
        return
    os.environ[KEYS_VARIABLE] = secrets.token_urlsafe(32)
    try:
        yield
    finally:
        del os.environ[KEYS_VARIABLE]


def _host_in(word: str) -> str | None:
    try:
        return urlsplit(word).hostname
    except ValueError:  # reading it will say what is wrong
        return None


def _host_of(site: Site | None) -> str:
    """Where files stand: the site's first host that is one."""
    return next((host for host in (site.hosts if site else ()) if "*" not in host), NOWHERE)


def _wanted(what: Sequence[str], found: Found) -> list[Target]:
    wanted: dict[Target, None] = {}
    for word in what:
        try:
            wanted |= dict.fromkeys(targets(word))
        except Unreadable as fault:
            found.unreadable.append(str(fault))
    return list(wanted)


def _take_in(inventory: Inventory, wanted: Sequence[Target], reader: Reader, chromium: Chromium | None) -> None:
    drawn = (BarColumn(20), MofNCompleteColumn(), TextColumn("{task.fields[page]}", markup=False))
    short = len(wanted) < 2 and chromium is None
    with Progress(*drawn, console=err, transient=True, disable=short or not err.is_terminal) as progress:
        task = progress.add_task("", total=len(wanted), page="")
        for target in wanted:
            progress.update(task, page=printable(target.label))
            try:
                page = reader.read(target)
                inventory.page(page)
                if chromium:
                    inventory.browsed(page, chromium.visit(page))
            except Unreadable as fault:
                inventory.found.unreadable.append(str(fault))
            progress.advance(task)


def _print(found: Found, to_paste: str, where: str) -> None:
    for note in found.notes:
        _say(note, style="yellow")
    for fault in found.unreadable:
        _say(fault)
    if found.services or found.hosts or found.cookies:
        out.print(table_of(found))
    for line in strays(found):
        out.print(line, soft_wrap=True)
    if to_paste:
        out.print(Text(f"To paste into {printable(where)}", style="bold"))
        out.print(Text(to_paste), soft_wrap=True)
    out.print(verdict(found), soft_wrap=True)


def _say(sentence: str, *, style: str = "bold red") -> None:
    err.print(
        Text("\n".join(printable(line, limit=None) for line in sentence.splitlines()), style=style), soft_wrap=True
    )
