"""Prices with their currency, as people read them."""

from decimal import Decimal

from django.contrib.humanize.templatetags.humanize import intcomma

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "KES": "KSh ", "NGN": "₦", "INR": "₹", "JPY": "¥"}
WITHOUT_CENTS = {"JPY"}


def money(amount: Decimal | None, currency: str) -> str:
    """Return an amount like `$1,186.00`; a currency without a sign of its own stands before it; no price is no text."""
    if amount is None:
        return ""
    digits = intcomma(f"{amount:.0f}" if currency in WITHOUT_CENTS else f"{amount:.2f}", use_l10n=False)
    return f"{SIGNS.get(currency, f'{currency} ' if currency else '')}{digits}"
