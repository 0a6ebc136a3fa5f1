"""What to do next, from what was counted: pure, the most valuable first."""

from collections.abc import Iterator
from dataclasses import dataclass

from analytics.definitions import LEAST_TRIALS
from analytics.pages import formats
from analytics.performance import Figures
from analytics.products import ProductFigures
from analytics.searches import Query

MOST_ADVICE = 5
# More than this share of lists by popularity alone: shoppers are not told apart.
MUCH_FALLBACK = 0.5
MANY_UNHEARD = 0.05


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do: what, why, and the page (by the name of its place) where to do it."""

    title: str
    text: str
    action: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What advice goes by."""

    figures: Figures
    searches: Query
    vain: list[Query]
    ignored: list[ProductFigures]
    out_of_stock: int
    has_events: bool
    running_experiments: int
    tuned: bool


def advice_of(situation: Situation) -> list[Advice]:
    """Return at most a handful of things to do."""
    first = list(_connecting(situation))
    return (first or [*_mending(situation), *_improving(situation)])[:MOST_ADVICE]


def _connecting(situation: Situation) -> Iterator[Advice]:
    """Yield the next step of a shop that is not wired up whole yet: only one, since the others build on it."""
    figures = situation.figures
    if not situation.has_events:
        yield Advice(
            "Tell Reemio what shoppers do",
            "No event has come in yet. Put reemio.js into the storefront, or post events from the shop’s server; "
            "lists begin to be personal with the first view.",
            "Look at the API",
            "api",
        )
    elif not figures.lists:
        yield Advice(
            "Show a list",
            "Events come in, but no list was asked for in this period. The homepage and the product page "
            "usually earn the most.",
            "Look at the API",
            "api",
        )
    elif not figures.impressions:
        yield Advice(
            "Report what shoppers see",
            f"{formats.plural(figures.lists, 'list')} were served, but nothing was reported as seen, so nothing can be "
            "credited. reemio.js does it by itself; otherwise post recommendation_view and recommendation_click with "
            "the list’s request id.",
            "See the data’s health",
            "health",
        )


def _mending(situation: Situation) -> Iterator[Advice]:
    if situation.out_of_stock:
        yield Advice(
            f"{formats.plural(situation.out_of_stock, 'time')} a sold out product was recommended",
            "That must not happen; most often the shop’s stock reaches the catalogue late.",
            "See which products",
            "products-out-of-stock",
        )
    total, vain = situation.searches.searches, situation.searches.without_results
    if total and vain / total > MANY_UNHEARD and situation.vain:
        texts = ", ".join(f"“{query.query}”" for query in situation.vain[:3])
        yield Advice(
            f"{formats.percent(vain / total)} of searches find nothing",
            f"Most often {texts}. Add such products, or their words to titles and descriptions.",
            "See the searches",
            "search",
        )
    ignored = [one for one in situation.ignored if one.impressions >= LEAST_TRIALS]
    if ignored:
        yield Advice(
            f"{formats.plural(len(ignored), 'product')} seen often, never clicked",
            f"“{ignored[0].title}” was seen {ignored[0].impressions:,} times. Look at picture, price and title, or "
            "bury it by a rule.",
            "See the products",
            "products-ignored",
        )


def _improving(situation: Situation) -> Iterator[Advice]:
    fallback = situation.figures.fallback_rate.value
    if fallback is not None and fallback > MUCH_FALLBACK:
        yield Advice(
            f"{formats.percent(fallback)} of lists show only what is popular",
            "Nothing was known of who asked. Send session_id with every call, and user_id as soon as somebody "
            "signs in.",
            "See where",
            "recommendations",
        )
    if not situation.tuned:
        yield Advice(
            "Tune the engine to this shop",
            "The default mix of signals answers. “manage.py tune” measures on this shop’s own past which mix foretells "
            "purchases best, and adopts it if it is better.",
            "See the versions",
            "versions",
        )
    if not situation.running_experiments:
        yield Advice(
            "Measure what recommendations cause",
            "No experiment is running. Split the shoppers of one placement between two ways to answer, and see which "
            "earns more.",
            "Define an experiment",
            "experiments",
        )
