"""Narrowing: only lists of one placement or strategy, only one device; and how a query of detail rows says so."""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.periods import Period
from interactions.validation import DEVICES
from recommendations.contracts import Placement, Strategy

PLACEMENTS = (*(placement.value for placement in Placement), "search", "email")
STRATEGIES = tuple(strategy.value for strategy in Strategy)
# The details' index begins with grain and bucket and goes on in this order, up to what is counted: all values of what
# is left open are spelled out, and weeks and days are read one after the other.
_NARROWED = """(
    SELECT * FROM {table} WHERE grain = 'week' AND starts_at = ANY(%(weeks)s) AND placement = ANY(%(placements)s)
        AND strategy = ANY(%(strategies)s) AND device = ANY(%(devices)s)
    UNION ALL
    SELECT * FROM {table} WHERE grain = 'day' AND starts_at = ANY(%(days)s) AND placement = ANY(%(placements)s)
        AND strategy = ANY(%(strategies)s) AND device = ANY(%(devices)s)
) AS {table}"""


def narrowed(table: str) -> str:
    """Return what stands for a table of details in a query, narrowed by the parameters of a `Narrowing`."""
    return _NARROWED.format(table=table)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Only what lists of this placement and strategy did, only on this device; an empty text leaves one open."""

    placement: str = ""
    strategy: str = ""
    device: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether everything is meant."""
        return self == EVERYTHING

    @property
    def is_of_lists(self) -> bool:
        """Tell whether only certain lists are meant: views and purchases belong to none."""
        return bool(self.placement or self.strategy)

    def parameters(self, period: Period) -> Mapping[str, object]:
        """Return the parameters of what `narrowed` returns."""
        return {
            **period.buckets(),
            "placements": [self.placement] if self.placement else ["", *PLACEMENTS],
            "strategies": [self.strategy] if self.strategy else ["", *STRATEGIES],
            "devices": [self.device] if self.device else ["", *DEVICES],
        }


EVERYTHING = Narrowing()
