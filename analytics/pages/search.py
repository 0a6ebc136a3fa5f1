"""Page 5: what shoppers look for, what they do not find, and what they click."""

from collections.abc import Mapping
from typing import Any

from analytics import searches
from analytics.definitions import may_be_chance
from analytics.pages.cells import Column, Row
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Empty, Tile
from analytics.pages.tables import Table
from analytics.searches import Query
from catalog.models import Product

EVERY = 1_000_000
QUERIES = (
    Column("query", "Searched for"),
    Column("searches", "Searches", "number", "searches"),
    Column("without_results", "Found nothing", "number"),
    Column("no_result_rate", "Without result", "rate", "no_result_rate", only_in_files=True),
    Column("clicks", "Clicks", "number", "clicks"),
)
CLICKED = (Column("query", "Searched for"), Column("title", "Clicked", "product"), Column("clicks", "Clicks", "number"))


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the tiles."""
    filters = asked.filters
    now = searches.search_total(filters.period, device=filters.device)
    before = searches.search_total(filters.before, device=filters.device) if filters.compare else None
    vain, per_search = now.no_result_rate, now.clicks_per_search
    tiles = [
        Tile("Searches", now.searches, before=before and before.searches, measure="searches", better="neither"),
        Tile(
            "Without result",
            vain.value,
            "percent",
            before and before.no_result_rate.value,
            measure="no_result_rate",
            better="down",
            thin=vain.is_thin,
            may_be_chance=before is not None and may_be_chance(vain, before.no_result_rate),
        ),
        Tile(
            "Clicks per search",
            per_search.value,
            "percent",
            before and before.clicks_per_search.value,
            measure="clicks_per_search",
            thin=per_search.is_thin,
            may_be_chance=before is not None and may_be_chance(per_search, before.clicks_per_search),
        ),
    ]
    return {"tiles": tiles}


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return what was searched for, what was not found, and what was clicked."""
    period, device = asked.filters.period, asked.filters.device
    none = Empty(
        "No search in this period.", "Search through the API, and report each as an event of the type “search”."
    )
    return {
        "queries": Table(
            "queries",
            "What shoppers search for",
            QUERIES,
            lambda most: map(_row, searches.top_queries(period, limit=most or EVERY, device=device)),
            shown=20,
            ranked=True,
            empty=none,
            note="The rarest searches of each hour are pooled, and not listed.",
        ),
        "vain": Table(
            "vain",
            "What they do not find",
            QUERIES[:4],
            lambda most: map(_row, searches.queries_without_result(period, limit=most or EVERY, device=device)),
            shown=20,
            ranked=True,
            note="Sell it, or put the word into the titles and descriptions of what you sell.",
            empty=Empty("Every search found something."),
        ),
        "clicked": Table(
            "clicked",
            "What they click in the results",
            CLICKED,
            lambda most: _clicked(asked, most),
            shown=20,
            ranked=True,
            empty=Empty(
                "Nothing was clicked in results.", "Clicks are credited where they carry the list’s request id."
            ),
        ),
    }


def _row(query: Query) -> Row:
    return {
        "query": query.query,
        "searches": query.searches,
        "without_results": query.without_results,
        "no_result_rate": query.no_result_rate,
        "clicks": query.clicks,
    }


def _clicked(asked: Asked, most: int | None) -> list[Row]:
    found = searches.clicked_after_search(asked.filters.period, limit=most or EVERY, device=asked.filters.device)
    titles = dict(
        Product.objects.filter(product_id__in={product for _, product, _ in found}).values_list("product_id", "title")
    )
    return [
        {"query": query, "product_id": product, "title": titles.get(product, ""), "clicks": clicks}
        for query, product, clicks in found
    ]


PAGE = Page(
    "search",
    "Search",
    "What do shoppers look for, and what do they not find?",
    build,
    tables,
    # Every search is one placement, and one strategy.
    narrowing=("device",),
    from_replica=True,
)
