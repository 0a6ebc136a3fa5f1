"""Where alerts and advice lead: names of places to addresses of the admin."""

from dataclasses import replace
from typing import TypeVar

from django.urls import reverse

from analytics.advice import Advice
from analytics.pages.parts import Alert

PLACES = {
    "api": ("api-docs", ""),
    "inbox": ("admin:interactions_inboxevent_changelist", "?outcome=waiting"),
    "failed-inbox": ("admin:interactions_inboxevent_changelist", "?outcome=failed"),
    "versions": ("admin:recommendations_modelversion_changelist", ""),
    "syncs": ("admin:catalog_catalogsync_changelist", ""),
    "recommendations": ("admin:analytics_recommendations", ""),
    "products-out-of-stock": ("admin:analytics_products", "?by=out_of_stock#table-products"),
    "products-ignored": ("admin:analytics_products", "#table-ignored"),
    "search": ("admin:analytics_search", ""),
    "health": ("admin:analytics_health", ""),
    "experiments": ("admin:analytics_experiments", ""),
}
Placed = TypeVar("Placed", Alert, Advice)


def located(one: Placed) -> Placed:
    """Return an alert or a piece of advice with an address that a browser can open."""
    if one.link not in PLACES:
        return one
    name, rest = PLACES[one.link]
    return replace(one, link=reverse(name) + rest)
