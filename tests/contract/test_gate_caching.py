"""One visitor's page is never another's: validators, Vary, Cache-Control, Range."""

from __future__ import annotations

from typing import Any

import pytest

from cookiegate import Service

from .world import GA, NAVIGATE, PAGE, SAME_ORIGIN, Answer, Visitor, gated, visit

ETAG = '"v1"'


class Validated:
    """An app with one page that answers 304 to whoever has it."""

    def __init__(self, etag: str = ETAG, *, content_type: str = "text/html") -> None:
        self.etag = etag.encode()
        self.content_type = content_type.encode()
        self.heard: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        self.heard.append(headers.get(b"if-none-match", b""))
        theirs = [tag.strip().removeprefix(b"W/") for tag in self.heard[-1].split(b",")]
        fresh = self.etag.removeprefix(b"W/") in theirs
        sent = [(b"etag", self.etag), (b"cache-control", b"max-age=60"), (b"vary", b"Accept-Encoding")]
        sent += [] if fresh else [(b"content-type", self.content_type)]
        await send({"type": "http.response.start", "status": 304 if fresh else 200, "headers": sent})
        await send({"type": "http.response.body", "body": b"" if fresh else PAGE.encode()})


@pytest.mark.parametrize("etag", [ETAG, 'W/"v1"', '"a,b"', '""'])
@pytest.mark.parametrize("give", [(), ("analytics",)], ids=["refused", "granted"])
def test_a_visitor_who_has_the_page_is_told_so(etag: str, give: tuple[str, ...]) -> None:
    visitor = visit(Validated(etag), give=give)
    first = visitor.get()
    ours = first.header("etag")
    assert ours
    assert ours != etag
    again = visitor.get("/", {"if-none-match": ours})
    if etag != '"a,b"':  # the app above cannot read a comma in a tag; the gate may
        assert (again.status, again.body) == (304, b"")
        assert again.header("etag") == ours
        assert again.header("vary") == first.header("vary")
        assert again.header("cache-control") == first.header("cache-control")


def test_the_tag_of_one_variant_is_never_good_for_another() -> None:
    app = gated(Validated())
    replies = {}
    for give in (None, (), ("analytics",), ("marketing",), ("analytics", "marketing")):
        visitor = Visitor(app)
        if give is not None:
            visitor.choose("save", *give)
        replies[give] = (visitor, visitor.get().header("etag"))
    tags = [tag for _, tag in replies.values() if tag]
    assert len(set(tags)) == len(tags) >= 4
    for visitor, own in replies.values():
        for tag in tags:
            if tag != own:
                assert visitor.get("/", {"if-none-match": tag}).status == 200


@pytest.mark.parametrize("tag", [ETAG, f"W/{ETAG}", "*", f'"other", {ETAG}', "garbage", '"unclosed', ""])
def test_a_page_from_before_the_gate_is_never_revived(tag: str) -> None:
    app = Validated()
    reply = visit(app).get("/", {"if-none-match": tag})
    assert reply.status == 200
    assert b"<h1>Tea</h1>" in reply.body
    assert ETAG.encode() not in app.heard[-1]


def test_of_several_tags_the_right_one_is_found() -> None:
    visitor = visit(Validated())
    ours = visitor.get().header("etag")
    assert visitor.get("/", {"if-none-match": f'"x", {ours} , W/"y"'}).status == 304
    assert visitor.get("/", {"if-none-match": f"W/{ours}"}).status == 304


def test_pages_lose_last_modified_and_the_app_is_not_asked_about_it() -> None:
    answer = Answer(headers=[("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"), ("accept-ranges", "bytes")])
    reply = visit(answer).get("/", {"if-modified-since": "Wed, 21 Oct 2026 07:28:00 GMT"})
    assert reply.all("last-modified") == []
    assert reply.all("accept-ranges") in ([], ["none"])
    assert answer.heard("if-modified-since") == []


@pytest.mark.parametrize("digest", ["content-md5", "digest", "content-digest", "repr-digest"])
def test_a_digest_of_a_page_never_lies(digest: str) -> None:
    assert visit(Answer(headers=[(digest, "sha-256=:x:")])).get().all(digest) == []


PAGES_ONLY = {"range": "bytes=0-9", "if-range": ETAG, "if-modified-since": "Wed, 21 Oct 2026 07:28:00 GMT"}


@pytest.mark.parametrize("accept", ["text/html", NAVIGATE["accept"], "application/xml, TEXT/HTML;q=0.1"])
def test_who_asks_for_a_page_gets_it_whole_and_unpacked(accept: str) -> None:
    answer = Answer()
    visit(answer).get("/", {**PAGES_ONLY, "accept": accept})
    assert [answer.heard(name) for name in PAGES_ONLY] == [[], [], []]
    assert answer.heard("accept-encoding") == [b"identity"]


def test_who_asks_for_anything_else_asks_as_before() -> None:
    answer = Answer(b"x", content_type="video/mp4")
    sent = {
        **PAGES_ONLY,
        "accept": "video/*",
        "sec-fetch-dest": "video",
        "sec-fetch-mode": "no-cors",
        "if-none-match": ETAG,
    }
    visit(answer).get("/", sent)
    for name in (*PAGES_ONLY, "if-none-match"):
        assert answer.heard(name) == [sent[name].encode()]
    assert answer.heard("accept-encoding") == [b"gzip, deflate"]


def test_what_is_no_page_keeps_its_caching() -> None:
    kept = [("cache-control", "public, max-age=9"), ("etag", ETAG), ("last-modified", "x"), ("vary", "Origin")]
    reply = Visitor(gated(Answer(b"x", content_type="text/css", headers=kept))).get("/", {"accept": "text/css"})
    assert [(name, reply.all(name)) for name, _ in kept] == [(name, [value]) for name, value in kept]


def _words(line: str) -> set[str]:
    return {word.strip().lower() for word in line.split(",") if word.strip()}


@pytest.mark.parametrize("given_", [None, (), ("analytics",)], ids=["undecided", "refused", "granted"])
@pytest.mark.parametrize(
    "cache",
    [[], ["public, max-age=60"], ["max-age=60, s-maxage=600"], ["max-age=1", "public"], ["private"], ["no-store"]],
)
def test_a_page_is_never_kept_for_others(cache: list[str], given_: tuple[str, ...] | None) -> None:
    reply = visit(Answer(headers=[("cache-control", line) for line in cache]), give=given_).get()
    words = _words(reply.header("cache-control"))
    assert "private" in words or "no-store" in words
    assert "public" not in words
    assert not any(word.startswith("s-maxage") for word in words)
    if given_ is None:
        assert "no-store" in words
    elif cache and "max-age=60" in cache[0]:
        assert "max-age=60" in words


@pytest.mark.parametrize("vary", [[], ["Accept-Encoding"], ["Origin, cookie"], ["X-A", "X-B"]], ids=str)
def test_vary_is_merged(vary: list[str]) -> None:
    visitor = Visitor(gated(Answer(headers=[("vary", line) for line in vary]), languages=["en", "ko"]))
    lines = _words(visitor.get().header("vary"))
    assert lines >= {"cookie", "sec-gpc", "accept-language", "sec-fetch-dest"}
    assert lines >= _words(", ".join(vary))
    visitor.choose("reject_all")
    assert _words(visitor.get().header("vary")) >= {"cookie", *_words(", ".join(vary))}


def test_vary_star_stays() -> None:
    assert "*" in _words(Visitor(gated(Answer(headers=[("vary", "*")]))).get().header("vary"))


def test_a_choice_is_never_cached(visitor: Visitor) -> None:
    assert "no-store" in visitor.choose("accept_all").header("cache-control")
    assert "no-store" in visitor.post({"action": "accept_all"}, {**SAME_ORIGIN, "sec-fetch-site": "cross-site"}).header(
        "cache-control"
    )


@pytest.mark.parametrize("give", [(), ("analytics",)], ids=["denied", "granted"])
def test_what_is_no_page_and_sets_a_services_cookie_is_kept_for_nobody_else(give: tuple[str, ...]) -> None:
    said = [("cache-control", "public, max-age=9"), ("cdn-cache-control", "max-age=99"), ("vary", "Origin")]
    reply = visit(Answer(b"{}", content_type="application/json", headers=[*said, ("set-cookie", "_ga=1")]), give=give)
    answer = reply.get("/", {"accept": "*/*"})
    assert len(answer.all("set-cookie")) == len(give)
    assert answer.all("cache-control") == ["private, max-age=9"]
    assert answer.all("cdn-cache-control") == []
    assert _words(answer.header("vary")) == {"origin", "cookie", "sec-gpc"}


def test_what_is_no_page_and_names_a_granted_service_is_kept_for_nobody_else_in_any_spelling() -> None:
    own = Service("statistics", purpose="analytics", hosts=["/stats.js"])
    for target, whose in (("/stats.js", "private"), (GA.replace("//", "\\\\"), "private"), ("/tea.js", "public")):
        said = [("link", f"<{target}>; rel=preload; as=script"), ("cache-control", "public")]
        answer = Answer(b"{}", content_type="application/json", headers=said)
        reply = visit(answer, give=["analytics"], services=["google-analytics", own]).get()
        assert (reply.header("link"), reply.header("cache-control")) == (said[0][1], whose)


def test_what_is_no_page_and_sets_the_apps_own_cookie_leaves_as_it_is() -> None:
    said = [("cache-control", "no-cache"), ("set-cookie", "session=1")]
    reply = visit(Answer(b"{}", content_type="application/json", headers=said)).get()
    assert [(name, reply.header(name)) for name, _ in said] == said


FOR_CACHES = [
    *(("cache-control", "public, max-age=60"), ("cache-control", "s-maxage=600"), ("cdn-cache-control", "max-age=60")),
    *(("cloudflare-cdn-cache-control", "max-age=60"), ("surrogate-control", "max-age=60"), ("x-accel-expires", "60")),
    *(("expires", "Wed, 21 Oct 2037 07:28:00 GMT"), ("pragma", "public"), ("edge-control", "max-age=60")),
    *(("etag", ETAG), ("content-md5", "x"), ("content-range", "bytes 0-9/10"), ("last-modified", "x")),
]


@pytest.mark.parametrize(
    "withheld", [{"headers": [*FOR_CACHES, ("content-encoding", "x")]}, {"headers": FOR_CACHES, "status": 206}]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_notice_in_a_pages_place_is_stored_nowhere(withheld: dict[str, Any], method: str) -> None:
    reply = visit(Answer(**withheld)).send(method, "/", NAVIGATE)
    assert reply.status == 502
    assert reply.all("cache-control") == ["no-store"]
    assert not {name for name, _ in FOR_CACHES if name != "cache-control"} & {name for name, _ in reply.headers}
    assert len(reply.all("content-length")) == 1


def test_no_transform_is_no_way_around_the_gate() -> None:
    reply = visit(Answer(headers=[("cache-control", "max-age=60, no-transform")])).get()
    assert b"googletagmanager" not in reply.body
    assert reply.all("cache-control") == ["private, max-age=60, no-transform"]


@pytest.mark.parametrize("give", [None, (), ("analytics",)], ids=["undecided", "refused", "granted"])
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", None, "image/svg+xml", "text/css"])
def test_head_is_told_what_get_is_told(give: tuple[str, ...] | None, kind: str | None) -> None:
    answer = Answer(content_type=kind, headers=[*FOR_CACHES, ("set-cookie", "session=1"), ("link", "</a.css>; rel=x")])
    visitor = visit(answer, give=give)
    got, head = visitor.get(), visitor.send("HEAD", "/", NAVIGATE)
    assert head.status == got.status
    assert head.body == b""
    assert [entry for entry in head.headers if entry[0] != "content-length"] == [
        entry for entry in got.headers if entry[0] != "content-length"
    ]


def test_a_page_is_saved_only_over_the_one_that_was_read() -> None:
    answer = Answer()
    visitor = visit(Validated())
    ours = visitor.get().header("etag")
    writer = visit(answer)
    writer.send("PUT", "/", {**SAME_ORIGIN, "if-match": ours, "if-none-match": "*"})
    assert (answer.heard("if-match"), answer.heard("if-none-match")) == ([ETAG.encode()], [b"*"])


def test_a_304_names_the_tag_that_the_visitor_has_weak_or_strong() -> None:
    visitor = visit(Validated())
    ours = visitor.get().header("etag")
    for tag in (ours, f"W/{ours}"):
        again = visitor.get("/", {"if-none-match": tag})
        assert (again.status, again.header("etag")) == (304, tag)


def test_a_part_of_a_document_that_is_not_read_says_which_part() -> None:
    said = ("content-range", "bytes 0-9/100")
    reply = visit(Answer(b"<svg/>", content_type="image/svg+xml", status=206, headers=[said])).get()
    assert (reply.status, reply.header(said[0])) == (206, said[1])


def test_what_was_allowed_for_minutes_is_stored_nowhere() -> None:
    for kind in ("text/html", "image/svg+xml"):
        visitor = visit(Answer(content_type=kind, headers=[("cache-control", "public, max-age=60")]))
        visitor.choose("allow_once", service="kakao-maps")
        reply = visitor.get()
        assert (reply.status, reply.all("cache-control")) == (200, ["no-store"]), kind
