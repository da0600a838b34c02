"""Verifying the seals, without the app, the operator's key or any day's."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from cookiegate.config import FILES, Config
from cookiegate.errors import RecordsError
from cookiegate.gate.report import printable
from cookiegate.records import VisitLog
from cookiegate.records.export import read_export
from cookiegate.records.keys import Keys
from cookiegate.records.vault import SealChecker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cookiegate.records.seals import Seals
    from cookiegate.records.shared_seals import SharedSeals
    from cookiegate.records.verifying import Verification


def seals_of(config: Config) -> Seals | SharedSeals:
    """Return the seals of the log that *config* declares; nothing is made or opened.

    Raises:
        RecordsError: there are none.
    """
    records = config.records
    if records is None:
        raise RecordsError("No visits are kept: there is nothing to verify.")
    seals = VisitLog(records, config.sites).seals
    known = (records.key_directory / ("heads" if records.store == FILES else "store-heads")).exists()
    begun = records.directory / ("ledger.db" if records.store == FILES else "host")
    if not begun.exists():
        raise RecordsError(f"{begun} is gone." if known else "Nothing was kept yet: there is nothing to verify.")
    return seals


def verification_of(path: Path, *, site: str = "", day: date | None = None, checkpoints: list[Path]) -> Verification:
    """Return what is to be verified.

    Raises:
        ConfigError: the configuration does not load.
        RecordsError: there are no seals, or a checkpoint cannot be used.
        OSError: a checkpoint cannot be read.
    """
    contents = [checkpoint.read_bytes() for checkpoint in checkpoints]
    return seals_of(Config.load(path)).verify(site=site, first=day, last=day, checkpoints=contents)


def exported(path: Path, export: Path, key: str = "") -> str:
    """Return what an export says of itself, if it stands as it was signed: by *key*, or else by this log's.

    Raises:
        ConfigError: the configuration does not load.
        RecordsError: it was changed, cut, or signed by another key.
        OSError: it cannot be read.
    """
    with export.open("rb") as file:
        said = read_export(file, _checker(path, key))
    about = ", ".join(f"{name} {said[name]}" for name in ("reference", "site", "kind", "first", "last", "at", "who"))
    return printable(f"{export} stands as it was sealed: {said['rows']} rows; {about}.", limit=None)


def _checker(path: Path, key: str) -> SealChecker:
    if key:
        try:
            return SealChecker(bytes.fromhex(key))
        except ValueError:
            raise RecordsError("The public key has 64 hexadecimal digits.") from None
    records = Config.load(path).records
    if records is None:
        raise RecordsError("No visits are kept here. Say which key signed the export: --key.")
    return Keys(records).seal_checker()


def told(verification: Verification) -> str:
    """Return what was found in order, once all faults were given."""
    young = f" {verification.unsealed:,} younger rows are not sealed yet." if verification.unsealed else ""
    return (
        f"{verification.rows:,} rows stand as they were sealed. Closed days: {verification.closed}; destroyed in "
        f"time, and the ledger says so: {verification.destroyed}.{young}"
    )


def verified(path: Path) -> Iterator[str]:
    """Verify everything; yield a sentence for each fault, or one that there is none.

    Raises:
        ConfigError, RecordsError: see `verification_of`; also where there was a fault, at the end.
    """
    verification = verification_of(path, checkpoints=[])
    faults = 0
    for fault in verification:
        faults += 1
        yield str(fault)
    if faults:
        raise RecordsError("The records are not as they were sealed.")
    yield told(verification)
