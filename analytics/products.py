"""What happened to products in a period: ranked by any measure, with the rank before, and what was never shown.

Read from roll-ups, joined with the mirror: products that it does not know wait until it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.conf import settings

from analytics.definitions import Rate, concentration, rate
from analytics.narrowing import EVERYTHING, Narrowing, narrowed
from analytics.periods import WITHIN, Period
from catalog.models import CATEGORY_SEPARATOR
from reemio.database.reading import reading_connection

COUNTS = ("views", "cart_adds", "recommended", "impressions", "clicks", "out_of_stock")
MAILED = ("mail_impressions", "mail_clicks")
SALES = ("purchases", "units", "revenue")
SURVEYED = ("views", "recommended", "impressions", "clicks", "out_of_stock")
RANKED_BY = (*COUNTS, *SALES)

# A product's revenue is told in the currency that earned it the most.
_DETAILS = f"""
WITH counts AS (
    SELECT product_id, {", ".join(f"sum({name})::bigint AS {name}" for name in (*COUNTS, *MAILED))}
    FROM {{counts}} WHERE {{within}} AND product_id = ANY(%(products)s) GROUP BY product_id
), sold AS (
    SELECT product_id, currency, sum({{purchases}})::bigint AS purchases, sum(units)::bigint AS units,
        sum({{revenue}}) AS revenue
    FROM {{sales}} WHERE {{within}} AND product_id = ANY(%(products)s) GROUP BY product_id, currency
), sales AS (
    SELECT product_id, sum(purchases)::bigint AS purchases, sum(units)::bigint AS units, max(revenue) AS revenue,
        (array_agg(currency ORDER BY revenue DESC, currency))[1] AS currency
    FROM sold GROUP BY product_id
)
SELECT p.product_id, p.title, p.category, p.is_active,
    {", ".join(f"coalesce({name}, 0) AS {name}" for name in (*COUNTS, *MAILED, *SALES))},
    coalesce(sales.currency, %(currency)s) AS currency
FROM counts FULL JOIN sales USING (product_id) JOIN catalog_product p USING (product_id)
"""  # noqa: S608  made of our own constants
# By one measure alone, which is much quicker than adding up all of them; a week's count fits in an integer.
_TOP = """
SELECT p.product_id, sum({measure}::int) AS number,
    row_number() OVER (ORDER BY sum({measure}::int) DESC, p.product_id COLLATE "C") AS rank
FROM {table} JOIN catalog_product p USING (product_id)
WHERE {within} AND {measure} > 0
    AND (%(category)s = '' OR p.category = %(category)s OR p.category LIKE %(below)s)
GROUP BY p.product_id
"""
# A product's revenue is that of one currency: the one that earned it the most.
_TOP_REVENUE = """
SELECT product_id, max(revenue) AS number,
    row_number() OVER (ORDER BY max(revenue) DESC, product_id COLLATE "C") AS rank
FROM (
    SELECT p.product_id, sum({revenue}) AS revenue FROM {sales} JOIN (
        SELECT product_id, category FROM catalog_product
    ) p USING (product_id)
    WHERE {within} AND (%(category)s = '' OR p.category = %(category)s OR p.category LIKE %(below)s)
    GROUP BY p.product_id, currency
) AS sold GROUP BY product_id HAVING max(revenue) > 0
"""
# What a page asks of all products, from one reading of their counts.
_SURVEY = """
WITH counts AS MATERIALIZED (
    SELECT product_id, sum(views::int) AS views, sum(recommended::int) AS recommended,
        sum(impressions::int) AS impressions, sum(clicks::int) AS clicks, sum(out_of_stock::int) AS out_of_stock
    FROM {counts} WHERE {within} GROUP BY product_id
), ranks AS MATERIALIZED (
    SELECT product_id, row_number() OVER (ORDER BY {by} DESC, product_id COLLATE "C") AS rank
    FROM counts JOIN catalog_product USING (product_id) WHERE {by} > 0
), available AS MATERIALIZED (
    SELECT p.product_id, p.title, coalesce(c.recommended, 0) AS recommended
    FROM catalog_product p LEFT JOIN counts c USING (product_id)
    WHERE p.is_active AND (p.stock_quantity IS NULL OR p.stock_quantity > 0)
)
SELECT
    (SELECT count(*) FROM available) AS available,
    (SELECT count(*) FROM available WHERE recommended > 0) AS reached,
    (SELECT coalesce(sum(out_of_stock), 0)::bigint FROM counts) AS out_of_stock,
    (SELECT array_agg(impressions) FROM counts WHERE impressions > 0) AS impressions,
    ARRAY(SELECT product_id FROM ranks ORDER BY rank LIMIT %(top)s) AS top,
    (SELECT json_object_agg(product_id, rank) FROM ranks WHERE product_id = ANY(%(ranked)s)) AS ranks,
    ARRAY(
        SELECT product_id FROM counts JOIN catalog_product USING (product_id) WHERE impressions > 0 AND clicks = 0
        ORDER BY impressions DESC, product_id COLLATE "C" LIMIT %(ignored)s
    ) AS ignored,
    ARRAY(
        SELECT ARRAY[product_id, title] FROM available WHERE recommended = 0 ORDER BY product_id LIMIT %(never)s
    ) AS never
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a narrowing is read from: the tables, which of their rows, and which columns are purchases and revenue."""

    counts: str
    sales: str
    within: str
    purchases: str = "purchases"
    revenue: str = "revenue"

    def fill(self, statement: str, **names: str) -> str:
        """Return a statement with these names in it."""
        return statement.format(**asdict(self), **names)


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """One product with everything that was counted of it; `earlier_rank` is None where it had no rank before.

    Narrowed to certain lists, purchases and revenue are the conversions and the direct revenue that those lists are
    credited with, and there are no views, cart adds and units. Lists do not know their device: narrowed to one, nothing
    was recommended or served.
    """

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
    mail_impressions: int
    mail_clicks: int
    purchases: int
    units: int
    revenue: Decimal
    currency: str

    @property
    def click_through_rate(self) -> Rate:
        """Return clicks / impressions; clicks in e-mails count where e-mails are reported as seen."""
        return rate(self.clicks - (0 if self.mail_impressions else self.mail_clicks), self.impressions)


def ranked(
    period: Period,
    *,
    by: str,
    limit: int = 20,
    category: str = "",
    before: Period | None = None,
    narrowing: Narrowing = EVERYTHING,
) -> list[ProductFigures]:
    """Return the `limit` products with the most of one measure (of `RANKED_BY`), the best first, ties by product id.

    Products with none of it are left out. `before` is the period whose ranks are told beside. Two or three queries.
    """
    if by not in RANKED_BY:
        raise ValueError(f"Products are ranked by one of {', '.join(RANKED_BY)}, not by {by!r}.")
    ranks, asked = _ranks(by, _source(narrowing)), {"category": category, "limit": limit}
    top = _read(f"{ranks} ORDER BY rank LIMIT %(limit)s", period, narrowing, asked)
    ids = [row["product_id"] for row in top]
    earlier: Mapping[str, int] = {}
    if before is not None and ids:
        statement = f"SELECT product_id, rank FROM ({ranks}) AS ranked WHERE product_id = ANY(%(products)s)"  # noqa: S608  our own names
        rows = _read(statement, before, narrowing, {"category": category, "products": ids})
        earlier = {row["product_id"]: row["rank"] for row in rows}
    return figures_of(period, ids, earlier=earlier, narrowing=narrowing)


def never_clicked(period: Period, *, limit: int = 20, narrowing: Narrowing = EVERYTHING) -> list[ProductFigures]:
    """Return the products that were seen in recommendations most often without one click. Two queries."""
    return figures_of(period, survey(period, ignored=limit, narrowing=narrowing).ignored, narrowing=narrowing)


@dataclass(frozen=True, slots=True)
class Survey:
    """How widely recommendations were spread over all products, and who comes first by one of their counts.

    `top` are the ids of the first, `ranks` the ranks of those that were asked for and have one. `ignored` are the ids
    of those seen most often without a click, `never` (id, title) of some available ones that were never recommended.
    """

    coverage: Rate
    concentration: Rate
    out_of_stock: int
    top: list[str]
    ranks: Mapping[str, int]
    ignored: list[str]
    never: list[tuple[str, str]]


def survey(
    period: Period,
    *,
    by: str = "impressions",
    top: int = 0,
    ranked: Sequence[str] = (),
    ignored: int = 0,
    never: int = 0,
    narrowing: Narrowing = EVERYTHING,
) -> Survey:
    """Return what is told of all products together, and so many of those that come first or want attention. One query.

    `by` is one of `SURVEYED`; `ranked` are the products whose ranks by it are wanted.
    """
    if by not in SURVEYED:
        raise ValueError(f"A survey ranks by one of {', '.join(SURVEYED)}, not by {by!r}.")
    asked = {"top": top, "ranked": list(ranked), "ignored": ignored, "never": never}
    (found,) = _read(_source(narrowing).fill(_SURVEY, by=by), period, narrowing, asked)
    return Survey(
        coverage=rate(found["reached"], found["available"]),
        concentration=concentration(found["impressions"] or []),
        out_of_stock=found["out_of_stock"],
        top=found["top"],
        ranks=found["ranks"] or {},
        ignored=found["ignored"],
        never=[(product_id, title) for product_id, title in found["never"]],
    )


def figures_of(
    period: Period,
    product_ids: Sequence[str],
    *,
    earlier: Mapping[str, int] = MappingProxyType({}),
    narrowing: Narrowing = EVERYTHING,
) -> list[ProductFigures]:
    """Return everything that was counted of some products, ranked as they come, with `earlier` ranks. One query."""
    if not product_ids:
        return []
    rows = _read(_source(narrowing).fill(_DETAILS), period, narrowing, {"products": list(product_ids)})
    by_id = {row["product_id"]: row for row in rows}
    return [
        ProductFigures(rank=rank, earlier_rank=earlier.get(product_id), **by_id[product_id])
        for rank, product_id in enumerate(product_ids, start=1)
        if product_id in by_id
    ]


def _source(narrowing: Narrowing) -> _Source:
    """Return where a narrowing is read from. Only lists' own sales belong to a placement or strategy."""
    if narrowing.is_open:
        return _Source("analytics_productrollup", "analytics_salesrollup", WITHIN)
    details = _Source(narrowed("analytics_productdetailrollup"), narrowed("analytics_salesdetailrollup"), "true")
    return replace(details, purchases="conversions", revenue="direct_revenue") if narrowing.is_of_lists else details


def _ranks(by: str, source: _Source) -> str:
    """Return the query for all products with their ranks by one measure."""
    if by == "revenue":
        return source.fill(_TOP_REVENUE)
    measure = source.purchases if by == "purchases" else by
    return source.fill(_TOP, measure=measure, table=source.sales if by in SALES else source.counts)


def _read(statement: str, period: Period, narrowing: Narrowing, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    category = asked.get("category", "")
    parameters = {
        **(period.pieces() if narrowing.is_open else narrowing.parameters(period)),
        "category": category,
        "below": literally(f"{category}{CATEGORY_SEPARATOR}") + "%",
        "currency": settings.REEMIO_DEFAULT_CURRENCY,
        **asked,
    }
    with reading_connection().cursor() as cursor:
        cursor.execute(statement, parameters)
        names: Sequence[str] = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def literally(text: str) -> str:
    """Return `text` for a LIKE that shall match nothing but it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
