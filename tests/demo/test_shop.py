"""The bare shop: what stands in its pages when nobody gates them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from cookiegate.demo.shop import HERE, TEAS, shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

EVERYWHERE = {
    "gtag.js": '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>',
    "gtag call": "gtag('config', 'G-DEMO000001');",
    "tag manager": "'https://www.googletagmanager.com/gtm.js?id='+i+dl;",
    "tag manager without scripts": '<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=GTM-DEMO001"',
    "meta pixel": "'https://connect.facebook.net/en_US/fbevents.js');",
    "meta pixel without scripts": 'src="https://www.facebook.com/tr?id=000000000000000&ev=PageView&noscript=1"',
    "naver": '<script type="text/javascript" src="//wcs.pstatic.net/wcslog.js"></script>',
    "naver call": "wcs_do();",
    "kakao": 'src="//t1.daumcdn.net/kas/static/kp.js"></script>',
    "kakao call": "kakaoPixel('0000000000000000000').pageView();",
    "hotjar": "'https://static.hotjar.com/c/hotjar-','.js?sv='",
    "preconnect": '<link rel="preconnect" href="https://www.googletagmanager.com">',
    "dns-prefetch": '<link rel="dns-prefetch" href="//static.hotjar.com">',
    "own script": '<script src="/static/shop.js" defer></script>',
    "a tag in a comment": '<script src="https://www.google-analytics.com/analytics.js"></script>\n-->',
    "cookie settings": '<a href="/_privacy/">Cookie settings</a>',
}
PAGES = {
    "/": 200,
    "/tea/ujeon": 200,
    "/visit": 200,
    "/contact": 200,
    "/tea/none": 404,
    "/nowhere": 404,
    "/boom": 500,
}
TYPES = {
    ".css": {"text/css"},
    ".js": {"text/javascript", "application/javascript"},  # the second: Python 3.11 without /etc/mime.types
    ".svg": {"image/svg+xml"},
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(shop, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_answers_with_its_status_and_every_snippet(browser: httpx.AsyncClient, path: str) -> None:
    page = await browser.get(path)
    assert page.status_code == PAGES[path]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert [what for what, text in EVERYWHERE.items() if page.text.count(text) != 1] == []


async def test_the_tag_manager_comes_before_everything_that_loads(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    first = min(page.index(tag) for tag in ("<script", "<link"))
    assert page.startswith("(function(w,d,s,l,i)", first + len("<script>"))
    assert re.search(r"<body>\s*<!--[^>]*-->\s*<noscript><iframe", page)


async def test_the_meta_pixel_ends_the_head_because_its_image_would_end_it_anyway(
    browser: httpx.AsyncClient,
) -> None:
    assert "<!-- End Meta Pixel Code -->\n</head>" in (await browser.get("/")).text


async def test_the_visit_page_embeds_a_film_and_a_map_and_shows_one_frame_as_text(
    browser: httpx.AsyncClient,
) -> None:
    page = (await browser.get("/visit")).text
    assert page.count('<iframe width="560" height="315" src="https://www.youtube.com/embed/') == 1
    assert page.count('<iframe src="https://www.google.com/maps/embed?pb=') == 1
    assert re.search(r'<textarea [^>]*><iframe src="https://www\.youtube\.com/embed/[^<]*</iframe></textarea>', page)


@pytest.mark.parametrize("slug", TEAS)
async def test_each_tea_has_a_page_with_its_data_and_a_stepper(browser: httpx.AsyncClient, slug: str) -> None:
    page = (await browser.get(f"/tea/{slug}")).text
    data = re.search(r'<script type="application/ld\+json">(.+?)</script>', page)
    assert data
    assert json.loads(data[1])["name"] == TEAS[slug].name
    assert 'document.querySelectorAll("[data-step]")' in page


@pytest.mark.parametrize(
    ("ordered", "told"),
    [("1", True), ("20", True), ("0", False), ("21", False), ("-1", False), ("two", False), ("9" * 5000, False)],
)
async def test_only_a_sensible_quantity_is_confirmed(browser: httpx.AsyncClient, ordered: str, *, told: bool) -> None:
    page = await browser.get("/tea/ujeon", params={"quantity": ordered})
    assert page.status_code == 200
    assert ("the basket stays empty" in page.text) is told


async def test_a_message_is_answered_with_a_page_and_shown_as_text(browser: httpx.AsyncClient) -> None:
    page = await browser.post("/contact", data={"name": "하늘", "tea": "Ujeon", "message": "<script>1</script>"})
    assert page.status_code == 200
    assert "Thank you, 하늘" in page.text
    assert "&lt;script&gt;1&lt;/script&gt;" in page.text


async def test_an_empty_message_is_answered_too(browser: httpx.AsyncClient) -> None:
    assert "Thank you</h1>" in (await browser.post("/contact")).text


async def test_the_basket_id_is_the_only_cookie_and_set_once(browser: httpx.AsyncClient) -> None:
    first, second = await browser.get("/"), await browser.get("/")
    assert re.fullmatch(r"session=[\w-]{22}; HttpOnly; Path=/; SameSite=lax", first.headers["set-cookie"])
    assert "set-cookie" not in second.headers


@pytest.mark.parametrize("name", sorted(file.name for file in (HERE / "static").iterdir()))
async def test_each_static_file_is_typed_and_names_no_other_host(browser: httpx.AsyncClient, name: str) -> None:
    answer = await browser.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] in TYPES[name[name.rindex(".") :]]
    assert "//" not in re.sub(r'xmlns="[^"]+"|^//.*', "", answer.text, flags=re.MULTILINE)
