"""Commands about the records: read them, destroy what is due (needs the ``cli`` extra for reading)."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cookiegate.cli.purge import purge_due
from cookiegate.cli.visits import (
    MISUSE_COLUMNS,
    VISIT_COLUMNS,
    Question,
    ask,
    cells,
    day_before,
    header_of,
    moment_of,
    open_log,
    write_csv,
    write_json_lines,
)
from cookiegate.config import Config
from cookiegate.errors import CookieGateError
from cookiegate.gate.report import printable
from cookiegate.records.export import write_export

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import NoReturn

    from cookiegate.records import Misuse, Reading, Visit, VisitLog
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
    why: Annotated[str, typer.Option(help="Why you read personal data; it is entered in the ledger.")],
    config: ConfigPath = Path("cookiegate.toml"),
    site: Annotated[str, typer.Option(help="The site's name; the first that keeps visits if left out.")] = "",
    who: Annotated[str, typer.Option(help="Who reads; your login name if left out.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="TIME", help="The first day, or a moment of it.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="TIME", help="The last day, or a moment: rows before it.")] = "",
    ip: Annotated[str, typer.Option(help="Only this address or network.")] = "",
    consent_id: Annotated[str, typer.Option(help="Only this consent id.")] = "",
    path: Annotated[str, typer.Option(help="Only paths that begin so.")] = "",
    status: Annotated[int | None, typer.Option(help="Only this status.")] = None,
    kind: Annotated[Kind, typer.Option(help="Visits, or misuse.")] = Kind.VISITS,
    format: Annotated[Format, typer.Option(help="How rows are written.")] = Format.TABLE,  # noqa: A002
    reference: Annotated[
        str, typer.Option("--for-authority", metavar="REFERENCE", help="Write a sealed file; who asks for it.")
    ] = "",
    output: Annotated[Path | None, typer.Option(help="The sealed file; visits-REFERENCE.jsonl if left out.")] = None,
) -> None:
    """Read the visit log: the last seven days, unless said otherwise. Do not write addresses into --why."""
    try:
        loaded = Config.load(config)
        chosen = site_of(loaded, site)
        now, zone = loaded.clock(), ZoneInfo(chosen.time_zone)
        end, until = moment_of(last, zone) if last else (datetime.fromtimestamp(now, zone).date(), None)
        begin, since = moment_of(first, zone) if first else (day_before(end, 6), None)
        question = Question(
            first=begin, last=end, since=since, until=until, who=who or getpass.getuser(), place=this_place(),
            why=f"for authority {reference}: {why}" if reference and why.strip() else why,
            kind=kind.value, address=ip, consent_id=consent_id, path=path, status=status,
        )  # fmt: skip
        log = open_log(loaded, chosen)
        if reference:
            file = output or Path(f"visits-{re.sub(r'[^A-Za-z0-9]+', '-', reference).strip('-')}.jsonl")
            reading = _export(log, question, chosen, now=now, reference=reference, file=file)
        else:
            reading = ask(log, chosen, question, now)
            _write(reading, question, chosen, format)
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    if reading.damaged:
        err.print(f"{reading.damaged} segments end early: a process died or a disk failed while they were written.")


def purge(
    path: Annotated[Path | None, typer.Argument(help="The configuration file.")] = None,
    config: ConfigPath = Path("cookiegate.toml"),
    gone: Annotated[str, typer.Option(help="The id of a host that is gone for good, with its key_directory.")] = "",
    approve: Annotated[str, typer.Option(metavar="NAME", help="Who approves; it is entered in the ledger.")] = "",
) -> None:
    """Destroy the records whose time is over; for cron, once a day at least."""
    try:
        for line in purge_due(path or config, gone=gone, approved_by=approve.strip()):
            out.print(Text(line), soft_wrap=True)
    except CookieGateError as fault:
        _fail(fault)


def site_of(config: Config, name: str) -> Site:
    """Return the site called *name*; without one the first that keeps visits. Raises CookieGateError."""
    for site in config.sites:
        if site.name == name or (not name and site.visits):
            return site
    raise CookieGateError(f"No site is called {name!r}. There are: {', '.join(site.name for site in config.sites)}.")


def _write(reading: Reading, question: Question, site: Site, form: Format) -> None:
    columns = MISUSE_COLUMNS if question.kind == "misuse" else VISIT_COLUMNS
    with watched(reading) as given:
        rows = cells(given, site)
        if form is Format.CSV:
            write_csv(rows, columns, sys.stdout)
        elif form is Format.JSON_LINES:
            write_json_lines(rows, sys.stdout)
        else:
            out.print(table_of(rows, columns))


def _export(log: VisitLog, question: Question, site: Site, *, now: float, reference: str, file: Path) -> Reading:
    """Write the sealed file; it appears whole or not at all, and takes nobody's place."""
    if file.exists():
        raise CookieGateError(f"{file} is there already. Say where else the export goes: --output.")
    key, unfinished = log.seal_key(), file.with_name(f".{file.name}.new")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "wb") as content:
            reading = ask(log, site, question, now)
            with watched(reading) as given:
                digest = write_export(
                    content, header_of(question, site, reference=reference, now=now), cells(given, site), key=key,
                    end=lambda: {"rows": reading.rows, "damaged": reading.damaged},
                )  # fmt: skip
            content.flush()
            os.fsync(handle)
        os.link(unfinished, file)
    finally:
        os.unlink(unfinished)
    log.desk.note_export(reference, digest, reading.rows, now=now)
    said = (
        f"{file}: {reading.rows} rows, sealed by key {key.public.hex()}. To check it: cookiegate verify --export {file}"
    )
    out.print(Text(said), soft_wrap=True)
    return reading


@contextmanager
def watched(reading: Reading) -> Iterator[Iterator[Visit | Misuse]]:
    """Give the rows with a progress bar beside them, where somebody watches."""
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("Reading", total=max(reading.total, 1))

        def given() -> Iterator[Visit | Misuse]:
            for number, row in enumerate(reading):
                if not number % 256:
                    progress.update(task, completed=reading.done)
                yield row

        yield given()


def this_place() -> str:
    """Return from where the command is given: this machine, and whence somebody came to it over ssh."""
    came = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return f"{socket.gethostname()}{f', from {came}' if came else ''}"


def table_of(rows: Iterable[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    """Return rows for people. Whatever visitors sent is escaped: a terminal obeys none of it."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")  # on a narrow terminal nothing is hidden
    for row in rows:
        table.add_row(*(Text(printable(str(row[column]), limit=None)) for column in columns))
    return table


def _fail(fault: Exception) -> NoReturn:
    err.print(Text(str(fault), style="bold red"), soft_wrap=True)
    raise typer.Exit(1)
