"""What happened to products in a period: ranked by any measure, with the rank before, and what was never shown.

Read from roll-ups, joined with the mirror: products that it does not know wait until it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from analytics.definitions import Rate, concentration, rate
from analytics.periods import WITHIN, Period
from catalog.models import CATEGORY_SEPARATOR, Product

COUNTS = ("views", "cart_adds", "recommended", "impressions", "clicks", "out_of_stock")
SALES = ("purchases", "units", "revenue")
RANKED_BY = (*COUNTS, *SALES)

# A product's revenue is told in the currency that earned it the most.
_COUNTED = f"""
WITH counts AS (
    SELECT product_id, {", ".join(f"sum({name})::bigint AS {name}" for name in COUNTS)}
    FROM analytics_productrollup
    WHERE {WITHIN} {{only}} GROUP BY product_id
), sold AS (
    SELECT product_id, currency, sum(purchases)::bigint AS purchases, sum(units)::bigint AS units,
        sum(revenue) AS revenue
    FROM analytics_salesrollup
    WHERE {WITHIN} {{only}} GROUP BY product_id, currency
), sales AS (
    SELECT product_id, sum(purchases)::bigint AS purchases, sum(units)::bigint AS units, max(revenue) AS revenue,
        (array_agg(currency ORDER BY revenue DESC, currency))[1] AS currency
    FROM sold GROUP BY product_id
), figures AS (
    SELECT p.product_id, p.title, p.category, p.is_active,
        {", ".join(f"coalesce({name}, 0) AS {name}" for name in (*COUNTS, *SALES))},
        coalesce(sales.currency, %(currency)s) AS currency
    FROM {{sources}} JOIN catalog_product p USING (product_id)
    WHERE (%(category)s = '' OR p.category = %(category)s OR p.category LIKE %(below)s) AND {{condition}}
)
"""  # noqa: S608  made of our own constants
# By one measure alone, which is much quicker than adding up all of them; a day's count fits in an integer.
_TOP = f"""
SELECT p.product_id, sum(r.{{measure}}::int) AS number,
    row_number() OVER (ORDER BY sum(r.{{measure}}::int) DESC, p.product_id COLLATE "C") AS rank
FROM analytics_productrollup r JOIN catalog_product p USING (product_id)
WHERE {WITHIN} AND r.{{measure}} > 0
    AND (%(category)s = '' OR p.category = %(category)s OR p.category LIKE %(below)s)
GROUP BY p.product_id
"""  # noqa: S608  made of our own constants
_REACHED = f"""
SELECT product_id, sum(recommended::int) AS recommended, sum(impressions::int) AS impressions,
    sum(out_of_stock::int) AS out_of_stock
FROM analytics_productrollup WHERE {WITHIN} GROUP BY product_id
"""  # noqa: S608  made of our own constants
_BOTH = "counts FULL JOIN sales USING (product_id)"
_SALES = "sales LEFT JOIN counts USING (product_id)"
_OF_PRODUCTS = "AND product_id = ANY(%(products)s)"
_RANKED = """
SELECT * FROM figures WHERE {measure} > 0 ORDER BY {measure} DESC, product_id COLLATE "C" LIMIT %(limit)s
"""
_RANKS = """
SELECT product_id, rank FROM (
    SELECT product_id, row_number() OVER (ORDER BY {measure} DESC, product_id COLLATE "C") AS rank
    FROM figures WHERE {measure} > 0
) AS ranked WHERE product_id = ANY(%(products)s)
"""


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """One product with everything that was counted of it; `earlier_rank` is None where it had no rank before."""

    rank: int
    earlier_rank: int | None
    product_id: str
    title: str
    category: str
    is_active: bool
    views: int
    cart_adds: int
    recommended: int
    impressions: int
    clicks: int
    out_of_stock: int
    purchases: int
    units: int
    revenue: Decimal
    currency: str

    @property
    def click_through_rate(self) -> Rate:
        """Return clicks / impressions."""
        return rate(self.clicks, self.impressions)


def ranked(
    period: Period, *, by: str, limit: int = 20, category: str = "", before: Period | None = None
) -> list[ProductFigures]:
    """Return the `limit` products with the most of one measure (of `RANKED_BY`), the best first, ties by product id.

    Products with none of it are left out. `before` is the period whose ranks are told beside. One to three queries.
    """
    if by not in RANKED_BY:
        raise ValueError(f"Products are ranked by one of {', '.join(RANKED_BY)}, not by {by!r}.")
    names = _parameters(period, category) | {"limit": limit}
    if by in SALES:
        rows = _read(_COUNTED.format(sources=_BOTH, condition="true", only="") + _RANKED.format(measure=by), names)
    else:
        top = _read(_TOP.format(measure=by) + "ORDER BY rank LIMIT %(limit)s", names)
        names |= {"products": [row["product_id"] for row in top]}
        rows = _read(
            _COUNTED.format(sources=_BOTH, condition="true", only=_OF_PRODUCTS) + _RANKED.format(measure=by), names
        )
    earlier: Mapping[str, int] = {}
    if before is not None and rows:
        names = _parameters(before, category) | {"products": [row["product_id"] for row in rows]}
        earlier = {row["product_id"]: row["rank"] for row in _read(_ranks(by), names)}
    return [
        ProductFigures(rank=rank, earlier_rank=earlier.get(row["product_id"]), **row)
        for rank, row in enumerate(rows, start=1)
    ]


def never_clicked(period: Period, *, limit: int = 20) -> list[ProductFigures]:
    """Return the products that were seen in recommendations most often without one click. One query."""
    statement = _COUNTED.format(sources=_BOTH, condition="coalesce(clicks, 0) = 0", only="")
    rows = _read(statement + _RANKED.format(measure="impressions"), _parameters(period) | {"limit": limit})
    return [ProductFigures(rank=rank, earlier_rank=None, **row) for rank, row in enumerate(rows, start=1)]


@dataclass(frozen=True, slots=True)
class Reach:
    """How widely recommendations were spread. `never` holds some available products that were never recommended."""

    coverage: Rate
    concentration: Rate
    out_of_stock: int
    never: list[tuple[str, str]]


def reach(period: Period, *, limit: int = 20) -> Reach:
    """Return coverage, concentration, out-of-stock servings, and (id, title) of what was never shown. Three queries."""
    counted = _read(
        _REACHED,
        period.pieces(),
    )
    shown = {row["product_id"] for row in counted if row["recommended"]}
    available = list(Product.objects.available().order_by("product_id").values_list("product_id", flat=True))
    missing = [product_id for product_id in available if product_id not in shown]
    named = Product.objects.filter(product_id__in=missing[:limit]).order_by("product_id")
    return Reach(
        coverage=rate(len(available) - len(missing), len(available)),
        concentration=concentration([row["impressions"] for row in counted]),
        out_of_stock=sum(row["out_of_stock"] for row in counted),
        never=list(named.values_list("product_id", "title")) if missing else [],
    )


def _ranks(by: str) -> str:
    """Return the query for the ranks of some products by one measure."""
    if by in SALES:
        return _COUNTED.format(sources=_SALES, condition="true", only="") + _RANKS.format(measure=by)
    return f"SELECT product_id, rank FROM ({_TOP.format(measure=by)}) AS top WHERE product_id = ANY(%(products)s)"  # noqa: S608  our own names


def _parameters(period: Period, category: str = "") -> dict[str, Any]:
    return {
        **period.pieces(),
        "category": category,
        "below": literally(f"{category}{CATEGORY_SEPARATOR}") + "%",
        "currency": settings.REEMIO_DEFAULT_CURRENCY,
    }


def literally(text: str) -> str:
    """Return `text` for a LIKE that shall match nothing but it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _read(statement: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names: Sequence[str] = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
