"""An event before it is stored: the contract between whoever brings events and `record_interactions`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NewInteraction:
    """One valid event. `occurred_at` is aware; an empty text means "not said", as in the table."""

    interaction_type: str
    occurred_at: datetime
    user_id: str | None = None
    session_id: str | None = None
    product_id: str | None = None
    event_id: str | None = None
    quantity: int | None = None
    unit_price: Decimal | None = None
    currency: str = ""
    order_id: str | None = None
    recommendation_context: str = ""
    recommendation_position: int | None = None
    recommendation_request_id: UUID | None = None
    search_query: str = ""
    extra_data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewRefund:
    """One valid refund. `lines` maps product ids to quantities, 0 meaning all; none: the whole order came back."""

    order_id: str
    refund_id: str
    lines: Mapping[str, int]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an event: the API's `{"code", "detail", "attr"}`."""

    code: str
    detail: str
    attr: str | None

    def below(self, path: str) -> "Problem":
        """Return the same problem with `path` before its attribute, as in `interactions.3.product_id`."""
        return Problem(self.code, self.detail, f"{path}.{self.attr}" if self.attr else path)

    def as_json(self) -> dict[str, str | None]:
        """Return what the API answers."""
        return {"code": self.code, "detail": self.detail, "attr": self.attr}


class RefusedError(Exception):
    """An event breaks the contract; `problems` (one at least) says how."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.attr or 'event'}: {problem.detail}" for problem in problems))
        self.problems = problems
