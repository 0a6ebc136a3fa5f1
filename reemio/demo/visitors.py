"""Who is looking at the demo shop: who they chose to be, their session and their cart. All of it is in cookies."""

import re
import uuid
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from reemio.access.identity import token_for
from reemio.demo.personas import SHOPPERS, DemoShopper

SHOPPER_COOKIE = "shop_shopper"
# The tracker's own: a shop's server reads it to draw lists for the same session.
SESSION_COOKIE = "reemio_session"
CART_COOKIE = "shop_cart"
PLAIN_COOKIE = "shop_plain"  # of a browser that runs no scripts
CART_SECONDS = 30 * 24 * 3600
MOST_LINES = 20  # A cookie holds 4 KiB.
MOST_PIECES = 99
LONGEST_CART = 3500
_SESSION = re.compile(r"[\w-]{8,128}", re.ASCII)

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

    def with_all_of(self, other: "Cart") -> "Cart":
        """Return the cart with what was in another, as far as it holds."""
        fuller = self
        for product_id, quantity in other.lines:
            fuller = fuller.with_more(product_id, quantity)
        return fuller


@dataclass(frozen=True, slots=True)
class Visitor:
    """A shopper of the brief's ten or nobody (None), the tracker's session (or nothing yet), and the cart."""

    shopper: DemoShopper | None
    session_id: str
    cart: Cart

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Read the visitor out of the cookies."""
        shopper = BY_USER_ID.get(request.COOKIES.get(SHOPPER_COOKIE, ""))
        session_id = request.COOKIES.get(SESSION_COOKIE, "")
        if not _SESSION.fullmatch(session_id):
            session_id = ""
        return cls(shopper, session_id, cart_of(request, shopper))

    @property
    def user_id(self) -> str:
        """Return the shop's id of the shopper, or nothing."""
        return self.shopper.user_id if self.shopper else ""

    @property
    def token(self) -> str:
        """Return the proof with which the browser may merge its session into the shopper, or nothing."""
        return token_for(self.user_id) if self.user_id else ""

    @property
    def names(self) -> dict[str, str]:
        """Return whom events are about, as the API has it."""
        named = {"user_id": self.user_id, "session_id": self.session_id}
        return {name: value for name, value in named.items() if value}

    @property
    def first_name(self) -> str:
        """Return how the shop greets them."""
        return self.shopper.name.split()[0] if self.shopper else ""

    def with_cart(self, cart: Cart) -> "Visitor":
        """Return the same visitor with another cart."""
        return replace(self, cart=cart)

    def remember(self, response: HttpResponseBase) -> None:
        """Set the cookie of the cart."""
        if self.cart.lines:
            set_cookie(response, cart_cookie(self.shopper), self.cart.as_cookie(), CART_SECONDS)
        else:
            response.delete_cookie(cart_cookie(self.shopper))


def become(request: HttpRequest, response: HttpResponseBase, user_id: str) -> None:
    """Make the browser shop as one of the ten, or as nobody.

    Whoever was nobody logs in: the session stays, for the tracker to merge, and the cart comes along. Otherwise a new
    session begins, as one session has one person.
    """
    before, after = Visitor.of(request), BY_USER_ID.get(user_id)
    if after is None:
        response.delete_cookie(SHOPPER_COOKIE)
    else:
        set_cookie(response, SHOPPER_COOKIE, user_id, CART_SECONDS)
    if before.shopper is None and after is not None:
        own = Visitor(after, before.session_id, cart_of(request, after))
        own.with_cart(own.cart.with_all_of(before.cart)).remember(response)
        before.with_cart(Cart()).remember(response)
    elif before.shopper != after:
        # A tracker begins its own, if it may.
        response.delete_cookie(SESSION_COOKIE)
        if PLAIN_COOKIE in request.COOKIES:
            begin_session(response)


def begin_session(response: HttpResponseBase) -> None:
    """Begin a new session here, for a browser in which no tracker does; it has to be able to read it all the same."""
    set_cookie(response, SESSION_COOKIE, uuid.uuid4().hex, CART_SECONDS, httponly=False)


def cart_of(request: HttpRequest, shopper: DemoShopper | None) -> Cart:
    """Read the cart of this shopper, or of nobody."""
    return Cart.from_cookie(request.COOKIES.get(cart_cookie(shopper), ""))


def cart_cookie(shopper: DemoShopper | None) -> str:
    """Return the name of the cookie that holds this shopper's cart."""
    return f"{CART_COOKIE}.{shopper.user_id}" if shopper else CART_COOKIE


def set_cookie(response: HttpResponseBase, name: str, value: str, seconds: int, *, httponly: bool = True) -> None:
    """Set a cookie of the shop's, for this site only."""
    response.set_cookie(
        name, value, max_age=seconds, httponly=httponly, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
