"""What the dashboard's templates draw: tiles, charts, tables, tooltips. Every figure is written out, too."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from analytics.definitions import MEASURES
from analytics.pages import formats
from analytics.pages.filters import CHOICES, PRESETS, Filters
from analytics.pages.parts import Chart, Empty, Meter, Tile
from analytics.pages.tables import Order, Table, currency_of
from recommendations.previews import Comparison

register = template.Library()

SPARK_WIDTH, SPARK_HEIGHT = 120.0, 32.0
FILTER_LABELS = {"placement": "Placement", "strategy": "Strategy", "device": "Device"}

register.filter("ago", formats.ago)
register.filter("moment", formats.moment)
register.filter("percent", formats.percent)
register.filter("money", formats.money)


@register.inclusion_tag("admin/analytics/parts/tile.html")
def tile(one: Tile) -> dict[str, Any]:
    """Draw one figure."""
    return {"tile": one, "spark": spark_points(one.days)}


@register.inclusion_tag("admin/analytics/parts/chart.html", takes_context=True)
def chart(context: RequestContext, one: Chart) -> dict[str, Any]:
    """Draw a chart with its sentence and its figures."""
    return {"chart": one, "filters": context.get("filters")}


@register.inclusion_tag("admin/analytics/parts/table.html", takes_context=True)
def data_table(context: RequestContext, table: Table) -> dict[str, Any]:
    """Draw a table: its first rows, links that sort it, and one that downloads it."""
    request, filters = context["request"], context["filters"]
    parameter = f"sort-{table.name}"
    order = table.order_of(request.GET.get(parameter, ""))
    rows = list(islice(table.rows(order, most=table.shown + 1), table.shown + 1))
    currency = currency_of(rows[: table.shown])
    address = reverse(f"admin:{context['page'].slug}_csv", args=[table.name])
    return {
        "table": table,
        "columns": [_head(column, order, filters, parameter, ranked=table.ranked) for column in table.drawn],
        "rows": [table.cells(row, currency=currency) for row in rows[: table.shown]],
        "currency": currency,
        "more": len(rows) > table.shown,
        "download": f"{address}?{filters.query()}" if context["may_export"] and rows else "",
    }


def _head(column: Any, order: Order | None, filters: Filters, parameter: str, *, ranked: bool) -> dict[str, Any]:
    """Return a column's head: the link turns the order round, or begins with the largest figures."""
    chosen = order is not None and order.key == column.key
    falling = not order.descending if chosen and order else column.numeric or column.kind == "moment"
    return {
        "column": column,
        "sorted": ("descending" if order.descending else "ascending") if chosen and order else "none",
        "address": "" if ranked else "?" + filters.query(**{parameter: str(Order(column.key, falling))}),
    }


@register.inclusion_tag("admin/analytics/parts/filters.html", takes_context=True)
def filter_bar(context: RequestContext) -> dict[str, Any]:
    """Draw the filters of a page."""
    filters, page = context["filters"], context["page"]
    return {
        "filters": filters,
        "page": page,
        "presets": [(days, filters.query(days=str(days), **{"from": "", "to": ""})) for days in PRESETS],
        "choices": [(name, FILTER_LABELS[name], CHOICES[name], getattr(filters, name)) for name in page.narrowing],
        "kept": {
            name: value
            for name, value in filters.asked.items()
            if name not in ("from", "to", "days", "compare", *page.narrowing)
        },
        "without": "?" + filters.query(**dict.fromkeys(page.narrowing, "")),
    }


@register.inclusion_tag("admin/analytics/parts/tip.html")
def tip(measure: str, label: str = "") -> dict[str, Any]:
    """Draw a question mark that tells what a measure means."""
    return {"label": label or measure.replace("_", " "), "text": MEASURES[measure].text if measure else ""}


@register.inclusion_tag("admin/analytics/parts/empty.html")
def empty(one: Empty) -> dict[str, Any]:
    """Say why there is nothing here, and what to do next."""
    return {"empty": one}


@register.inclusion_tag("admin/analytics/parts/meters.html")
def meters(rows: Sequence[Meter]) -> dict[str, Any]:
    """Draw shares as bars."""
    return {"meters": rows}


@register.inclusion_tag("admin/analytics/parts/compare.html")
def compare_lists(effect: Comparison) -> dict[str, Any]:
    """Draw a list as it is and as it would be, side by side."""
    return {"lists": [("Now", effect.before), ("With these settings", effect.after)]}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the page's set, for eyes only."""
    return mark_safe(f'<svg class="icon" aria-hidden="true"><use href="#r-{name}"></use></svg>')  # noqa: S308  our own names


@register.filter
def width(share: float) -> str:
    """Return a share as a width in an SVG of 100 units; what is there at all has some."""
    return f"{min(max(share * 100, 1.0 if share > 0 else 0.0), 100.0):.1f}"


def spark_points(values: Sequence[Any]) -> str:
    """Return the points of a sparkline; empty where there are not two values, or only zeros."""
    numbers = [float(value or 0) for value in values]
    top, low = max(numbers, default=0.0), min(numbers, default=0.0)
    if len(numbers) < 2 or top == low == 0:
        return ""
    low = min(low, 0.0)
    step, room = SPARK_WIDTH / (len(numbers) - 1), SPARK_HEIGHT - 4
    return " ".join(
        f"{place * step:.1f},{2 + room * (1 - (value - low) / (top - low)):.1f}" for place, value in enumerate(numbers)
    )
