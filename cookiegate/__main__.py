"""``python -m cookiegate``: the commands, or without the ``cli`` extra the ones that cron and CI need."""

from __future__ import annotations

import sys
from pathlib import Path

from cookiegate.cli.check import check
from cookiegate.cli.purge import purge_due
from cookiegate.cli.verify import verified
from cookiegate.errors import CookieGateError


def main() -> None:
    """Run the command line."""
    try:
        from cookiegate.cli.app import app
    except ImportError:
        _plain(sys.argv[1:])
    else:
        app()


def _plain(arguments: list[str]) -> None:
    words = [word for word in arguments if word != "--config"]
    command, path = (*words, "")[0], Path((*words[1:], "cookiegate.toml")[0])
    if command == "check":
        findings = check(path)
        for finding in findings:
            print(f"{finding.level}: {finding.sentence}")
        sys.exit(any(finding.level == "error" for finding in findings))
    work = {"purge": purge_due, "verify": verified}.get(command)
    if work:
        try:
            for line in work(path):
                print(line)
        except CookieGateError as fault:
            sys.exit(str(fault))
        return
    sys.exit(
        "Without the cli extra: check [FILE], purge [FILE], verify [FILE]. All commands: pip install 'cookiegate[cli]'"
    )


if __name__ == "__main__":
    main()
