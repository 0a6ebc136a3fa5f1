"""The funnel: how far visits came, with and without a recommendation. Read from roll-ups."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum

from analytics.models import Grain, VisitRollup
from analytics.periods import Period

STEPS = ("visits", "viewed", "saw", "clicked", "carted", "purchased")
Segment = VisitRollup.Segment


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many visits did each thing at least once. The steps need not have been taken in this order.

    A visit is a session on one day of the shop; events without a session are one visit of their person a day.
    """

    visits: int = 0
    viewed: int = 0
    saw: int = 0
    clicked: int = 0
    carted: int = 0
    purchased: int = 0


def funnels(period: Period, *, placement: str = "", strategy: str = "", device: str = "") -> dict[str, Funnel]:
    """Return the funnel of each segment (none, saw, clicked), all of them there. One query.

    The segments are disjoint: “saw” saw a recommendation and clicked none. With a placement or a strategy, only lists
    of that kind count: whoever met others only is in the segment “none”.
    """
    begin, end = period.bounds()
    rows = VisitRollup.objects.filter(grain=Grain.DAY, starts_at__gte=begin, starts_at__lt=end).order_by()
    if device:
        rows = rows.filter(device=device)
    sums = {f"n_{step}": Sum(step) for step in STEPS}
    counted = rows.values_list("placement", "strategy", "segment").annotate(**sums)
    wanted = {("", ""), (placement, strategy)}
    found = {(of, by, segment): Funnel(*numbers) for of, by, segment, *numbers in counted if (of, by) in wanted}
    every = [found.get(("", "", segment), Funnel()) for segment in Segment.values]
    met = {segment: found.get((placement, strategy, segment), Funnel()) for segment in Segment.values}
    if placement or strategy:
        met[Segment.NONE.value] = _without(total(every), met.values())
    return met


def total(found: Iterable[Funnel]) -> Funnel:
    """Return the visits of several segments together."""
    several = list(found)
    return Funnel(*(sum(getattr(one, step) for one in several) for step in STEPS))


def _without(every: Funnel, some: Iterable[Funnel]) -> Funnel:
    """Return the visits that are in none of some segments; they met no such list."""
    gone = total(some)
    rest = {step: getattr(every, step) - getattr(gone, step) for step in STEPS}
    return Funnel(**rest | {"saw": 0, "clicked": 0})
