"""The four campaigns: their names, what people may leave, their order of precedence, their numbers and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from django.db import models


class Kind(models.TextChoices):
    """The campaigns. Each is also a topic of its own on the preference page."""

    CART_ABANDONMENT = "cart_abandonment", "Abandoned cart"
    NEW_PRODUCTS = "new_products", "New products"
    WEEKLY_DIGEST = "weekly_digest", "Weekly digest"
    BACK_IN_STOCK = "back_in_stock", "Back in stock"


# How a topic is called on the page where people choose.
TOPICS: Mapping[str, str] = MappingProxyType(
    {
        Kind.CART_ABANDONMENT: "Reminders of what is in my cart",
        Kind.NEW_PRODUCTS: "New products that match my interests",
        Kind.WEEKLY_DIGEST: "Weekly picks for me",
        Kind.BACK_IN_STOCK: "Products that are back in stock",
    }
)


class Priority(IntEnum):
    """Who goes first where several mails to one person are due; 1 is the first."""

    ASKED_STOCK = 1
    CART = 2
    IMPLIED_STOCK = 3
    WEEKLY = 4
    NEW_PRODUCTS = 5


# These were asked for, or are about what the person just did: neither the gap nor the weekly limit holds them up.
EXEMPT_FROM_ROLLING_CAPS = frozenset({Priority.ASKED_STOCK, Priority.CART})


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a campaign that an admin may change."""

    name: str
    default: int
    least: int
    most: int
    label: str


def _shared(*, holdout: int = 0) -> tuple[Number, ...]:
    return (
        Number("gap_hours", 16, 0, 720, "Hours between two marketing mails to one person"),
        Number("most_in_week", 3, 1, 50, "Mails in seven days, at most"),
        Number("most_in_day", 2, 1, 20, "Mails in a local day, at most"),
        Number("quiet_from", 22, 0, 23, "Quiet hours begin (local hour)"),
        Number("quiet_until", 8, 0, 23, "Quiet hours end (local hour)"),
        Number("holdout_percent", holdout, 0, 90, "Percent of people who get no mail, to measure what mails earn"),
        Number("watch_window", 500, 50, 100_000, "Latest delivered mails that are watched for complaints and bounces"),
        Number("watch_least", 100, 1, 100_000, "Delivered mails from which on they are watched"),
    )


NUMBERS: Mapping[str, tuple[Number, ...]] = MappingProxyType(
    {
        Kind.CART_ABANDONMENT: (
            Number("idle_hours", 2, 1, 72, "Hours without any activity before the reminder"),
            Number("oldest_hours", 26, 2, 240, "Hours after which it is too late"),
            Number("expires_hours", 24, 1, 168, "Hours in which a planned mail must be sent"),
            Number("cooldown_days", 7, 0, 90, "Days between two reminders to one person"),
            Number("cart_days", 30, 1, 90, "Days after which an untouched cart is forgotten"),
            Number("companions", 4, 0, 8, "Products shown that go with the cart"),
            *_shared(),
        ),
        Kind.NEW_PRODUCTS: (
            Number("send_hour", 9, 0, 23, "Local hour of sending"),
            Number("expire_hour", 18, 1, 23, "Local hour after which it is too late"),
            Number("days_new", 14, 1, 90, "Days for which a product is new"),
            Number("least_items", 3, 1, 8, "Products needed for a mail"),
            Number("most_items", 8, 1, 12, "Products shown, at most"),
            Number("most_in_category", 3, 1, 12, "Products of one category, at most"),
            Number("similarity_percent", 35, 0, 100, "How near a product has to be to the taste, cosine × 100"),
            *_shared(),
        ),
        Kind.WEEKLY_DIGEST: (
            Number("send_hour", 10, 0, 23, "Local hour of sending, on Sunday"),
            Number("expire_hour", 20, 1, 23, "Local hour after which it is too late"),
            Number("active_days", 30, 1, 365, "Days within which the person was active"),
            Number("least_items", 4, 1, 8, "Picks needed for a mail"),
            Number("most_items", 8, 1, 12, "Picks shown, at most"),
            Number("most_in_category", 2, 1, 12, "Picks of one category, at most"),
            Number("no_repeats", 3, 0, 12, "Earlier digests whose picks are not shown again"),
            *_shared(),
        ),
        Kind.BACK_IN_STOCK: (
            Number("hold_minutes", 10, 0, 1440, "Minutes for which the stock has to hold"),
            Number("expires_hours", 48, 1, 336, "Hours after the restock in which the mail must be sent"),
            Number("cooldown_days", 14, 0, 365, "Days between two unasked mails about one product"),
            Number("wave_least", 20, 1, 10_000, "People told at once, at least"),
            Number("wave_times_stock", 5, 1, 1000, "… or so many for each piece in stock"),
            Number("wave_minutes", 30, 1, 1440, "Minutes between two waves"),
            Number("wishlist_days", 365, 0, 1095, "Days for which a wish counts as interest"),
            Number("view_days", 0, 0, 90, "Days for which a view counts as interest (0: it does not)"),
            Number("alternatives", 4, 0, 8, "Other products shown"),
            *_shared(),
        ),
    }
)
