"""Page 3: which products are viewed, recommended, clicked and bought, and which never come up."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, Literal

from analytics import products
from analytics.definitions import MEASURES, Rate, may_be_chance
from analytics.narrowing import Narrowing
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Empty, Series, Tile
from analytics.pages.tables import Table
from analytics.products import SURVEYED, ProductFigures, Survey

CHARTED = 10
RANKS_SHOWN = 20
ATTENTION = 15
EVERY = 1_000_000
PRODUCT = Column("title", "Product", "product")
SHOWN = (
    Column("recommended", "Recommended", "number", "recommendations"),
    Column("impressions", "Seen", "number", "impressions"),
    Column("clicks", "Clicks", "number", "clicks"),
    Column("click_through_rate", "Click-through", "rate", "click_through_rate"),
)
OUT_OF_STOCK = Column("out_of_stock", "Served sold out", "number", "out_of_stock")
BOUGHT = (
    Column("purchases", "Purchases", "number", "purchases"),
    Column("revenue", "Revenue", "money", "revenue"),
)
COUNTS = (Column("views", "Views", "number", "views"), *SHOWN, *BOUGHT, OUT_OF_STOCK)
# Of certain lists: nobody's view or purchase belongs to a list, but a conversion does.
CREDITED = (
    Column("purchases", "Conversions", "number", "conversions"),
    Column("revenue", "Direct revenue", "money", "direct_revenue"),
)
COUNTS_OF_LISTS = (*SHOWN, *CREDITED, OUT_OF_STOCK)
WANTED_OF_IGNORED = ("recommended", "impressions", "purchases", "revenue")
# What a sentence counts; money is written as money.
UNITS: Mapping[str, str] = {
    "purchases": "purchase",
    "views": "view",
    "recommended": "recommendation",
    "impressions": "impression",
    "clicks": "click",
    "out_of_stock": "time",
}
# A list does not know on which device it will be seen.
ONLY_OF_WHOLE_LISTS = ("recommended", "out_of_stock")
# What the ranking can go by, as the tabs say it.
TABS: Mapping[str, str] = {
    "purchases": "Purchased",
    "views": "Viewed",
    "recommended": "Recommended",
    "clicks": "Clicked",
    "revenue": "Revenue",
    "out_of_stock": "Sold out, yet served",
}
TABS_OF_LISTS: Mapping[str, str] = {
    "clicks": "Clicked",
    "recommended": "Recommended",
    "impressions": "Seen",
    "purchases": "Bought after a click",
    "revenue": "Direct revenue",
    "out_of_stock": "Sold out, yet served",
}


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the ranking by the chosen measure, and the products that want attention."""
    by, narrowing = _by(asked), asked.filters.narrowing
    ranked = Table(
        "products",
        _headline(narrowing, by),
        (
            Column("rank", "Rank", "number"),
            Column("moved", "Before"),
            PRODUCT,
            Column("category", "Category", only_in_files=True),
            *_counts(narrowing, by),
        ),
        lambda most: _ranked(asked, by, most),
        shown=RANKS_SHOWN,
        ranked=True,
        empty=Empty("No product in this ranking.", "Nothing of it happened in this period.")
        if by != "out_of_stock"
        else Empty("None. That is as it should be.", "No sold out product was served in this period."),
        note=_note(narrowing),
    )
    ignored = Table(
        "ignored",
        "Seen, never clicked",
        (PRODUCT, *(column for column in _counts(narrowing, "impressions") if column.key in WANTED_OF_IGNORED)),
        lambda most: _ignored(asked, most),
        shown=ATTENTION,
        ranked=True,
        note="They take places that others would use. Look at picture, title and price, or bury them by a rule.",
        empty=Empty("Every product that was seen was clicked at least once."),
    )
    never = Table(
        "never",
        "Never recommended",
        (PRODUCT,),
        lambda most: _never(asked, most),
        shown=ATTENTION,
        ranked=True,
        note="They can be bought, but stood in no list of this period: new and rarely viewed products, most often.",
        empty=Empty("Everything that can be bought was recommended at least once."),
    )
    several = (ranked, ignored) if narrowing.device else (ranked, ignored, never)
    return {table.name: table for table in several}


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the tiles, the tabs and the chart."""
    by, tabs = _by(asked), _tabs(asked.filters.narrowing)
    return {
        "tiles": list(_tiles(asked)),
        "tabs": [(label, asked.filters.query(by=key), key == by) for key, label in tabs.items()],
        "charts": [_chart(asked, by)],
    }


def _tiles(asked: Asked) -> Iterator[Tile]:
    """Yield what is told of all products together, and of the period before."""
    found, before = _survey(asked), _survey_before(asked)
    if not asked.filters.device:
        yield _rate_tile("coverage", found.coverage, before.coverage if before else None, "up")
    yield _rate_tile("concentration", found.concentration, before.concentration if before else None, "neither")
    if not asked.filters.device:
        yield Tile(
            MEASURES["out_of_stock"].label,
            found.out_of_stock,
            before=before and before.out_of_stock,
            measure="out_of_stock",
            better="down",
            note="must be 0: see the ranking “Sold out, yet served”" if found.out_of_stock else "as it should be",
        )


def _rate_tile(name: str, now: Rate, before: Rate | None, better: Literal["up", "neither"]) -> Tile:
    chance = before is not None and may_be_chance(now, before)
    value = before and before.value
    label = MEASURES[name].label
    return Tile(label, now.value, "percent", value, measure=name, better=better, thin=now.is_thin, may_be_chance=chance)


def _tabs(narrowing: Narrowing) -> Mapping[str, str]:
    tabs = TABS_OF_LISTS if narrowing.is_of_lists else TABS
    return {key: label for key, label in tabs.items() if not (narrowing.device and key in ONLY_OF_WHOLE_LISTS)}


def _headline(narrowing: Narrowing, by: str) -> str:
    label = _tabs(narrowing)[by]
    return label if by == "out_of_stock" else f"Most {label[0].lower()}{label[1:]}"


def _counts(narrowing: Narrowing, by: str) -> list[Column]:
    """Return the columns of figures, what the ranking goes by first; what must be 0 only where it is looked for."""
    columns = COUNTS_OF_LISTS if narrowing.is_of_lists else COUNTS
    told = [column for column in columns if not (narrowing.device and column.key in ONLY_OF_WHOLE_LISTS)]
    drawn = [replace(one, only_in_files=one is OUT_OF_STOCK and by != "out_of_stock") for one in told]
    return sorted(drawn, key=lambda column: column.key != by)


def _note(narrowing: Narrowing) -> str:
    """Say what a narrowed ranking counts."""
    lists = "Conversions and direct revenue are those that the chosen lists are credited with. "
    device = "A list does not know on which device it will be seen: what was recommended is not told by device."
    return ((lists if narrowing.is_of_lists else "") + (device if narrowing.device else "")).strip()


def _by(asked: Asked) -> str:
    by, tabs = asked.request.GET.get("by", ""), _tabs(asked.filters.narrowing)
    return by if by in tabs else next(iter(tabs))


def _survey(asked: Asked) -> Survey:
    """Return what is told of all products, and who comes first where that goes by a count; read once."""
    filters, by = asked.filters, _by(asked)

    def read() -> Survey:
        top = RANKS_SHOWN if by in SURVEYED else 0
        return products.survey(
            filters.period,
            by=_surveyed_by(by),
            top=top,
            ignored=ATTENTION,
            never=ATTENTION,
            narrowing=filters.narrowing,
        )

    return asked.once("survey", read)


def _survey_before(asked: Asked) -> Survey | None:
    """Return the same of the period before, with the ranks that those who come first now had then; read once."""
    filters = asked.filters

    def read() -> Survey:
        by, now = _surveyed_by(_by(asked)), _survey(asked).top
        return products.survey(filters.before, by=by, ranked=now, narrowing=filters.narrowing)

    return asked.once("survey before", read) if filters.compare else None


def _surveyed_by(by: str) -> str:
    """Return a count that a survey ranks by: sales have a ranking of their own."""
    return by if by in SURVEYED else "impressions"


def _top(asked: Asked, by: str) -> list[ProductFigures]:
    """Return the ranking as far as it is drawn; read once for chart and table."""
    return asked.once("top", lambda: _surveyed(asked) if by in SURVEYED else _all_ranked(asked, by, RANKS_SHOWN))


def _surveyed(asked: Asked) -> list[ProductFigures]:
    found, before = _survey(asked), _survey_before(asked)
    earlier = before.ranks if before else {}
    return products.figures_of(asked.filters.period, found.top, earlier=earlier, narrowing=asked.filters.narrowing)


def _all_ranked(asked: Asked, by: str, most: int) -> list[ProductFigures]:
    filters = asked.filters
    before = filters.before if filters.compare else None
    return products.ranked(filters.period, by=by, limit=most, before=before, narrowing=filters.narrowing)


def _ranked(asked: Asked, by: str, most: int | None) -> Iterator[Row]:
    for one in _top(asked, by) if most else _all_ranked(asked, by, EVERY):
        yield _row(one) | {"moved": _moved(one) if asked.filters.compare else ""}


def _ignored(asked: Asked, most: int | None) -> Iterator[Row]:
    period, narrowing = asked.filters.period, asked.filters.narrowing
    if most:
        return map(_row, products.figures_of(period, _survey(asked).ignored, narrowing=narrowing))
    return map(_row, products.never_clicked(period, limit=EVERY, narrowing=narrowing))


def _moved(one: ProductFigures) -> str:
    """Say where a product stood in the period before."""
    if one.earlier_rank is None:
        return "new"
    sign = "▲" if one.earlier_rank > one.rank else "▼" if one.earlier_rank < one.rank else "="
    return f"{sign} {one.earlier_rank:,}"


def _row(one: ProductFigures) -> dict[str, Any]:
    return asdict(one) | {"click_through_rate": one.click_through_rate}


def _never(asked: Asked, most: int | None) -> Iterator[Row]:
    period, narrowing = asked.filters.period, asked.filters.narrowing
    found = _survey(asked) if most else products.survey(period, never=EVERY, narrowing=narrowing)
    for product_id, title in found.never:
        yield {"product_id": product_id, "title": title}


def _chart(asked: Asked, by: str) -> Chart:
    narrowing, top = asked.filters.narrowing, _top(asked, by)[:CHARTED]
    sentence = "Nothing of it happened in this period."
    if top:
        sentence = f"“{top[0].title}” comes first, with {_counted(top[0], by, narrowing)}."
    return Chart(
        "top",
        _headline(narrowing, by),
        sentence,
        [one.title for one in top],
        [Series(_tabs(narrowing)[by], [getattr(one, by) for one in top])],
        kind="rows",
        unit="money" if by == "revenue" else "number",
        head="Product",
    )


def _counted(one: ProductFigures, by: str, narrowing: Narrowing) -> str:
    if by == "revenue":
        return formats.money(one.revenue, one.currency)
    unit = "conversion" if by == "purchases" and narrowing.is_of_lists else UNITS[by]
    return formats.plural(getattr(one, by), unit)


PAGE = Page(
    "products",
    "Products",
    "What do shoppers look at, click and buy; and which products never come up?",
    build,
    tables,
    narrowing=("placement", "strategy", "device"),
    from_replica=True,
)
