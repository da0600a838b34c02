"""Is what we remember kept where it can be kept, and destroyed where it can be destroyed?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cookiegate.cli.finding import Finding
from cookiegate.cli.store import about_store
from cookiegate.config import FILES
from cookiegate.errors import RecordsError
from cookiegate.remembering import UNTRUSTED_PROXY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.config import Config, Records

MOUNTS = Path("/proc/self/mountinfo")
# What a file system makes of "overwrite and remove" (mount types as Linux names them).
OLD_BYTES_STAY = frozenset({"btrfs", "zfs", "bcachefs"})
CONTAINER_LAYERS = frozenset({"overlay", "aufs"})
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.s3fs"}
)


def about_records(config: Config) -> Iterator[Finding]:
    """Yield what is to be said of the directories, the clock and the days; nothing is made or changed."""
    records = config.records
    if records is None:
        return
    yield Finding(
        "note", "Your server's own access log writes addresses too (uvicorn: --no-access-log), and nobody destroys it."
    )
    from cookiegate.records.schedule import schedule  # brings cryptography along

    yield from (Finding("note", f"Kept: {rule}.") for rule in schedule(config))
    if records.destruction == "approval":
        yield Finding("note", "What is due is destroyed once an officer approves: cookiegate purge --approve NAME")
    yield from _about_places(records)
    if (records.directory / UNTRUSTED_PROXY).exists():
        yield Finding(
            "warning",
            "A private peer has sent a proxy's header and is not in trusted_proxies: its address was logged as every "
            f"visitor's. Name it in trusted_proxies, then remove {records.directory / UNTRUSTED_PROXY}.",
        )
    for site in config.sites:
        if site.visits and site.shared_cache == "by-variant":
            yield Finding(
                "warning",
                f"Site {site.name!r}: shared_cache = 'by-variant', so a page that the cache answers leaves a visit "
                "record of our route for caches and none of its own path. Where each must be recorded, share none.",
            )
    yield from about_store(config)
    yield from _about_days(config)


def _about_places(records: Records) -> Iterator[Finding]:
    if records.directory.absolute().parent == records.key_directory.absolute().parent:
        yield Finding(
            "warning",
            f"key_directory {str(records.key_directory)!r} lies beside directory {str(records.directory)!r}: a backup "
            "of the folder around them holds both, and opens what was destroyed. Keep the keys out of every backup.",
        )
    if not os.environ.get("COOKIEGATE_VAULT_KEY") and records.vault_key_file is None:
        yield Finding(
            "warning",
            "The operator's key lies in key_directory. A copy of that directory opens days destroyed since: set "
            "COOKIEGATE_VAULT_KEY or vault_key_file to keep it apart.",
        )
    for place in (records.directory, records.key_directory):
        yield from _about_file_system(place)


def _about_file_system(place: Path) -> Iterator[Finding]:
    kind = file_system_of(place)
    if kind in CONTAINER_LAYERS:
        yield Finding(
            "warning", f"{place} lies in a container's own layer ({kind}): it is lost with it. Mount a volume."
        )
    elif kind in NETWORK:
        yield Finding(
            "warning", f"{place} lies on a network file system ({kind}): its locks and syncs cannot be relied on."
        )
    elif kind in OLD_BYTES_STAY:
        yield Finding(
            "warning",
            f"{place} lies on a copy-on-write file system ({kind}): overwritten keys may stay on the disk and in "
            "snapshots. Keep key_directory on another one.",
        )


def file_system_of(place: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the file system that *place* is, or would be, on; empty where the system does not say."""
    try:
        lines = mounts.read_text("utf-8").splitlines()
    except OSError:
        return ""
    wanted = place.resolve()
    best, kind = -1, ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        point = fields.split(" ")[4].replace("\\040", " ")
        if len(point) >= best and wanted.is_relative_to(point):
            best, kind = len(point), rest.split(" ")[0]
    return kind


def _kept(records: Records) -> bool:
    """Whether anything was kept yet; where one machine's ledger is and its inner key is not, that key was lost."""
    if records.store == FILES:
        return (records.directory / "ledger.db").exists()
    return (records.directory / "host").exists() and (records.key_directory / "inner").exists()


def _about_days(config: Config) -> Iterator[Finding]:
    records = config.records
    if records is None or not _kept(records):
        return
    from cookiegate.records import VisitLog

    try:
        log = VisitLog.open(config)
        health = log.health(config.clock()) if log else None
    except RecordsError as fault:
        yield Finding("error", str(fault))
        return
    if health and health.overdue:
        yield Finding(
            "error", f"These days must be destroyed and still exist: {', '.join(health.overdue)}. Run: cookiegate purge"
        )
    if health and health.awaiting:
        yield Finding(
            "warning",
            f"These days are due and wait for approval, a week at most: {', '.join(health.awaiting)}. "
            "Run: cookiegate purge --approve NAME",
        )
    if health and health.broken:
        yield Finding("error", f"The seals do not fit: {health.broken}. Run: cookiegate verify")
    if health and health.unsealed:
        yield Finding(
            "warning",
            f"These days are over and not closed, so nobody may rely on them: {', '.join(health.unsealed)}. The app "
            "closes them while it runs; its log says what hinders it.",
        )
