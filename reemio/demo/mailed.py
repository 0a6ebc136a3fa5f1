"""The mails of the last weeks, made up from what the crowd did: the same for a seed, and of nobody who is named.

Every Sunday a digest, and a reminder for some carts. Who bought something within three days of a mail had it in the
mail, most often, and followed the link; so campaigns earn what shoppers spent in truth. Scanners click, too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from reemio.demo.catalogue import DemoProduct
from reemio.demo.shopfloor import is_overlooked
from reemio.demo.visits import Event

NAIROBI = ZoneInfo("Africa/Nairobi")
SHOWN = 6
SENDING = time(10)
AGREED = 0.5  # of the crowd, to mails at all
REMINDED = 0.3  # of the carts that were left
SKIPPED = (("frequency_cap", 3), ("topic_off", 1), ("below_min_items", 2))
# What became of a hundred mails that left. B's subject is the better one.
BOUNCED, COMPLAINED, LEFT, SCANNED = 0.012, 0.0006, 0.004, 0.03
CLICKED = {"A": 0.03, "B": 0.05}
FOLLOWED = 0.02  # of those who went on to buy

Told = tuple[Literal["delivered", "bounced", "complained", "unsubscribed", "clicked"], datetime, str]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was planned and sent, or skipped for `reason`; what was told of it (with machines' flags)."""

    kind: Literal["weekly_digest", "cart_abandonment"]
    user_id: str
    occasion: str
    planned_at: datetime
    reason: str
    arm: str
    request_id: UUID
    product_ids: tuple[str, ...]
    told: tuple[Told, ...] = ()
    click: Event | None = None


def mails(events: Sequence[Event], products: Iterable[DemoProduct], *, now: datetime, days: int) -> list[Mail]:
    """Return the mails of `days` before yesterday; `events` are the crowd's, in order of time."""
    shelf = [
        product.product_id for product in products if product.is_sellable and not is_overlooked(product.product_id)
    ]
    by_user: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event["user_id"]:
            by_user[event["user_id"]].append(event)
    return [mail for user_id, theirs in by_user.items() for mail in _of_user(user_id, theirs, shelf, now, days)]


def _of_user(user_id: str, events: list[Event], shelf: list[str], now: datetime, days: int) -> Iterator[Mail]:
    random = Random(f"mails:{events[0]['event_id']}")  # noqa: S311  made-up shoppers need no cryptography
    if random.random() > AGREED:
        return
    first, last = events[0]["occurred_at"], now - timedelta(days=1)
    for sunday in _sundays(now, days):
        if first < sunday < last:
            yield _mail("weekly_digest", user_id, f"{sunday:%G-W%V}", sunday, events, shelf, random)
    for event in _left_carts(events):
        due = event["occurred_at"] + timedelta(hours=3)
        if now - timedelta(days=days) < due < last and random.random() < REMINDED:
            yield _mail("cart_abandonment", user_id, event["event_id"], due, events, shelf, random, event["product_id"])


def _sundays(now: datetime, days: int) -> Iterator[datetime]:
    today = now.astimezone(NAIROBI).date()
    for back in range(1, days):
        day = today - timedelta(days=back)
        if day.weekday() == 6:
            yield datetime.combine(day, SENDING, tzinfo=NAIROBI)


def _left_carts(events: list[Event]) -> Iterator[Event]:
    """Yield the last thing that was put into the cart in each visit that ended without a purchase."""
    visits: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        visits[event["session_id"]].append(event)
    for visit in visits.values():
        carted = [event for event in visit if event["interaction_type"] == "cart_add"]
        if carted and not any(event["interaction_type"] == "purchase" for event in visit):
            yield carted[-1]


def _mail(
    kind: Literal["weekly_digest", "cart_abandonment"],
    user_id: str,
    occasion: str,
    at: datetime,
    events: list[Event],
    shelf: list[str],
    random: Random,
    carted: str | None = None,
) -> Mail:
    at = at + timedelta(seconds=random.uniform(0, 900))
    arm, request_id = random.choice("AB"), UUID(int=random.getrandbits(128), version=4)
    reason = random.choices([name for name, _ in SKIPPED], [weight for _, weight in SKIPPED])[0]
    if random.random() < 0.12:
        return Mail(kind, user_id, occasion, at, reason, "", request_id, ())
    bought = _soon_bought(events, at)
    others = [one for one in random.sample(shelf, SHOWN + 2) if one not in (bought and bought["product_id"], carted)]
    follows = bought is not None and random.random() < FOLLOWED
    leading = bought["product_id"] if bought and follows else carted
    shown = tuple(one for one in (leading, *others) if one)[:SHOWN]
    if random.random() < BOUNCED:
        return Mail(kind, user_id, occasion, at, "", arm, request_id, shown, (("bounced", _later(at, 2, random), ""),))
    told: list[Told] = [("delivered", _later(at, 1, random), "")]
    click = None
    if follows or random.random() < CLICKED[arm]:
        before = bought["occurred_at"] - timedelta(minutes=20) if bought and follows else _later(at, 600, random)
        click = _click(user_id, shown[0], request_id, max(before, at + timedelta(minutes=3)))
        told.append(("clicked", click["occurred_at"], ""))
    if random.random() < SCANNED:
        told.append(("clicked", at + timedelta(seconds=2), "too_soon"))
    if random.random() < LEFT:
        told.append(("unsubscribed", _later(at, 600, random), ""))
    if random.random() < COMPLAINED:
        told.append(("complained", _later(at, 600, random), ""))
    return Mail(kind, user_id, occasion, at, "", arm, request_id, shown, tuple(told), click)


def _soon_bought(events: list[Event], at: datetime) -> Event | None:
    """Return the first purchase within three days of a moment."""
    for event in events:
        if event["interaction_type"] == "purchase" and at < event["occurred_at"] < at + timedelta(days=3):
            return event
    return None


def _later(at: datetime, minutes: float, random: Random) -> datetime:
    return at + timedelta(minutes=random.uniform(0.2, 1) * minutes)


def _click(user_id: str, product_id: str, request_id: UUID, at: datetime) -> Event:
    session = f"mail-{request_id}"
    return Event(
        interaction_type="recommendation_click",
        user_id=user_id,
        session_id=session,
        product_id=product_id,
        event_id=f"{session}-click",
        occurred_at=at,
        quantity=None,
        unit_price=None,
        currency=None,
        order_id=None,
        recommendation_context="email",
        recommendation_position=1,
        recommendation_request_id=request_id,
        search_query=None,
        extra_data={},
    )
