"""Page 3: which products are viewed, recommended, clicked and bought, and which never come up."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from analytics import products
from analytics.definitions import MEASURES
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Empty, Series, Tile
from analytics.pages.tables import Table
from analytics.products import ProductFigures

# The tabs of the ranking: what it can go by, and how that is said.
TABS: Mapping[str, str] = {
    "purchases": "Purchased",
    "views": "Viewed",
    "recommended": "Recommended",
    "clicks": "Clicked",
    "revenue": "Revenue",
    "out_of_stock": "Sold out, yet served",
}
NAMED: Mapping[str, str] = {"recommended": "recommendations"}
CHARTED = 10
RANKS_SHOWN = 20
ATTENTION = 15
EVERY = 1_000_000
PRODUCT = Column("title", "Product", "product")
COUNTS = (
    Column("views", "Views", "number", "views"),
    Column("recommended", "Recommended", "number", "recommendations"),
    Column("impressions", "Seen", "number", "impressions"),
    Column("clicks", "Clicks", "number", "clicks"),
    Column("click_through_rate", "Click-through", "rate", "click_through_rate"),
    Column("purchases", "Purchases", "number", "purchases"),
    Column("revenue", "Revenue", "money", "revenue"),
    Column("out_of_stock", "Served sold out", "number", "out_of_stock"),
)
RANKED = (
    Column("rank", "Rank", "number"),
    Column("moved", "Before"),
    PRODUCT,
    Column("category", "Category", only_in_files=True),
    *COUNTS,
)


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the ranking by the chosen measure, and the products that want attention."""
    by = _by(asked)
    return {
        "products": Table(
            "products",
            f"Products by “{TABS[by]}”",
            RANKED,
            lambda most: _ranked(asked, by, most),
            shown=RANKS_SHOWN,
            ranked=True,
            empty=Empty("No product in this ranking.", "Nothing of it happened in this period.")
            if by != "out_of_stock"
            else Empty("None. That is as it should be.", "No sold out product was served in this period."),
        ),
        "ignored": Table(
            "ignored",
            "Seen, never clicked",
            (PRODUCT, *COUNTS[1:3], *COUNTS[5:7]),
            lambda most: _ignored(asked, most),
            shown=ATTENTION,
            ranked=True,
            note="They take places that others would use. Look at picture, title and price, or bury them by a rule.",
            empty=Empty("Every product that was seen was clicked at least once."),
        ),
        "never": Table(
            "never",
            "Never recommended",
            (PRODUCT,),
            lambda most: _never(asked, most),
            shown=ATTENTION,
            ranked=True,
            note="They can be bought, but stood in no list of this period: new and rarely viewed products, most often.",
            empty=Empty("Everything that can be bought was recommended at least once."),
        ),
    }


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the tiles, the tabs and the chart."""
    by, found = _by(asked), _survey(asked)
    tiles = [
        Tile(MEASURES["coverage"].label, found.coverage.value, "percent", measure="coverage"),
        Tile(MEASURES["concentration"].label, found.concentration.value, "percent", measure="concentration"),
        Tile(
            MEASURES["out_of_stock"].label,
            found.out_of_stock,
            measure="out_of_stock",
            note="as it should be" if found.out_of_stock == 0 else "must be 0: see the ranking “Sold out, yet served”",
        ),
    ]
    top = _top(asked, by)[:CHARTED]
    tabs = [(label, asked.filters.query(by=key), key == by) for key, label in TABS.items()]
    return {"tiles": tiles, "tabs": tabs, "charts": [_chart(top, by)]}


def _by(asked: Asked) -> str:
    by = asked.request.GET.get("by", "")
    return by if by in TABS else next(iter(TABS))


def _survey(asked: Asked) -> products.Survey:
    """Return what is told of all products; read once for tiles and tables."""
    return asked.once("survey", lambda: products.survey(asked.filters.period, ignored=ATTENTION, never=ATTENTION))


def _top(asked: Asked, by: str) -> list[ProductFigures]:
    """Return the ranking as far as it is drawn; read once for chart and table."""
    return asked.once("top", lambda: _all_ranked(asked, by, RANKS_SHOWN))


def _all_ranked(asked: Asked, by: str, most: int) -> list[ProductFigures]:
    before = asked.filters.before if asked.filters.compare else None
    return products.ranked(asked.filters.period, by=by, limit=most, before=before)


def _ranked(asked: Asked, by: str, most: int | None) -> Iterator[Row]:
    for one in _top(asked, by) if most else _all_ranked(asked, by, EVERY):
        yield _row(one) | {"moved": _moved(one) if asked.filters.compare else ""}


def _ignored(asked: Asked, most: int | None) -> Iterator[Row]:
    period = asked.filters.period
    if most:
        return map(_row, products.figures_of(period, _survey(asked).ignored))
    return map(_row, products.never_clicked(period, limit=EVERY))


def _moved(one: ProductFigures) -> str:
    """Say where a product stood in the period before."""
    if one.earlier_rank is None:
        return "new"
    sign = "▲" if one.earlier_rank > one.rank else "▼" if one.earlier_rank < one.rank else "="
    return f"{sign} {one.earlier_rank:,}"


def _row(one: ProductFigures) -> dict[str, Any]:
    return asdict(one) | {"click_through_rate": one.click_through_rate}


def _never(asked: Asked, most: int | None) -> Iterator[Row]:
    found = _survey(asked) if most else products.survey(asked.filters.period, never=EVERY)
    for product_id, title in found.never:
        yield {"product_id": product_id, "title": title}


def _chart(top: list[ProductFigures], by: str) -> Chart:
    label = TABS[by]
    sentence = "Nothing of it happened in this period."
    if top:
        value = getattr(top[0], by)
        written = formats.money(value, top[0].currency) if by == "revenue" else formats.number(value)
        sentence = f"“{top[0].title}” comes first, with {written}."
    return Chart(
        "top",
        f"The first ten by “{label}”",
        sentence,
        [one.title for one in top],
        [Series(label, [getattr(one, by) for one in top])],
        kind="rows",
        unit="money" if by == "revenue" else "number",
        head="Product",
    )


PAGE = Page(
    "products",
    "Products",
    "What do shoppers look at, click and buy; and which products never come up?",
    build,
    tables,
    from_replica=True,
)
