"""What analytics keeps: conversions, roll-ups by time, what is yet to be counted; and who may look at it.

Every roll-up row stands for one bucket of time (`grain` and `starts_at`, cut in the shop's time zone) and one
combination of dimensions. A part has five minutes; rows of each coarser grain are sums of those of the finer one. Parts
and hours are kept for some days only (`rollups.ranges`). An empty text in a dimension means unknown, never all. What
each figure means stands in `definitions.py`; how it is counted in `rollups/`.
"""

from analytics.models.buckets import Grain, Rollup
from analytics.models.conversions import Conversion
from analytics.models.due import TouchedEvent, TouchedMail, TouchedPart
from analytics.models.lists import LIST_DIMENSIONS, EarningsRollup, LatencyRollup, RecommendationRollup
from analytics.models.mails import MailEarningsRollup, MailReasonRollup, MailRollup
from analytics.models.products import ProductDetailRollup, ProductRollup, SalesDetailRollup, SalesRollup
from analytics.models.searches import SearchClickDetailRollup, SearchClickRollup, SearchDetailRollup, SearchRollup
from analytics.models.state import Dashboard, ExperimentResult, RollupState
from analytics.models.visits import EventRollup, Visit, VisitRollup

__all__ = [
    "LIST_DIMENSIONS",
    "Conversion",
    "Dashboard",
    "EarningsRollup",
    "EventRollup",
    "ExperimentResult",
    "Grain",
    "LatencyRollup",
    "MailEarningsRollup",
    "MailReasonRollup",
    "MailRollup",
    "ProductDetailRollup",
    "ProductRollup",
    "RecommendationRollup",
    "Rollup",
    "RollupState",
    "SalesDetailRollup",
    "SalesRollup",
    "SearchClickDetailRollup",
    "SearchClickRollup",
    "SearchDetailRollup",
    "SearchRollup",
    "TouchedEvent",
    "TouchedMail",
    "TouchedPart",
    "Visit",
    "VisitRollup",
]
