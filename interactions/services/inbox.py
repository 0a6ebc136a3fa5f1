"""Taking in `public.events`: each row becomes an interaction exactly once, or is kept with the reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast, Now
from django.utils import timezone

from interactions.events import NewInteraction, NewRefund, RefusedError
from interactions.models import InboxEvent
from interactions.refunds import read_refund
from interactions.services.intake import count_intake
from interactions.services.record import record_interactions
from interactions.services.refund import refund_order
from interactions.validation import EXTRA_NUMBERS, read_interaction

logger = structlog.get_logger(__name__)
BATCH = 1000

_IDS = ("user_id", "session_id", "product_id", "event_id", "order_id")
_FIELDS = (
    *_IDS, "occurred_at", "quantity", "unit_price", "currency", "recommendation_context",
    "recommendation_position", "recommendation_request_id", "search_query", "extra_data",
)  # fmt: skip
# Rows of these types tell what came back of an order.
REFUNDS = ("order_cancelled", "order_refunded")
_EXTRA = (*EXTRA_NUMBERS, "device", "filters")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


_FIELD_OF = {spelling: name for name in _FIELDS for spelling in (name, _camel(name))}
_EXTRA_OF = {spelling: name for name in _EXTRA for spelling in (name, _snake(name))}


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of one batch of rows."""

    stored: int = 0
    duplicates: int = 0
    refused: int = 0

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return self.stored + self.duplicates + self.refused

    def __add__(self, other: "TakenIn") -> "TakenIn":
        """Return the sum of both."""
        return TakenIn(self.stored + other.stored, self.duplicates + other.duplicates, self.refused + other.refused)


def take_in_inbox() -> TakenIn:
    """Take in batch after batch until no unprocessed row is left that nobody else is taking in."""
    total = TakenIn()
    while (batch := take_in_batch()).rows:
        total += batch
    if total.rows:
        logger.info("inbox_taken_in", stored=total.stored, duplicates=total.duplicates, refused=total.refused)
    return total


def _refuse_unreadable() -> None:
    """Keep rows with a run of digits that Python refuses to read: one of them would fail its whole batch for ever."""
    unreadable = InboxEvent.objects.filter(processed_at=None).annotate(text=Cast("payload", TextField()))
    unreadable.filter(text__regex=r"[0-9]{250}([0-9]{250}){16}").update(
        processed_at=Now(), error="The payload holds a run of 4,250 digits or more."
    )


@transaction.atomic
def take_in_batch(*, limit: int = BATCH) -> TakenIn:
    """Take in up to `limit` of the oldest unprocessed rows; their events and their marks are one transaction."""
    _refuse_unreadable()
    rows = list(InboxEvent.objects.select_for_update(skip_locked=True).filter(processed_at=None).order_by("pk")[:limit])
    events: dict[int, NewInteraction] = {}
    refunds: dict[int, NewRefund] = {}
    reasons: dict[int, str] = {}
    for row in rows:
        try:
            if row.event_type.lower() in REFUNDS:
                refunds[row.pk] = read_inbox_refund(row, now=timezone.now())
            else:
                events[row.pk] = read_inbox_event(row, now=timezone.now())
        except RefusedError as refused:
            reasons[row.pk] = str(refused)
    duplicates = _record(events, reasons) + sum(not refund_order(refund) for refund in refunds.values())
    _mark(rows, reasons)
    count_intake("inbox", duplicates=duplicates, rejected=len(reasons))
    return TakenIn(len(events) + len(refunds) - duplicates, duplicates, len(reasons))


def read_inbox_event(row: InboxEvent, *, now: datetime) -> NewInteraction:
    """Return the event that a row describes; raise `RefusedError` where it breaks the contract."""
    if not isinstance(row.payload, dict):
        return read_interaction(row.payload, now=now)
    data: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in row.payload.items():
        if value is None:
            continue
        if name in _FIELD_OF:
            data.setdefault(_FIELD_OF[name], value)
        elif name in _EXTRA_OF:
            extra.setdefault(_EXTRA_OF[name], value)
    for name in _IDS:
        # A shop's SQL builds payloads from its own columns, and many shops count their ids.
        if isinstance(data.get(name), int) and not isinstance(data[name], bool):
            data[name] = str(data[name])
    if extra and isinstance(data.get("extra_data", {}), dict):
        data["extra_data"] = extra | data.get("extra_data", {})
    data["interaction_type"] = row.event_type
    data.setdefault("occurred_at", row.created_at.astimezone(UTC).isoformat())
    event = read_interaction(data, now=now)
    return event if event.event_id else replace(event, event_id=f"inbox:{row.pk}")


def read_inbox_refund(row: InboxEvent, *, now: datetime) -> NewRefund:
    """Return the refund that a row describes; raise `RefusedError` where it breaks the contract.

    A refund of some lines without an id is told apart by its row's. What is named `lines` in a cancellation counts.
    """
    payload = row.payload if isinstance(row.payload, dict) else {}
    data = {_snake(name): value for name, value in payload.items() if value is not None}
    for name in ("order_id", "refund_id"):
        if isinstance(data.get(name), int) and not isinstance(data[name], bool):
            data[name] = str(data[name])
    if isinstance(data.get("lines"), list):
        data["lines"] = [_inbox_line(line) for line in data["lines"]]
        data.setdefault("refund_id", f"inbox:{row.pk}")
    data.setdefault("occurred_at", row.created_at.astimezone(UTC).isoformat())
    return read_refund(data, order_id=data.get("order_id"), now=now)


def _inbox_line(line: Any) -> Any:
    if not isinstance(line, dict):
        return line
    read = {_snake(name): value for name, value in line.items()}
    if isinstance(read.get("product_id"), int) and not isinstance(read["product_id"], bool):
        read["product_id"] = str(read["product_id"])
    return read


def _record(events: dict[int, NewInteraction], reasons: dict[int, str]) -> int:
    """Store `events`; return how many were duplicates, and move to `reasons` what the database would not take."""
    try:
        with transaction.atomic():
            return sum(recorded.duplicate for recorded in record_interactions(list(events.values())))
    except (DataError, IntegrityError):
        logger.exception("inbox_batch_failed", rows=len(events))
        return _record_singly(events, reasons)


def _record_singly(events: dict[int, NewInteraction], reasons: dict[int, str]) -> int:
    """Keep one row that the database refuses from holding up all others for ever."""
    duplicates = 0
    for pk, event in list(events.items()):
        try:
            with transaction.atomic():
                duplicates += record_interactions([event])[0].duplicate
        except (DataError, IntegrityError) as error:
            del events[pk]
            reasons[pk] = f"The database refused it: {error}"
    return duplicates


def _mark(rows: Sequence[InboxEvent], reasons: dict[int, str]) -> None:
    """Set `processed_at` of all rows, and `error` of those that were refused, in one statement."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE events SET processed_at = now(), error = reason.error
            FROM unnest(%s::bigint[], %s::text[]) AS reason (id, error) WHERE events.id = reason.id
            """,
            [[row.pk for row in rows], [reasons.get(row.pk) for row in rows]],
        )


def try_again(rows: "QuerySet[InboxEvent]") -> int:
    """Make refused rows unprocessed again; return how many there were. The next tick takes them in."""
    return rows.exclude(error=None).update(processed_at=None, error=None)
