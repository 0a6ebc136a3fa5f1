"""The filter bar: what the address asks for, and what is looked at instead where it cannot be understood."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode

from analytics.narrowing import Narrowing
from analytics.periods import MOST_DAYS, Period, last_days
from interactions.models import InteractionType
from recommendations.contracts import Placement, Strategy

PRESETS = (7, 28, 90)
USUAL_DAYS = 28
PLACEMENTS: Mapping[str, str] = {
    Placement.HOMEPAGE.value: "Homepage",
    Placement.PRODUCT.value: "Product page",
    Placement.CART.value: "Cart",
    Placement.BOUGHT_TOGETHER.value: "Bought together",
    "search": "Search",
    "email": "E-mail",
}
STRATEGIES: Mapping[str, str] = {
    Strategy.PERSONALIZED.value: "Personalised",
    Strategy.SESSION.value: "This visit",
    Strategy.POPULAR.value: "Popular (fallback)",
    Strategy.SIMILAR.value: "Similar products",
    Strategy.CART.value: "Fits the cart",
    Strategy.BOUGHT_TOGETHER.value: "Bought together",
    Strategy.SEARCH.value: "Search",
}
DEVICES: Mapping[str, str] = {"desktop": "Desktop", "mobile": "Phone", "tablet": "Tablet"}
EVENTS: Mapping[str, str] = {
    InteractionType.PURCHASE.value: "Bought",
    InteractionType.CART_ADD.value: "Put in the cart",
    InteractionType.WISHLIST_ADD.value: "Put on the wish list",
    InteractionType.RECOMMENDATION_CLICK.value: "Clicked in a list",
    InteractionType.VIEW.value: "Viewed",
    InteractionType.RECOMMENDATION_VIEW.value: "Seen in a list",
    InteractionType.CART_REMOVE.value: "Taken out of the cart",
    InteractionType.SEARCH.value: "Searched",
}
CHOICES: Mapping[str, Mapping[str, str]] = {"placement": PLACEMENTS, "strategy": STRATEGIES, "device": DEVICES}
COMPARE = ("before", "none")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page looks at. `complaints` are sentences about parts of the address that were passed over."""

    period: Period
    compare: bool = True
    placement: str = ""
    strategy: str = ""
    device: str = ""
    complaints: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Return the number of days looked at."""
        return (self.period.last - self.period.first).days + 1

    @property
    def before(self) -> Period:
        """Return the period of the same length that ends where this one begins."""
        last = self.period.first - timedelta(days=1)
        return Period(last - timedelta(days=self.days - 1), last)

    @property
    def preset(self) -> int | None:
        """Return the number of days where they are the last ones, and are offered as such."""
        return self.days if self.days in PRESETS and self.period == last_days(self.days) else None

    @property
    def narrowed(self) -> dict[str, str]:
        """Return the filters that are set, besides the period."""
        chosen = {"placement": self.placement, "strategy": self.strategy, "device": self.device}
        return {name: value for name, value in chosen.items() if value}

    @property
    def narrowing(self) -> Narrowing:
        """Return the filters besides the period, for what is read from details."""
        return Narrowing(self.placement, self.strategy, self.device)

    def query(self, **changes: str) -> str:
        """Return the address' query with these changes; an empty value takes a parameter out."""
        return urlencode({name: value for name, value in {**self.asked, **changes}.items() if value})

    def __str__(self) -> str:
        if self.preset:
            return f"the last {self.preset} days"
        return f"{self.period.first:%d %b %Y} to {self.period.last:%d %b %Y}"


def parse(parameters: Mapping[str, str], *, narrowing: Iterable[str] = tuple(CHOICES)) -> Filters:
    """Return what was asked for; wrong parts fall back, each with a sentence."""
    complaints: list[str] = []
    period = _period(parameters, complaints)
    chosen = {name: _choice(name, parameters.get(name, ""), complaints) for name in narrowing}
    compare = parameters.get("compare") or COMPARE[0]
    if compare not in COMPARE:
        complaints.append("“compare” is “before” or “none”; the period before is shown.")
    asked = {name: value for name, value in parameters.items() if value}
    return Filters(period, compare != "none", complaints=tuple(complaints), asked=asked, **chosen)


def _period(parameters: Mapping[str, str], complaints: list[str]) -> Period:
    """Return the asked period: two dates, or a number of days up to today."""
    if parameters.get("from") or parameters.get("to"):
        between = _between(parameters.get("from", ""), parameters.get("to", ""))
        if isinstance(between, Period):
            return between
        complaints.append(f"{between} The last {USUAL_DAYS} days are shown.")
        return last_days(USUAL_DAYS)
    days = parameters.get("days") or str(USUAL_DAYS)
    if days not in {str(preset) for preset in PRESETS}:
        complaints.append(f"A period has 7, 28 or 90 days, or two dates. The last {USUAL_DAYS} days are shown.")
        return last_days(USUAL_DAYS)
    return last_days(int(days))


def _between(first: str, last: str) -> Period | str:
    """Return the period between two dates, or what is wrong with them."""
    today = last_days(1).last
    begin, end = _date(first), _date(last) if last else today
    if begin is None or end is None:
        return "A period has two dates, written like 2026-11-24."
    if begin > end:
        return "That period ends before it begins."
    if begin > today:
        return "That period has not begun yet."
    if (end - begin).days >= MOST_DAYS:
        return f"A period has at most {MOST_DAYS} days."
    return Period(begin, end)


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 9000 else None


def _choice(name: str, value: str, complaints: list[str]) -> str:
    if value and value not in CHOICES[name]:
        complaints.append(f"There is no {name} of that name; all are shown.")
        return ""
    return value
