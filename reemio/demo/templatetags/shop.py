"""How the shop's pages write money, stock and category paths."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django import template
from django.template.context import Context
from django.urls import reverse

from catalog.models import CATEGORY_SEPARATOR
from reemio.demo import lists

register = template.Library()

SAID = {
    "purchase": "bought",
    "cart_add": "put in the cart",
    "cart_remove": "taken out of the cart",
    "wishlist_add": "saved",
    "recommendation_click": "clicked in a list",
    "recommendation_view": "seen in a list",
    "view": "looked at",
    "search": "searched",
    "homepage": "homepage",
    "product_page": "product page",
    "cart": "cart",
    "email": "e-mail",
}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
FEW_LEFT = 10


@register.inclusion_tag("shop/parts/list.html", takes_context=True)
def shop_list(
    context: Context, placement: str, *, id: str, title: str, places: int, category: str = ""
) -> dict[str, Any]:
    """Show a list of Reemio's: its place, for the browser to fill, or all of it where there is no script."""
    served = None
    if context["plain"]:
        anchors = _anchors(context, placement)
        served = lists.serve(
            context["visitor"], placement, title=title, limit=places, category=category, anchors=anchors
        )
    return {
        "placement": placement, "id": id, "title": title, "places": places, "category": category, "served": served,
    }  # fmt: skip


def _anchors(context: Context, placement: str) -> tuple[str, ...]:
    """Return what the list is about: the cart's products, or the page's."""
    if placement == "cart":
        return tuple(line.product.product_id for line in context["lines"])
    return () if placement == "homepage" else (context["product"].product_id,)


@register.filter
def money(amount: Decimal | str | None, currency: str) -> str:
    """Write an amount with its currency: `$1,186.00`; nothing where no price is known."""
    if amount is None:
        return ""
    amount = Decimal(amount)
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{amount:,.2f}" if symbol else f"{currency} {amount:,.2f}".strip()


@register.filter
def stock_note(stock_quantity: int | None) -> str:
    """Say what a stock means to a customer; None is a stock that nobody counts."""
    if stock_quantity is None or stock_quantity > FEW_LEFT:
        return "In stock"
    return f"Only {stock_quantity} left" if stock_quantity else "Out of stock"


@register.filter
def stock_state(stock_quantity: int | None) -> str:
    """Return the style of a stock: `good`, `few` or `none`."""
    if stock_quantity is None or stock_quantity > FEW_LEFT:
        return "good"
    return "few" if stock_quantity else "none"


@register.filter
def first_word(name: str) -> str:
    """Return what the shop calls somebody."""
    return name.partition(" ")[0]


@register.filter
def last_step(category: str) -> str:
    """Return the narrowest part of a category path."""
    return category.rpartition(CATEGORY_SEPARATOR)[2]


@register.filter
def category_url(category: str) -> str:
    """Return the page of a category path."""
    return reverse("shop:category", args=[category])


@register.filter
def picture_url(product_id: str) -> str:
    """Return the drawn picture of a product."""
    return reverse("shop:picture", args=[product_id])


@register.filter
def query_value(text: str) -> str:
    """Escape a text as one value of a query string, slashes and ampersands included."""
    return quote(text, safe="")


@register.filter
def department_picture(category: str) -> str:
    """Return the sign of a department."""
    return reverse("shop:department_picture", args=[category])


@register.filter
def in_front(text: str, before: str) -> str:
    """Return a text behind another."""
    return before + text


@register.filter
def percent(share: float) -> str:
    """Write a share of 0 to 1 as whole per cent."""
    return f"{share:.0%}"


@register.filter
def said(name: str) -> str:
    """Return what an event or a place is called among people."""
    return SAID.get(name, name)
