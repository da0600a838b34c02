"""Notation: how hosts, addresses, time zones and files are written in a declaration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ValidationInfo

from cookiegate.declaration import beside_the_file


def _host(value: str) -> str:
    host = value.lower().rstrip(".")
    if not re.fullmatch(r"\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", host):
        raise ValueError(
            "write a host without scheme and port: 'shop.example.com', '*.example.com', or '*' for any. "
            "An international name is written in its ASCII form ('xn--…')."
        )
    return host


def _keep(value: str) -> str:
    if not re.fullmatch(r"https?://(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*/[!-)+-~]*\*?", value):
        raise ValueError(
            "write an address with scheme, host and path, as in 'https://widget.example.net/*'; "
            "a * at the end stands for any rest, '*.' before the host for any subdomain."
        )
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("this machine knows no such time zone; write it as in 'Asia/Seoul'.") from None
    return value


def _list(path: Path, info: ValidationInfo) -> Path:
    found = beside_the_file(path, info)
    if not found.is_file():
        raise ValueError(
            f"there is no file {str(found)!r}. Put a filter list in the syntax of EasyPrivacy there, or leave it out."
        )
    return found


def _folder(path: Path, info: ValidationInfo) -> Path:
    found = beside_the_file(path, info)
    if not found.is_dir():
        raise ValueError(f"there is no folder {str(found)!r}. Make it and put 'banner.html' there, or leave it out.")
    return found


def _own_path(value: str) -> str:
    if value and not re.fullmatch(r"/(?!/)[!#-;=?-\[\]-~]*", value):
        raise ValueError("write a path on the site itself, as in '/static/privacy.css': our pages load nothing else.")
    return value


Host = Annotated[str, AfterValidator(_host)]
KeptAddress = Annotated[str, AfterValidator(_keep)]
Zone = Annotated[str, AfterValidator(_zone)]
FilterList = Annotated[Path, AfterValidator(_list)]
Folder = Annotated[Path, AfterValidator(_folder)]
OwnPath = Annotated[str, AfterValidator(_own_path)]
