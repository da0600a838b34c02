"""Our own Content-Security-Policy: where it stands, beside what, and what browsers may tell of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate import Service

from .world import META, NAVIGATE, SAME_ORIGIN, Answer, Clock, Visitor, drive, gated, http_scope, visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Message, Receive, Scope, Send

ENFORCED, ADVISED = "content-security-policy", "content-security-policy-report-only"
BOTH = {"analytics", "marketing"}
OWN = "script-src 'nonce-abc' 'strict-dynamic'; frame-ancestors 'none'"
REPORT = "/_privacy/csp-report"
KIND = {"content-type": "application/csp-report"}
ENDPOINT = 'cookiegate="/_privacy/csp-report"'


def body(blocked: str = "https://px.stranger.example/t?uid=canary") -> bytes:
    return json.dumps({"csp-report": {"document-uri": "https://shop.test/", "blocked-uri": blocked}}).encode()


def report(visitor: Visitor, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    lines = {**KIND, "sec-fetch-site": "same-origin", **(headers or {})}
    return visitor.send("POST", REPORT, lines, body() if content is None else content).status


def reported(visitor: Visitor) -> list[str]:
    stages: Mapping[str, Any] = visitor.app._stages  # type: ignore[attr-defined]
    return [host for host, _ in stages["Shop"].gate.reported.hosts()]


class Kept:
    """A page or document that answers 304 to whoever has it; *on_304* are the headers of that."""

    def __init__(self, content_type: bytes, on_200: dict[bytes, bytes], on_304: dict[bytes, bytes]) -> None:
        self.headers = {200: {b"content-type": content_type, **on_200}, 304: on_304}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fresh = (b"if-none-match", b'"x"') in [(name, value) for name, value in scope["headers"]]
        status = 304 if fresh else 200
        headers = [*self.headers[status].items(), (b"etag", b'"x"')]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if fresh else b"<!doctype html><p>x"})


@pytest.mark.parametrize(("csp", "name", "other"), [("enforce", ENFORCED, ADVISED), ("report-only", ADVISED, ENFORCED)])
def test_a_page_names_the_hosts_of_granted_services_and_no_others(csp: str, name: str, other: str) -> None:
    visitor = visit(Answer(), give={"analytics"}, csp=csp)
    reply = visitor.get()
    assert "*.google-analytics.com:*" in reply.header(name)
    assert "facebook" not in reply.header(name)
    assert reply.header(other) == ""
    visitor.choose("save", *BOTH)
    assert "connect.facebook.net:*" in visitor.get().header(name)
    visitor.choose("reject_all")
    assert "google" not in visitor.get().header(name)


def test_off_is_the_default_and_adds_nothing() -> None:
    reply = visit(Answer(), give=BOTH).get()
    assert not {ENFORCED, ADVISED, "reporting-endpoints"} & {name for name, _ in reply.headers}


@pytest.mark.parametrize("csp", ["off", "report-only", "enforce"])
def test_the_apps_own_policy_leaves_byte_for_byte(csp: str) -> None:
    theirs = [(ENFORCED, OWN), (ENFORCED, "object-src  'none'"), (ADVISED, "img-src *;")]
    reply = visit(Answer(headers=theirs), give=BOTH, csp=csp).get()
    assert reply.all(ENFORCED)[:2] == [OWN, "object-src  'none'"]
    assert reply.all(ADVISED)[0] == "img-src *;"
    assert len(reply.all(ENFORCED)) + len(reply.all(ADVISED)) == (3 if csp == "off" else 4)


def test_our_endpoint_stands_beside_the_apps_as_a_line_of_its_own() -> None:
    theirs = 'main="https://shop.test/reports"'
    reply = visit(Answer(headers=[("reporting-endpoints", theirs)]), csp="report-only").get()
    assert reply.all("reporting-endpoints") == [theirs, ENDPOINT]
    assert reply.header(ADVISED).endswith("; report-uri /_privacy/csp-report; report-to cookiegate")


def test_below_a_root_path_reports_go_below_it() -> None:
    visitor = Visitor(gated(Answer(), csp="enforce"), root_path="/a;b")
    assert 'cookiegate="/a%3Bb/_privacy/csp-report"' in visitor.get("/a;b/").header("reporting-endpoints")


def test_over_plain_http_the_older_directive_stands_alone_since_browsers_ignore_the_other_header_there() -> None:
    reply = Visitor(gated(Answer(), csp="enforce"), base="http://localhost").get()
    assert reply.header(ENFORCED).endswith("; report-uri /_privacy/csp-report")
    assert reply.header("reporting-endpoints") == ""


@pytest.mark.parametrize("kind", ["application/json", "text/css", "image/png", "text/javascript"])
def test_what_is_no_page_has_no_policy(kind: str) -> None:
    assert visit(Answer("{}", content_type=kind), csp="enforce").get().header(ENFORCED) == ""


def test_observing_enforces_and_reports_nothing() -> None:
    visitor = Visitor(gated(Answer(), csp="enforce", mode="observe"))
    assert not {ENFORCED, ADVISED, "reporting-endpoints"} & {name for name, _ in visitor.get().headers}
    assert report(visitor) == 204
    assert reported(visitor) == []


def test_our_own_pages_keep_their_own_policy_alone() -> None:
    reply = Visitor(gated(csp="enforce")).get("/_privacy/")
    assert reply.all(ENFORCED) == [
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ]
    assert reply.header("reporting-endpoints") == ""


@pytest.mark.parametrize("csp", ["off", "report-only", "enforce"])
def test_an_xml_document_is_always_limited_and_keeps_what_is_kept(csp: str) -> None:
    answer = Answer("<svg/>", content_type="image/svg+xml")
    services = ["google-analytics", "meta-pixel", "stripe"]
    keep = ["https://widget.example.net/*"]
    reply = visit(answer, give={"analytics"}, csp=csp, services=services, keep=keep).get()
    for host in ("google-analytics.com", "js.stripe.com", "widget.example.net", "shop.test"):
        assert f" {host}:*" in reply.header(ENFORCED)
    assert "facebook" not in reply.header(ENFORCED)
    assert ("report-uri" in reply.header(ENFORCED)) is (csp != "off")


def test_an_xml_document_is_limited_even_for_who_granted_more_than_a_policy_holds() -> None:
    services = [Service(f"own-{n}", purpose="analytics", hosts=[f"statistics-{n}.example{n}.com"]) for n in range(200)]
    reply = visit(Answer("<svg/>", content_type="image/svg+xml"), give={"analytics"}, services=services).get()
    assert reply.header(ENFORCED).startswith("default-src 'self' shop.test:*")
    assert "statistics" not in reply.header(ENFORCED)


@pytest.mark.parametrize("kind", [b"text/html", b"image/svg+xml"])
@pytest.mark.parametrize("csp", ["off", "enforce"])
def test_a_304_that_replaces_the_apps_policy_brings_ours_along(kind: bytes, csp: str) -> None:
    theirs = {ENFORCED.encode(): OWN.encode()}
    visitor = visit(Kept(kind, theirs, theirs), give={"analytics"}, csp=csp)
    stored = visitor.get()
    again = visitor.get("/", {"if-none-match": stored.header("etag")})
    assert again.status == 304
    assert again.all(ENFORCED) == stored.all(ENFORCED)
    assert len(again.all(ENFORCED)) == (1 if csp == "off" and kind == b"text/html" else 2)
    assert again.header("etag") == stored.header("etag")


@pytest.mark.parametrize("kind", [b"text/html", b"image/svg+xml"])
def test_a_304_without_the_apps_policy_leaves_the_stored_ones_alone(kind: bytes) -> None:
    visitor = visit(Kept(kind, {ENFORCED.encode(): OWN.encode()}, {}), give={"analytics"}, csp="enforce")
    again = visitor.get("/", {"if-none-match": visitor.get().header("etag")})
    assert again.status == 304
    assert again.all(ENFORCED) == []  # ours alone would take the stored one's place, the app's with it


@pytest.mark.parametrize("kind", [b"text/html", b"image/svg+xml"])
def test_a_document_of_another_variant_is_never_confirmed(kind: bytes) -> None:
    visitor = visit(Kept(kind, {}, {}), give={"analytics"}, csp="enforce")
    etag = visitor.get().header("etag")
    visitor.choose("save", *BOTH)
    assert visitor.get("/", {"if-none-match": etag}).status == 200


def test_a_head_request_tells_the_same_policy() -> None:
    visitor = visit(Answer(), give={"analytics"}, csp="enforce")
    assert visitor.send("HEAD", "/", NAVIGATE, b"").header(ENFORCED) == visitor.get().header(ENFORCED)


# -- reports


def test_a_report_is_answered_with_nothing_and_its_host_remembered() -> None:
    visitor = Visitor(gated(csp="report-only"))
    assert report(visitor) == 204
    assert reported(visitor) == ["px.stranger.example"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
    ids=lambda headers: "; ".join(headers.values()),
)
def test_a_report_from_elsewhere_or_of_another_kind_is_answered_alike_and_dropped(headers: dict[str, str]) -> None:
    visitor = Visitor(gated(csp="enforce"))
    assert report(visitor, headers=headers) == 204
    assert reported(visitor) == []


@pytest.mark.parametrize(
    ("origin", "counts"),
    [("https://shop.test", True), ("null", True), (None, True), ("https://evil.example", False)],
)
def test_without_fetch_metadata_the_origin_tells(origin: str | None, counts: bool) -> None:
    visitor = Visitor(gated(csp="enforce"))
    headers = {"content-type": "application/reports+json", **({"origin": origin} if origin else {})}
    assert visitor.send("POST", REPORT, headers, body()).status == 204
    assert bool(reported(visitor)) is counts


def test_where_there_is_no_policy_no_report_is_read() -> None:
    visitor = Visitor(gated())
    assert report(visitor) == 204
    assert reported(visitor) == []


def test_a_report_that_is_too_large_broken_or_cut_off_is_answered_alike() -> None:
    visitor = Visitor(gated(csp="enforce"))
    assert report(visitor, b'{"csp-report": "' + b"x" * (1 << 18) + b'"}') == 204
    assert report(visitor, b"\x00[{") == 204
    cut: list[Message] = [{"type": "http.request", "body": body(), "more_body": True}, {"type": "http.disconnect"}]
    scope = http_scope(REPORT, "POST", {**SAME_ORIGIN, **KIND})
    assert drive(visitor.app, scope, cut)[0]["status"] == 204
    assert reported(visitor) == []


def test_a_flood_is_read_so_many_times_a_minute() -> None:
    clock = Clock()
    visitor = Visitor(gated(csp="enforce", clock=clock))
    for n in range(70):
        assert report(visitor, body(f"https://h{n}.example/")) == 204
    assert len(reported(visitor)) == 60
    clock.forward(seconds=60)
    report(visitor, body("https://late.example/"))
    assert "late.example" in reported(visitor)


def test_only_a_post_reports() -> None:
    reply = Visitor(gated(csp="enforce")).get(REPORT)
    assert (reply.status, reply.header("allow")) == (405, "POST")


def test_what_browsers_stop_is_what_the_gate_withholds() -> None:
    """A script that makes a tag of a denied service gets no further than the tag itself would."""
    visitor = visit(Answer(f'<!doctype html><script src="{META}"></script>'), give={"analytics"}, csp="enforce")
    reply = visitor.get()
    assert "<!--privacy:meta-pixel-->" in reply.text
    assert "facebook" not in reply.header(ENFORCED)
