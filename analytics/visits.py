"""The funnel: how far visits came, with and without a recommendation. Read from roll-ups."""

from dataclasses import dataclass

from django.db.models import Sum

from analytics.models import FunnelRollup, Grain
from analytics.periods import Period

STEPS = ("visits", "viewed", "saw", "clicked", "carted", "purchased")


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


def funnels(period: Period) -> dict[str, Funnel]:
    """Return the funnel of each segment (`FunnelRollup.Segment`: none, saw, clicked), all of them there. One query.

    The segments are disjoint: “saw” saw a recommendation and clicked none.
    """
    begin, end = period.bounds()
    rows = FunnelRollup.objects.filter(grain=Grain.DAY, starts_at__gte=begin, starts_at__lt=end).order_by()
    counts = rows.values_list("segment").annotate(**{f"n_{step}": Sum(step) for step in STEPS})
    found = {segment: Funnel(*numbers) for segment, *numbers in counts}
    return {segment: found.get(segment, Funnel()) for segment in FunnelRollup.Segment.values}
