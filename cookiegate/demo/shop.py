"""The bare shop: a small site with the snippets that vendors hand out, without cookiegate."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HERE = Path(__file__).parent
MOST = 20  # of one tea in one order


@dataclass(frozen=True, slots=True, kw_only=True)
class Tea:
    """One product. Amount, water and time are meant for a bowl of 150 ml."""

    slug: str
    name: str
    korean: str
    kind: str
    text: str
    origin: str
    caffeine: str
    won: int
    grams: int
    dose: int
    celsius: int
    minutes: str


TEAS = {
    tea.slug: tea
    for tea in (
        Tea(
            slug="ujeon",
            name="Ujeon",
            korean="우전",
            kind="First-flush green tea",
            text="The smallest leaves of the year, picked before the spring rains in late April. "
            "Sweet, quiet, a little like young peas.",
            origin="Hadong",
            caffeine="Some",
            won=38000,
            grams=40,
            dose=3,
            celsius=65,
            minutes="1½",
        ),
        Tea(
            slug="hwangcha",
            name="Hwangcha",
            korean="황차",
            kind="Yellow tea, slowly withered",
            text="Leaves left to rest and turn yellow before they are dried. "
            "Honey in the scent, dried fruit in the cup, never bitter.",
            origin="Boseong",
            caffeine="Some",
            won=26000,
            grams=50,
            dose=3,
            celsius=85,
            minutes="2",
        ),
        Tea(
            slug="memilcha",
            name="Memilcha",
            korean="메밀차",
            kind="Roasted buckwheat",
            text="Whole grains, roasted until they smell of bread crust. "
            "For the evening: it keeps nobody awake, and the grains are good to eat.",
            origin="Bongpyeong",
            caffeine="None",
            won=12000,
            grams=120,
            dose=6,
            celsius=95,
            minutes="4",
        ),
        Tea(
            slug="mogwacha",
            name="Mogwacha",
            korean="모과차",
            kind="Quince in honey",
            text="Thin slices of quince, laid in honey for a winter. A spoonful in hot water: tart, bright, warming.",
            origin="Damyang",
            caffeine="None",
            won=18000,
            grams=300,
            dose=25,
            celsius=90,
            minutes="3",
        ),
    )
}

STORE = {
    "@context": "https://schema.org",
    "@type": "Store",
    "name": "Haneul Tea",
    "alternateName": "하늘차",
    "hasMap": "https://www.google.com/maps/@34.7163,127.0815,14z",  # data about a service is no service
}

templates = Jinja2Templates(directory=HERE / "templates")
templates.env.trim_blocks = True
templates.env.lstrip_blocks = True
templates.env.globals |= {"store": STORE, "teas": TEAS.values()}


def render(request: Request, template: str, *, status: int = HTTPStatus.OK, **context: Any) -> Response:
    return templates.TemplateResponse(request, template, context, status_code=status)


async def index(request: Request) -> Response:
    response = render(request, "index.html")
    if "session" not in request.cookies:
        response.set_cookie("session", secrets.token_urlsafe(16), httponly=True, samesite="lax")
    return response


async def tea_page(request: Request) -> Response:
    tea = TEAS.get(request.path_params["slug"])
    if tea is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    quantity = _quantity(request.query_params.get("quantity", ""))
    return render(request, "tea.html", tea=tea, quantity=quantity, product=_product(tea))


async def visit(request: Request) -> Response:
    return render(request, "visit.html")


async def contact(request: Request) -> Response:
    if request.method != "POST":
        return render(request, "contact.html")
    sent = parse_qs((await request.body()).decode("utf-8", "replace"))
    name, about, message = (sent.get(field, [""])[0] for field in ("name", "tea", "message"))
    return render(request, "thanks.html", name=name, about=about, message=message)


async def boom(request: Request) -> Response:
    raise RuntimeError("This page breaks on purpose: the error page is a page too, and it is gated.")


async def not_found(request: Request, fault: Exception) -> Response:
    return render(
        request,
        "fault.html",
        status=HTTPStatus.NOT_FOUND,
        heading="Not on the shelf",
        explanation="There is no page at this address.",
    )


async def broken(request: Request, fault: Exception) -> Response:
    return render(
        request,
        "fault.html",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        heading="The pot broke",
        explanation="This page fails on purpose. It carries the same snippets as every other page.",
    )


def _quantity(text: str) -> int:
    """Return how many were ordered; 0 for none and for anything that is no number from 1 to MOST."""
    return int(text) if text in map(str, range(1, MOST + 1)) else 0


def _product(tea: Tea) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": tea.name,
        "alternateName": tea.korean,
        "description": tea.text,
        "image": f"/static/{tea.slug}.svg",
        "offers": {"@type": "Offer", "price": tea.won, "priceCurrency": "KRW"},
    }


shop = Starlette(
    routes=[
        Route("/", index),
        Route("/tea/{slug}", tea_page),
        Route("/visit", visit),
        Route("/contact", contact, methods=["GET", "POST"]),
        Route("/boom", boom),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ],
    exception_handlers={HTTPStatus.NOT_FOUND: not_found, Exception: broken},
)
