"""Commands about the records: read them, destroy what is due (needs the ``cli`` extra for reading)."""

from __future__ import annotations

import getpass
import sys
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from cookiegate.cli.purge import purge_due
from cookiegate.cli.visits import (
    MISUSE_COLUMNS,
    VISIT_COLUMNS,
    Question,
    cells,
    day_before,
    open_reading,
    write_csv,
    write_json_lines,
)
from cookiegate.config import Config
from cookiegate.errors import CookieGateError
from cookiegate.gate.report import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.records import Misuse, Reading, Visit
    from cookiegate.site import Site

out, err = Console(), Console(stderr=True)
ConfigPath = Annotated[Path, typer.Option("--config", help="The configuration file.")]


class Format(Enum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON_LINES = "jsonl"


class Kind(Enum):
    """Which rows."""

    VISITS = "visits"
    MISUSE = "misuse"


def visits(
    why: Annotated[str, typer.Option(help="Why you read personal data; it is entered in the ledger for good.")],
    config: ConfigPath = Path("cookiegate.toml"),
    site: Annotated[str, typer.Option(help="The site's name; the first that keeps visits if left out.")] = "",
    who: Annotated[str, typer.Option(help="Who reads; your login name if left out.")] = "",
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")] = None,
    ip: Annotated[str, typer.Option(help="Only this address.")] = "",
    consent_id: Annotated[str, typer.Option(help="Only this consent id.")] = "",
    path: Annotated[str, typer.Option(help="Only paths that begin so.")] = "",
    status: Annotated[int | None, typer.Option(help="Only this status.")] = None,
    kind: Annotated[Kind, typer.Option(help="Visits, or misuse.")] = Kind.VISITS,
    format: Annotated[Format, typer.Option(help="How rows are written.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Read the visit log: the last seven days, unless said otherwise. Do not write addresses into --why."""
    try:
        loaded = Config.load(config)
        chosen = _site(loaded, site)
        now = loaded.clock()
        today = datetime.fromtimestamp(now, ZoneInfo(chosen.time_zone)).date()
        until = last.date() if last else today
        question = Question(
            first=first.date() if first else day_before(until, 6), last=until, who=who or getpass.getuser(), why=why,
            kind=kind.value, address=ip, consent_id=consent_id, path=path, status=status,
        )  # fmt: skip
        reading = open_reading(loaded, chosen, question, now)
        _write(reading, question, chosen, format)
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    if reading.damaged:
        err.print(f"{reading.damaged} segments end early: a process died or a disk failed while they were written.")


def purge(
    path: Annotated[Path | None, typer.Argument(help="The configuration file.")] = None,
    config: ConfigPath = Path("cookiegate.toml"),
    gone: Annotated[str, typer.Option(help="The id of a host that is gone for good, with its key_directory.")] = "",
) -> None:
    """Destroy the records whose time is over; for cron, once a day at least."""
    try:
        for line in purge_due(path or config, gone=gone):
            out.print(Text(line), soft_wrap=True)
    except CookieGateError as fault:
        _fail(fault)


def _site(config: Config, name: str) -> Site:
    for site in config.sites:
        if site.name == name or (not name and site.visits):
            return site
    raise CookieGateError(f"No site is called {name!r}. There are: {', '.join(site.name for site in config.sites)}.")


def _write(reading: Reading, question: Question, site: Site, form: Format) -> None:
    columns = MISUSE_COLUMNS if question.kind == "misuse" else VISIT_COLUMNS
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("Reading", total=max(reading.total, 1))
        rows = cells(_wanted(reading, question, progress, task), site)
        if form is Format.CSV:
            write_csv(rows, columns, sys.stdout)
        elif form is Format.JSON_LINES:
            write_json_lines(rows, sys.stdout)
        else:
            out.print(_table(rows, columns))


def _wanted(reading: Reading, question: Question, progress: Progress, task: TaskID) -> Iterator[Visit | Misuse]:
    for row in reading:
        progress.update(task, completed=reading.done)
        if question.fits(row):
            yield row


def _table(rows: Iterator[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(printable(str(row[column]), limit=None)) for column in columns))
    return table


def _fail(fault: Exception) -> None:
    err.print(Text(str(fault), style="bold red"), soft_wrap=True)
    raise typer.Exit(1)
