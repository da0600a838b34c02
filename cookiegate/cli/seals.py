"""Commands about forgery: verify, checkpoint; and erasing and keys, which must leave the seals whole."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from cookiegate.cli.verify import exported, seals_of, told, verification_of
from cookiegate.config import Config
from cookiegate.errors import CookieGateError
from cookiegate.records.keys import Keys

if TYPE_CHECKING:
    from typing import NoReturn

    from cookiegate.records.verifying import Verification

out, err = Console(), Console(stderr=True)
keys = typer.Typer(help="The keys of the records.", no_args_is_help=True)
ConfigPath = Annotated[Path, typer.Option("--config", help="The configuration file.")]


def verify(
    config: ConfigPath = Path("cookiegate.toml"),
    site: Annotated[str, typer.Option(help="Only this site's days.")] = "",
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only this day.")] = None,
    checkpoint: Annotated[list[Path] | None, typer.Option(help="A checkpoint that was kept elsewhere.")] = None,
    export: Annotated[Path | None, typer.Option(help="Instead: a file that was written for an authority.")] = None,
    key: Annotated[str, typer.Option(help="With --export, elsewhere: the public key, hexadecimal.")] = "",
) -> None:
    """Find what was changed, deleted, inserted, reordered or cut since it was sealed, and say where."""
    try:
        if export:
            out.print(Text(exported(config, export, key)), soft_wrap=True)
            return
        verification = verification_of(config, site=site, day=day.date() if day else None, checkpoints=checkpoint or [])
        faults = _faults(verification)
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    for line in faults:
        out.print(Text(line, style="bold red"), soft_wrap=True)
    if faults:
        raise typer.Exit(1)
    out.print(Text(told(verification)), soft_wrap=True)


def checkpoint(config: ConfigPath = Path("cookiegate.toml")) -> None:
    """Print what shows later that nothing was cut off until now. Keep it where this machine cannot change it."""
    try:
        loaded = Config.load(config)
        content = seals_of(loaded).checkpoint(loaded.clock())
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    typer.echo(content.decode(), nl=False)


def erase(
    consent_id: Annotated[str, typer.Option(help="Whose rows are overwritten.")],
    why: Annotated[str, typer.Option(help="Why; it is entered in the ledger for good.")],
    site: Annotated[str, typer.Option(help="The site's name.")],
    config: ConfigPath = Path("cookiegate.toml"),
    who: Annotated[str, typer.Option(help="Who erases; your login name if left out.")] = "",
) -> None:
    """Overwrite one person's visits; the seals still fit. What a law requires to be kept must not be erased."""
    try:
        loaded = Config.load(config)
        rows = seals_of(loaded).erase(site, consent_id, now=loaded.clock(), who=who or getpass.getuser(), why=why)
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    out.print(Text(f"Erased {rows} rows. Copies in backups open until their day is destroyed."), soft_wrap=True)


@keys.command()
def rotate(config: ConfigPath = Path("cookiegate.toml")) -> None:
    """Wrap all keys with the newest operator's key."""
    try:
        records = Config.load(config).records
        if records is None:
            raise CookieGateError("No visits are kept: there are no keys.")
        ours = Keys(records).rotate()
    except (CookieGateError, OSError) as fault:
        _fail(fault)
    said = "Our own operator's key was made anew, the old one destroyed."
    if not ours:
        said = "All is wrapped with the newest operator's key. Take the older ones away, and destroy them."
    out.print(Text(said), soft_wrap=True)


def _faults(verification: Verification) -> list[str]:
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("Verifying", total=max(verification.total, 1))
        verification.advance = lambda: progress.update(task, completed=verification.done)
        return [str(fault) for fault in verification]


def _fail(fault: Exception) -> NoReturn:
    err.print(Text(str(fault), style="bold red"), soft_wrap=True)
    raise typer.Exit(1)
