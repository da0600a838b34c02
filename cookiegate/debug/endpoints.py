"""``GET /debug``: HTML for people, JSON for programs."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from cookiegate.debug.access import Admission
from cookiegate.pages import render, stylesheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
STATUS = {
    Admission.NOT_SECURE: (HTTPStatus.FORBIDDEN, "Debug answers over https only (or on localhost)."),
    Admission.FOREIGN: (HTTPStatus.FORBIDDEN, "Debug answers nobody who comes from another site."),
    Admission.NO_PASSWORD: (HTTPStatus.UNAUTHORIZED, "Name and password, please."),
    Admission.WRONG_PASSWORD: (HTTPStatus.UNAUTHORIZED, "Wrong name or password."),
    Admission.TOO_MANY: (HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords. Wait a minute."),
}


def refusal(admission: Admission) -> Response:
    """Return the answer to somebody who may not look."""
    status, text = STATUS[admission]
    headers = dict(HEADERS)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Basic realm="cookiegate debug", charset="UTF-8"'
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        headers["retry-after"] = "60"
    return Response(text, status, headers, media_type="text/plain")


def health_page(health: Mapping[str, Any]) -> Response:
    """Return what a load balancer reads: 200 where all is well, 503 where records are overdue or cannot be kept."""
    status = HTTPStatus.OK if health["ok"] else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(json.dumps(health), status, HEADERS, media_type="application/json")


def debug_page(accept: str, seen: Mapping[str, Any], *, url: Callable[[str], str], home: str) -> Response:
    """Return what was seen, as the sender accepts it."""
    if "application/json" in accept and "text/html" not in accept:
        return Response(json.dumps(seen, ensure_ascii=False, indent=1), 200, HEADERS, media_type="application/json")
    body = render(
        "debug.html", "en",
        seen=seen,
        configuration=json.dumps(seen["configuration"], ensure_ascii=False, indent=2),
        site_name=seen["site"],
        url=url,
        css=url(f"/assets/{stylesheet()}"),
        home=home,
    )  # fmt: skip
    return Response(body, 200, HEADERS, media_type="text/html")
