"""Who read personal data, and what was destroyed: the ledger, read (needs the ``cli`` extra)."""

from __future__ import annotations

import sys
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cookiegate.cli.records import Format, table_of
from cookiegate.cli.visits import write_csv, write_json_lines
from cookiegate.config import Config
from cookiegate.errors import CookieGateError
from cookiegate.gate.report import printable
from cookiegate.records import VisitLog
from cookiegate.records.day import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator

out, err = Console(), Console(stderr=True)
ACCESS_COLUMNS = ("at", "who", "place", "why", "site", "kind", "first", "last", "sought", "rows", "damaged")
PEOPLES_COLUMNS = ("at", "who", "place", "why", "what", "rows")
DESTRUCTION_COLUMNS = ("at", "by", "site", "kind", "day", "records", "retention", "rule", "method")
AUTOMATIC = "automatic"


def audit(
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path("cookiegate.toml"),
    destructions: Annotated[bool, typer.Option("--destructions", help="Certificates of what was destroyed.")] = False,  # noqa: FBT002
    whose: Annotated[str, typer.Option(help="Only readings by this address, network or consent id.")] = "",
    format: Annotated[Format, typer.Option(help="How rows are written.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Show who read personal data, when, from where, whose and why; or what was destroyed. Look monthly."""
    try:
        loaded = Config.load(config)
        log = VisitLog.open(loaded)
        if log is None:
            raise CookieGateError("No visits are kept: there is nothing to show.")
        rows = list(_destructions(log) if destructions else _accesses(log, whose))
    except (CookieGateError, OSError) as fault:
        err.print(Text(str(fault), style="bold red"), soft_wrap=True)
        raise typer.Exit(1) from None
    columns = DESTRUCTION_COLUMNS if destructions else ACCESS_COLUMNS
    if format is Format.CSV:
        write_csv(rows, columns, sys.stdout)
    elif format is Format.JSON_LINES:
        write_json_lines(rows, sys.stdout)
    elif destructions:
        for line in certificates(rows):
            out.print(Text(printable(line, limit=None)), soft_wrap=True)
    else:
        out.print(table_of(map(_in_short, rows), PEOPLES_COLUMNS))


def certificates(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of one certificate for each batch that was destroyed at once."""
    for (at, by, method), batch in groupby(
        sorted(rows, key=lambda row: (row["at"], row["by"], row["method"])),
        lambda row: (row["at"], row["by"], row["method"]),
    ):
        yield f"Certificate of destruction, {at}"
        for row in batch:
            kept = f"kept {row['retention'] or 'without terms'}: {row['rule'] or 'unknown'}"
            yield f"  {row['site']} {row['kind']} of {row['day']}: {row['records']:,} records; {kept}".replace(
                "   ", "  "
            )
        yield f"  by: {by if by != AUTOMATIC else 'cookiegate, when their time was over'}"
        yield f"  how: {method}"
        yield ""


def _in_short(row: dict[str, Any]) -> dict[str, Any]:
    days = row["first"] if row["first"] == row["last"] else f"{row['first']} to {row['last']}"
    rows = "not finished" if row["rows"] is None else row["rows"]
    return {**row, "what": f"{row['kind']}, {row['sought']} of {row['site']}, {days}", "rows": rows}


def _accesses(log: VisitLog, whose: str) -> Iterator[dict[str, Any]]:
    mark = log.desk.fingerprint(whose)
    for entry in log.ledger.accesses():
        if not mark or mark in entry.whose.split():
            yield {column: value for column, value in asdict(entry).items() if column in ACCESS_COLUMNS}


def _destructions(log: VisitLog) -> Iterator[dict[str, Any]]:
    approved = {day: approval.who for approval in log.ledger.approvals() for day in approval.days}
    for entry in log.ledger.destructions():
        values = asdict(entry)
        place = f"{entry.kind}/{folder_of(entry.site)}/{entry.day}"
        values |= {"records": values.pop("frames"), "by": approved.get(place, AUTOMATIC)}
        yield {column: values[column] for column in DESTRUCTION_COLUMNS}
