"""The order that was placed last, in a signed cookie: the demo keeps no books, but its thank-you page has to tell."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from reemio.demo.shelves import CartLine
from reemio.demo.visitors import set_cookie

COOKIE = "shop_order"
SECONDS = 24 * 3600
_SALT = "shop.order"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What was bought, for how much each."""

    product_id: str
    title: str
    quantity: int
    price: str
    currency: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its lines."""

    order_id: str
    lines: tuple[OrderLine, ...]

    @property
    def events(self) -> list[dict[str, object]]:
        """Return its purchases as the API takes them, each under an id of its own: a line counts once."""
        return [
            {
                "interaction_type": "purchase",
                "event_id": _event_id(self.order_id, line.product_id),
                "order_id": self.order_id,
                "product_id": line.product_id,
                "quantity": line.quantity,
                **({"unit_price": line.price, "currency": line.currency or None} if line.price else {}),
            }
            for line in self.lines
        ]


def _event_id(order_id: str, product_id: str) -> str:
    """Return the name that `reemio.js` gives to the line; a digest of it where it would be too long."""
    name = f"purchase:{order_id}:{product_id}"
    return name if len(name) <= 64 else f"purchase:{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def place(lines: Sequence[CartLine]) -> Order:
    """Make an order of what can be bought of the cart."""
    return Order(
        f"R-{uuid.uuid4().hex[:10].upper()}",
        tuple(
            OrderLine(
                line.product.product_id,
                line.product.title[:60],
                line.quantity,
                "" if line.product.price is None else f"{line.product.price:.2f}",
                line.product.currency,
            )
            for line in lines
            if line.buyable
        ),
    )


def keep(order: Order, response: HttpResponseBase) -> None:
    """Let the browser bring the order to the thank-you page."""
    set_cookie(response, COOKIE, signing.dumps(asdict(order), salt=_SALT, compress=True), SECONDS)


def last(request: HttpRequest) -> Order | None:
    """Return the order that this browser placed last; None where there is none, or it is forged."""
    try:
        kept = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=SECONDS)
        return Order(kept["order_id"], tuple(OrderLine(**line) for line in kept["lines"]))
    except signing.BadSignature:
        return None
