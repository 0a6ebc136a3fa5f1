"""How the shop's pages write money, stock and category paths."""

from decimal import Decimal
from urllib.parse import quote

from django import template
from django.urls import reverse

from catalog.models import CATEGORY_SEPARATOR

register = template.Library()

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
FEW_LEFT = 10


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """Write an amount with its currency: `$1,186.00`; nothing where no price is known."""
    if amount is None:
        return ""
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
