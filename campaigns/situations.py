"""Reads what the gate has to know, and judges: the whole gate in its order, content included, for one message."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.carts import cart_of
from campaigns.content import compose
from campaigns.content.cards import Composed
from campaigns.definitions import EXEMPT_FROM_ROLLING_CAPS, Kind, Priority
from campaigns.gate import Limits, Line, Standing, Timing, of_standing, of_substance, of_timing
from campaigns.identities import bucket
from campaigns.models import Campaign, OutboxMessage, Suppression, TopicChoice
from campaigns.recipients import Recipient
from catalog.models import Product

OUTBOX = OutboxMessage._meta.db_table
# Reached this person: by address, or by user where the address has changed since. Each branch reads an index.
MINE = f"""
SELECT id, campaign_id, occasion, handed_off_at, trigger FROM {OUTBOX} m
WHERE m.address_hash <> '' AND m.address_hash = %(address)s AND m.handed_off_at > %(since)s AND m.id <> %(id)s
    AND m.state IN ('handing_off', 'sent', 'unknown')
UNION
SELECT id, campaign_id, occasion, handed_off_at, trigger FROM {OUTBOX} m
WHERE %(user)s <> '' AND m.user_id = %(user)s AND m.handed_off_at > %(since)s AND m.id <> %(id)s
    AND m.state IN ('handing_off', 'sent', 'unknown')
"""  # noqa: S608  constants of this module
FACTS = f"""
WITH mine AS ({MINE})
SELECT
    (SELECT array_agg(DISTINCT reason) FROM {Suppression._meta.db_table} WHERE subject_hash = ANY(%(subjects)s)),
    EXISTS (SELECT FROM {TopicChoice._meta.db_table}
        WHERE subject_hash = ANY(%(subjects)s) AND topic = %(topic)s AND NOT wanted),
    (SELECT array_agg(handed_off_at) FROM mine WHERE handed_off_at > %(week)s),
    EXISTS (SELECT FROM mine WHERE campaign_id = %(campaign)s AND occasion = %(occasion)s),
    (SELECT max(handed_off_at) FROM mine WHERE campaign_id = %(campaign)s),
    (SELECT max(handed_off_at) FROM mine WHERE campaign_id = %(campaign)s AND trigger ->> 'product_id' = %(product)s),
    EXISTS (SELECT FROM {OUTBOX} m WHERE m.user_id = %(user)s AND m.user_id <> '' AND m.priority < %(priority)s
        AND m.state IN ('planned', 'claimed') AND NOT m.dry_run AND m.due_at <= %(now)s AND m.expires_at > %(now)s
        AND m.id <> %(id)s),
    EXISTS (SELECT FROM {OUTBOX} m WHERE m.alert_id = %(alert)s AND m.id <> %(id)s
        AND m.state IN ('handing_off', 'sent', 'unknown'))
"""  # noqa: S608  constants of this module
# The longest look back that any number of a campaign allows.
LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict's lines, and what the mail would show where the lines before it passed."""

    lines: tuple[Line, ...]
    composed: Composed | None

    @property
    def failure(self) -> Line | None:
        """Return the line that decides, or None where the mail may go out."""
        return next((line for line in self.lines if not line.passed), None)


@dataclass(frozen=True, slots=True)
class _Read:
    suppressions: frozenset[str]
    topic_off: bool
    reached: tuple[datetime, ...]
    same_occasion: bool
    last_of_campaign: datetime | None
    last_of_product: datetime | None
    higher_waits: bool
    alert_used: bool


def judge(
    message: OutboxMessage, campaign: Campaign, who: Recipient, *, now: datetime, whole: bool = False
) -> Judgement:
    """Judge a message; stop at the first line that fails, unless the `whole` verdict is wanted, as in a preview."""
    lines: list[Line] = []
    composed: list[Composed] = []
    for line in _lines(message, campaign, who, now, composed):
        lines.append(line)
        if not line.passed and not whole:
            break
    return Judgement(tuple(lines), composed[0] if composed else None)


def _lines(
    message: OutboxMessage, campaign: Campaign, who: Recipient, now: datetime, composed: list[Composed]
) -> Iterator[Line]:
    """Yield the lines in order, reading for each part only when it is reached."""
    read = _read(message, who, now)
    yield from of_standing(_standing(message, campaign, who, read, now))
    composed.append(compose(campaign, who, message.trigger, now=now))
    yield from of_substance(composed[0].substance)
    yield from of_timing(timing_of(message, campaign, who, read, now), now=now)


def _standing(message: OutboxMessage, campaign: Campaign, who: Recipient, read: _Read, now: datetime) -> Standing:
    sends = campaign.mode == Campaign.Mode.LIVE or (message.dry_run and campaign.mode == Campaign.Mode.DRY_RUN)
    happened = _happened_since(message, campaign, who, now)
    return Standing(
        sends=sends,
        has_email=bool(who.address),
        allowlisted=not who.address or who.allowlisted,
        suppressions=read.suppressions,
        consents=who.consents,
        asked_for=message.alert_id is not None,
        topic_wanted=not read.topic_off,
        **happened,
    )


def _happened_since(message: OutboxMessage, campaign: Campaign, who: Recipient, now: datetime) -> dict[str, bool]:
    """Say what the person did since the mail was set off: bought, emptied the cart, came back."""
    trigger = message.trigger
    if campaign.kind == Kind.CART_ABANDONMENT:
        cart = cart_of(who.user_id, now=now, days=campaign.numbers["cart_days"], since=_moment(trigger.get("added_at")))
        seen = _moment(trigger.get("last_activity"))
        back = seen is not None and cart.last_activity is not None and cart.last_activity > seen
        return {"purchased": cart.bought_since, "cart_empty": not cart.lines, "cart_active_again": back}
    if campaign.kind == Kind.BACK_IN_STOCK and who.user_id:
        return {"purchased": _bought(who.user_id, trigger)}
    return {}


def _bought(user_id: str, trigger: Mapping[str, Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM user_interactions WHERE user_id = %s AND product_id = %s "
            "AND interaction_type = 'purchase' AND occurred_at >= %s)",
            [user_id, trigger.get("product_id"), _moment(trigger.get("since"))],
        )
        return bool(cursor.fetchone()[0])


def timing_of(message: OutboxMessage, campaign: Campaign, who: Recipient, read: _Read, now: datetime) -> Timing:
    """Return what the last part of the gate goes by."""
    numbers = campaign.numbers
    share = numbers["holdout_percent"]
    return Timing(
        zone=who.zone,
        expires_at=message.expires_at,
        reached=read.reached,
        already_notified=read.same_occasion or read.alert_used,
        stock_gone=_stock_gone(message, campaign),
        cools_until=_cools_until(message, campaign, read),
        exempt_from_rolling=message.priority in EXEMPT_FROM_ROLLING_CAPS,
        higher_priority_waits=read.higher_waits,
        held_out=share > 0 and bucket(f"holdout:{campaign.kind}", who.person, of=100) < share,
        by_hand=message.by_hand,
        limits=limits_of(campaign),
    )


def limits_of(campaign: Campaign) -> Limits:
    """Return the numbers of a campaign that hold mails up."""
    return Limits(**{name: campaign.numbers[name] for name in Limits.__slots__})


def _stock_gone(message: OutboxMessage, campaign: Campaign) -> bool:
    if campaign.kind != Kind.BACK_IN_STOCK:
        return False
    return not Product.objects.available().filter(product_id=message.trigger.get("product_id", "")).exists()


def _cools_until(message: OutboxMessage, campaign: Campaign, read: _Read) -> datetime | None:
    """Return until when the person is left alone: after a cart reminder, or an unasked mail about this product."""
    last = None
    if campaign.kind == Kind.CART_ABANDONMENT:
        last = read.last_of_campaign
    elif message.priority == Priority.IMPLIED_STOCK:
        last = read.last_of_product
    return last + timedelta(days=campaign.numbers["cooldown_days"]) if last else None


def _read(message: OutboxMessage, who: Recipient, now: datetime) -> _Read:
    names: dict[str, Any] = {
        "subjects": [one for one in (who.address_hash, who.user_hash) if one],
        "address": who.address_hash,
        "user": who.user_id,
        "id": message.pk or 0,
        "campaign": message.campaign_id,
        "topic": message.campaign.kind,
        "occasion": message.occasion,
        "product": str(message.trigger.get("product_id", "")),
        "priority": message.priority,
        "alert": message.alert_id,
        "week": now - timedelta(days=7),
        "since": now - LONGEST,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(FACTS, names)
        row = cursor.fetchone()
    return _Read(frozenset(row[0] or ()), row[1], tuple(row[2] or ()), *row[3:])


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
