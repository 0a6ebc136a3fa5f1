"""The checks, in the order in which a shop is integrated: the catalogue, lists, what is seen, and what is bought."""

from collections.abc import Callable
from datetime import timedelta

from django.db.models import Count, Max, Q

from analytics.integration import events, orders, shown
from analytics.integration.findings import Finding, Window
from catalog.models import CatalogSync, Product

FRESH = timedelta(hours=48)


def check_catalogue(window: Window) -> Finding:
    """Is there a catalogue, and was it brought up to date lately?"""
    found = Product.objects.aggregate(active=Count("pk", filter=Q(is_active=True)), changed=Max("updated_at"))
    ran = CatalogSync.objects.filter(state=CatalogSync.State.SUCCEEDED).aggregate(at=Max("finished_at"))["at"]
    name, advice = "Catalogue", "Push products, or run sync_products each night: docs/catalog.md."
    if not found["active"]:
        return Finding(name, passed=False, said="No active product.", advice=advice)
    fresh = max(moment for moment in (found["changed"], ran) if moment is not None)
    passed = window.until - fresh <= FRESH
    said = f"{found['active']:,} active products, up to date as of {fresh:%Y-%m-%d %H:%M} UTC."
    return Finding(name, passed, said, advice="" if passed else advice)


CHECKS: tuple[Callable[[Window], Finding], ...] = (
    check_catalogue,
    events.check_events,
    events.check_products,
    events.check_event_ids,
    events.check_sessions,
    events.check_clocks,
    shown.check_lists,
    shown.check_impressions,
    shown.check_requests,
    shown.check_positions,
    shown.check_clicks,
    events.check_searches,
    orders.check_order_ids,
    orders.check_prices,
    orders.check_currency_units,
    orders.check_once,
    events.check_logins,
)


def check_integration(window: Window) -> list[Finding]:
    """Run every check on what happened within `window`. Reads only."""
    return [check(window) for check in CHECKS]
