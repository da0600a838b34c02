"""``cookiegate stats``: how many came, where, with what, and what they agreed to (needs the ``cli`` extra)."""

from __future__ import annotations

import getpass
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.columns import Columns
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from cookiegate.cli.charts import HEADS, TITLES, name_of, report
from cookiegate.cli.records import Format, site_of, this_place, watched
from cookiegate.cli.visits import day_before, moment_of, open_log, write_csv
from cookiegate.config import Config
from cookiegate.errors import CookieGateError
from cookiegate.gate.report import printable
from cookiegate.records.statistics import TABLES, statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.records import Reading
    from cookiegate.records.reader import Row
    from cookiegate.records.statistics import Statistics

out, err = Console(), Console(stderr=True)
SHOWN = 10  # rows of a table
BAR = 30  # characters


def stats(
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path("cookiegate.toml"),
    site: Annotated[str, typer.Option(help="The site's name; the first that keeps visits if left out.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day; 30 days if left out.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day; today if left out.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write a report as one file instead.")] = None,
    format: Annotated[Format, typer.Option(help="A table; or each day as CSV or JSON.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Count visits by day, page, browser, referrer and consent. What few share is told of no one."""
    try:
        loaded = Config.load(config)
        chosen = site_of(loaded, site)
        now, zone = loaded.clock(), ZoneInfo(chosen.time_zone)
        at = datetime.fromtimestamp(now, zone)
        end = moment_of(last, zone)[0] if last else at.date()
        begin = moment_of(first, zone)[0] if first else day_before(end, 29)
        log = open_log(loaded, chosen)
        found = statistics(
            log, chosen, begin, end, now=now, who=getpass.getuser(), place=this_place(), watch=_watched
        )  # fmt: skip
        if html:
            html.write_bytes(report(found, at=at.isoformat(" ", timespec="minutes")))
            out.print(Text(f"Wrote {html}: {found.visits:,} visits."), soft_wrap=True)
            return
    except (CookieGateError, OSError) as fault:
        err.print(Text(str(fault), style="bold red"), soft_wrap=True)
        raise typer.Exit(1) from None
    _write(found, format)


def _watched(reading: Reading) -> Iterator[Row]:
    with watched(reading) as rows:
        yield from rows


def _write(found: Statistics, form: Format) -> None:
    if form is Format.CSV:
        rows = ({"day": day.isoformat(), "visits": found.of_day(day)} for day in found.days)
        write_csv(rows, ("day", "visits"), sys.stdout)
    elif form is Format.JSON_LINES:
        for day, counts in found.days.items():
            typer.echo(json.dumps({"day": day.isoformat(), "visits": 0, **counts}))
    else:
        out.print(Group(_days(found), Columns([_top(name, found.table(name)) for name in TABLES], padding=(1, 2))))


def _days(found: Statistics) -> Table:
    table = Table(title=f"{found.visits:,} visits to {printable(found.site)}", title_justify="left")
    table.add_column("day")
    table.add_column("visits", justify="right")
    table.add_column("")
    most = max(map(found.of_day, found.days), default=0) or 1
    for day in found.days:
        count = found.of_day(day)
        table.add_row(day.isoformat(), f"{count:,}", Text("█" * round(BAR * count / most), style="blue"))
    return table


def _top(name: str, counts: dict[str, Any]) -> Table:
    table = Table(title=TITLES[name], title_justify="left")
    table.add_column(HEADS[name].lower(), overflow="fold", max_width=40)
    table.add_column("visits", justify="right")
    for value, count in list(counts.items())[:SHOWN]:
        table.add_row(Text(name_of(name, value)), f"{count:,}")
    return table
