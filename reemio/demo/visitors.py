"""Who is looking at the demo shop: who they chose to be, their visit and their cart. All of it is in cookies."""

import uuid
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from reemio.demo.personas import SHOPPERS, DemoShopper

SHOPPER_COOKIE = "shop_shopper"
SESSION_COOKIE = "shop_visit"
CART_COOKIE = "shop_cart"
CART_SECONDS = 30 * 24 * 3600
MOST_LINES = 20  # A cookie holds 4 KiB.
MOST_PIECES = 99
LONGEST_CART = 3500

BY_USER_ID = {shopper.user_id: shopper for shopper in SHOPPERS}


@dataclass(frozen=True, slots=True)
class Cart:
    """Product ids with quantities, in the order in which they were added."""

    lines: tuple[tuple[str, int], ...] = ()

    @classmethod
    def from_cookie(cls, value: str) -> Self:
        """Read what `as_cookie` wrote, and skip what is none of it: a cookie is the browser's to change."""
        lines: dict[str, int] = {}
        for product_id, quantity in parse_qsl(value[:4096]):
            if quantity.isascii() and quantity.isdigit() and int(quantity[:4]) > 0 and "\0" not in product_id:
                lines[product_id] = min(int(quantity[:4]), MOST_PIECES)
        return cls(tuple(lines.items())[:MOST_LINES])

    def as_cookie(self) -> str:
        """Write the lines as a query string, which needs no quoting in a cookie."""
        return urlencode(self.lines)

    @property
    def pieces(self) -> int:
        """Count the pieces in the cart."""
        return sum(quantity for _, quantity in self.lines)

    def with_more(self, product_id: str, quantity: int) -> "Cart":
        """Return the cart with more of a product; the same cart where it is full."""
        lines = dict(self.lines)
        lines[product_id] = min(lines.get(product_id, 0) + quantity, MOST_PIECES)
        fuller = Cart(tuple(lines.items()))
        return fuller if len(lines) <= MOST_LINES and len(fuller.as_cookie()) <= LONGEST_CART else self

    def without(self, product_id: str) -> "Cart":
        """Return the cart without a product."""
        return Cart(tuple(line for line in self.lines if line[0] != product_id))


@dataclass(frozen=True, slots=True)
class Visitor:
    """A shopper of the brief's ten or nobody (None), the id of this visit, and the cart. Each shopper has their own."""

    shopper: DemoShopper | None
    session_id: str
    cart: Cart

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Read the visitor out of the cookies; a first visit gets a new session id."""
        shopper = BY_USER_ID.get(request.COOKIES.get(SHOPPER_COOKIE, ""))
        session_id = request.COOKIES.get(SESSION_COOKIE, "")
        if not (session_id.isascii() and session_id.isalnum() and len(session_id) == 32):
            session_id = uuid.uuid4().hex
        return cls(shopper, session_id, Cart.from_cookie(request.COOKIES.get(cart_cookie(shopper), "")))

    @property
    def user_id(self) -> str:
        """Return the shop's id of the shopper, or nothing."""
        return self.shopper.user_id if self.shopper else ""

    @property
    def first_name(self) -> str:
        """Return how the shop greets them."""
        return self.shopper.name.split()[0] if self.shopper else ""

    def with_cart(self, cart: Cart) -> "Visitor":
        """Return the same visitor with another cart."""
        return replace(self, cart=cart)

    def remember(self, response: HttpResponseBase) -> None:
        """Set the cookies of the visit and the cart."""
        _set(response, SESSION_COOKIE, self.session_id)
        if self.cart.lines:
            _set(response, cart_cookie(self.shopper), self.cart.as_cookie())
        else:
            response.delete_cookie(cart_cookie(self.shopper))


def become(response: HttpResponseBase, user_id: str) -> None:
    """Make the browser shop as one of the ten, or as nobody, in a new visit: one visit has one person."""
    if user_id in BY_USER_ID:
        _set(response, SHOPPER_COOKIE, user_id)
    else:
        response.delete_cookie(SHOPPER_COOKIE)
    _set(response, SESSION_COOKIE, uuid.uuid4().hex)


def cart_cookie(shopper: DemoShopper | None) -> str:
    """Return the name of the cookie that holds this shopper's cart."""
    return f"{CART_COOKIE}.{shopper.user_id}" if shopper else CART_COOKIE


def _set(response: HttpResponseBase, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=CART_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
