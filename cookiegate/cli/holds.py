"""Commands about holds: what a dispute or a lawful request preserves beyond its time (needs the ``cli`` extra)."""

from __future__ import annotations

import getpass
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.text import Text

from cookiegate.cli.records import Format, site_of, table_of, this_place, watched
from cookiegate.cli.visits import VISIT_COLUMNS, cells, moment_of, open_log, write_csv, write_json_lines
from cookiegate.config import Config
from cookiegate.errors import CookieGateError
from cookiegate.records import VisitLog
from cookiegate.records.archive import Hold

if TYPE_CHECKING:
    from typing import NoReturn

out, err = Console(), Console(stderr=True)
hold = typer.Typer(help="Visits that are preserved beyond their time, apart from all others.", no_args_is_help=True)
ConfigPath = Annotated[Path, typer.Option("--config", help="The configuration file.")]
Why = Annotated[str, typer.Option(help="Why; it is entered in the ledger. Do not write addresses into it.")]
Who = Annotated[str, typer.Option(help="Who does it; your login name if left out.")]
COLUMNS = ("id", "since", "reference", "site", "first", "last", "sought", "who", "why", "days")


@hold.command()
def add(
    reference: Annotated[str, typer.Argument(help="The dispute or request.")],
    why: Why,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day.")],
    config: ConfigPath = Path("cookiegate.toml"),
    site: Annotated[str, typer.Option(help="The site's name; the first that keeps visits if left out.")] = "",
    who: Who = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day; today if left out.")] = "",
    ip: Annotated[str, typer.Option(help="Only this address or network.")] = "",
    consent_id: Annotated[str, typer.Option(help="Only this consent id.")] = "",
    path: Annotated[str, typer.Option(help="Only paths that begin so.")] = "",
) -> None:
    """Preserve visits: before their day is destroyed, they move to the archive."""
    try:
        loaded = Config.load(config)
        chosen = site_of(loaded, site)
        now, zone = loaded.clock(), ZoneInfo(chosen.time_zone)
        end = moment_of(last, zone)[0] if last else datetime.fromtimestamp(now, zone).date()
        begun = open_log(loaded, chosen).archive.add(
            Hold(
                site=chosen.name, zone=chosen.time_zone, reference=reference, who=who or getpass.getuser(), why=why,
                first=moment_of(first, zone)[0].isoformat(), last=end.isoformat(), address=ip, consent_id=consent_id,
                path=path,
            ),
            now=now,
        )  # fmt: skip
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    out.print(Text(f"Hold {begun.id}: what is due moves to the archive first, until: cookiegate hold end {begun.id}"))


@hold.command("list")
def list_holds(config: ConfigPath = Path("cookiegate.toml")) -> None:
    """Show the holds that last, without saying whose visits they preserve."""
    try:
        archive = _log(Config.load(config)).archive
        rows = [
            {
                "id": one.id, "since": one.at, "reference": one.reference, "site": one.site, "first": one.first,
                "last": one.last, "sought": _sought(one), "who": one.who, "why": one.why,
                "days": len(archive.days(one)),
            }
            for one in archive.holds()
        ]  # fmt: skip
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    out.print(table_of(rows, COLUMNS))


@hold.command()
def read(
    name: Annotated[str, typer.Argument(metavar="ID", help="The hold.")],
    why: Why,
    config: ConfigPath = Path("cookiegate.toml"),
    who: Who = "",
    format: Annotated[Format, typer.Option(help="How rows are written.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Read what was moved to the archive; each reading is entered. What is not due yet: cookiegate visits."""
    try:
        loaded = Config.load(config)
        log = _log(loaded)
        found = log.archive.hold(name)
        reading = log.desk.read_hold(
            found, now=loaded.clock(), who=who or getpass.getuser(), why=why, place=this_place()
        )  # fmt: skip
        with watched(reading) as given:
            rows = cells(given, site_of(loaded, found.site))
            if format is Format.CSV:
                write_csv(rows, VISIT_COLUMNS, sys.stdout)
            elif format is Format.JSON_LINES:
                write_json_lines(rows, sys.stdout)
            else:
                out.print(table_of(rows, VISIT_COLUMNS))
    except (CookieGateError, OSError) as fault:
        _fail(fault)


@hold.command()
def end(
    name: Annotated[str, typer.Argument(metavar="ID", help="The hold.")],
    why: Why,
    config: ConfigPath = Path("cookiegate.toml"),
    who: Who = "",
) -> None:
    """End a hold: what it preserved is destroyed at once."""
    try:
        loaded = Config.load(config)
        log = _log(loaded)
        log.end_hold(log.archive.hold(name), now=loaded.clock(), who=who or getpass.getuser(), why=why)
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    out.print(Text(f"Hold {name} has ended; what it preserved is destroyed."))


def _log(config: Config) -> VisitLog:
    log = VisitLog.open(config)
    if log is None:
        raise CookieGateError("No visits are kept: there is nothing to hold.")
    return log


def _sought(one: Hold) -> str:
    given = {"address": one.address, "consent id": one.consent_id, "path": one.path}
    return " and ".join(name for name, value in given.items() if value) or "everything"


def _fail(fault: Exception) -> NoReturn:
    err.print(Text(str(fault), style="bold red"), soft_wrap=True)
    raise typer.Exit(1)
