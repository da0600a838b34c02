"""The commands, drawn for people (needs the ``cli`` extra)."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cookiegate.cli.audit import audit
from cookiegate.cli.check import check as find
from cookiegate.cli.holds import hold
from cookiegate.cli.init import write_config
from cookiegate.cli.records import purge, visits
from cookiegate.cli.scan import scan
from cookiegate.cli.seals import checkpoint, erase, keys, verify
from cookiegate.cli.stats import stats
from cookiegate.errors import ConfigError

app = typer.Typer(help="Cookie consent enforced by the server.", no_args_is_help=True, add_completion=False)
out, err = Console(), Console(stderr=True)
app.command()(scan)
app.command()(visits)
app.command()(purge)
app.command()(audit)
app.command()(stats)
app.add_typer(hold, name="hold")
app.command()(verify)
app.command()(checkpoint)
app.command()(erase)
app.add_typer(keys, name="keys")
STYLES = {"error": "bold red", "warning": "yellow", "note": ""}

ConfigPath = Annotated[Path, typer.Argument(help="The configuration file.")]


@app.command()
def check(path: ConfigPath = Path("cookiegate.toml")) -> None:
    """Read the configuration back and fail if it is not fit to be served."""
    findings = find(path)
    for finding in findings:
        out.print(Text(f"{finding.level}: ", style=STYLES[finding.level]) + Text(finding.sentence), soft_wrap=True)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


@app.command()
def init(
    path: ConfigPath = Path("cookiegate.toml"),
    debug: Annotated[str, typer.Option(metavar="NAME", help="Let NAME look at the debug page.")] = "",
) -> None:
    """Write a commented configuration file with a fresh key."""
    try:
        password = write_config(path, debug=debug)
    except ConfigError as fault:
        err.print(Text(str(fault), style="bold red"), soft_wrap=True)
        raise typer.Exit(1) from None
    if password:
        out.print(Text(f"The debug password of {debug}, shown this once: {password}"), soft_wrap=True)
    out.print(Text(f"Wrote {path}. Declare your services in it, then run: cookiegate check {path}"), soft_wrap=True)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Where to listen; the next free port if it is taken.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Run a small shop behind cookiegate."""
    try:
        import uvicorn  # only the demo needs a server
    except ImportError:
        err.print("The demo needs a server: pip install 'cookiegate[demo]'", style="bold red", markup=False)
        raise typer.Exit(1) from None
    try:
        listener = _listen(host, port)
    except OSError as fault:
        err.print(Text(f"Cannot listen on {host}: {fault.strerror}.", style="bold red"))
        raise typer.Exit(1) from None
    address = f"http://{'localhost' if host == '127.0.0.1' else host}:{listener.getsockname()[1]}/"
    out.print(Text(f"The demo shop is at {address}  (Ctrl+C ends it)"))
    config = uvicorn.Config("cookiegate.demo.app:app", log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket on *port*, or on the next of the twenty that follow."""
    for candidate in range(port, port + 20):
        try:
            return socket.create_server((host, candidate))
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise
    return socket.create_server((host, 0))
