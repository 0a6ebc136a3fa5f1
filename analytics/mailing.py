"""What became of the mails that were planned in a period, by campaign, run, arm, reason and day. Read from roll-ups."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Min, Sum

from analytics.definitions import Rate, rate
from analytics.models import MailEarningsRollup, MailReasonRollup, MailRollup
from analytics.performance import main_currency
from analytics.periods import Period
from reemio.database.reading import reading_connection

COUNTED = (
    "planned", "skipped", "sent", "unknown", "other", "would_send", "delivered", "bounced", "complained",
    "unsubscribed", "clicked", "clicks", "machine_clicks",
)  # fmt: skip

WAITING = """
SELECT (SELECT min(due_at) FROM campaigns_outboxmessage WHERE state = 'planned'),
    (SELECT count(*) FROM campaigns_outboxmessage WHERE state = 'unknown'),
    (SELECT array_agg(kind || ':' || mode ORDER BY id) FROM campaigns_campaign)
"""


@dataclass(frozen=True, slots=True)
class Mailed:
    """What became of one campaign's mails, or of one run or arm of it."""

    kind: str = ""
    run: str = ""
    arm: str = ""
    began: date | None = None
    planned: int = 0
    skipped: int = 0
    sent: int = 0
    unknown: int = 0
    other: int = 0
    would_send: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    clicked: int = 0
    clicks: int = 0
    machine_clicks: int = 0

    @property
    def waiting(self) -> int:
        """Return the mails of which nothing has become yet."""
        return self.planned - self.skipped - self.sent - self.unknown - self.other - self.would_send

    @property
    def click_rate(self) -> Rate:
        """Return the mails that a person clicked in / sent mails."""
        return rate(self.clicked, self.sent)

    @property
    def complaint_rate(self) -> Rate:
        """Return complaints / sent mails."""
        return rate(self.complained, self.sent)

    @property
    def machine_share(self) -> Rate:
        """Return clicks of machines / all clicks."""
        return rate(self.machine_clicks, self.clicks)


@dataclass(frozen=True, slots=True)
class Earned:
    """What mails have earned: orders with what was clicked in them, and the direct revenue in one currency."""

    orders: int = 0
    direct_revenue: Decimal = Decimal(0)
    assisted_revenue: Decimal = Decimal(0)
    currency: str = ""


Names = tuple[str, ...]


def earnings(period: Period) -> list[Mapping[str, Any]]:
    """Return what mails that were planned in the period have earned since, for `earned_by`. One query."""
    rows = MailEarningsRollup.objects.filter(day__range=(period.first, period.last)).order_by()
    sums = {"n_orders": Sum("orders"), "direct": Sum("direct_revenue"), "assisted": Sum("assisted_revenue")}
    return [*rows.values("kind", "run", "arm", "currency").annotate(**sums)]


def earned_by(rows: Sequence[Mapping[str, Any]], *by: str) -> Mapping[Names, Earned]:
    """Return what each group of mails has earned, by its names (of kind, run, arm), in the currency that earned most.

    A group that earned nothing is there, too.
    """
    revenue: dict[str, Decimal] = {}
    for row in rows:
        revenue[row["currency"]] = revenue.get(row["currency"], Decimal(0)) + row["direct"] + row["assisted"]
    currency = main_currency(revenue)
    found: dict[Names, Earned] = defaultdict(lambda: Earned(currency=currency))
    for row in rows:
        key = tuple(row[name] for name in by)
        so_far, is_told = found[key], row["currency"] == currency
        found[key] = Earned(
            so_far.orders + row["n_orders"],
            so_far.direct_revenue + (row["direct"] if is_told else 0),
            so_far.assisted_revenue + (row["assisted"] if is_told else 0),
            currency,
        )
    return found


def total(period: Period) -> Mailed:
    """Return all mails that were planned in the period together. One query."""
    return next(iter(_grouped(period)), Mailed())


def by_campaign(period: Period) -> list[Mailed]:
    """Return each campaign's mails that were planned in the period. One query."""
    return _grouped(period, "kind")


def by_run(period: Period, *, limit: int | None = None) -> list[Mailed]:
    """Return the mails of each run, the latest first; `began` is the day on which its first mail was planned."""
    found = _grouped(period, "kind", "run")
    return sorted(found, key=lambda one: (one.began or date.min, one.kind, one.run), reverse=True)[:limit]


def by_arm(period: Period) -> list[Mailed]:
    """Return the mails of each arm of the subjects' comparison. One query."""
    return [one for one in _grouped(period, "kind", "arm") if one.arm]


def _grouped(period: Period, *by: str) -> list[Mailed]:
    rows = MailRollup.objects.filter(day__range=(period.first, period.last)).order_by()
    sums = {f"n_{name}": Sum(name) for name in COUNTED}
    found = rows.values(*by).annotate(began=Min("day"), **sums) if by else [rows.aggregate(**sums)]
    return [_mailed(row, by) for row in sorted(found, key=lambda row: tuple(row[name] for name in by))]


def _mailed(row: dict[str, Any], by: Sequence[str]) -> Mailed:
    values: dict[str, Any] = {name: row[name] for name in by}
    values |= {name: row[f"n_{name}"] or 0 for name in COUNTED}
    return Mailed(began=row.get("began"), **values)


def skipped(period: Period) -> list[tuple[str, str, int]]:
    """Return (campaign, reason, messages) of what was not sent, the most frequent first. One query."""
    rows = MailReasonRollup.objects.filter(day__range=(period.first, period.last)).order_by()
    return list(rows.values_list("kind", "reason").annotate(n=Sum("messages")).order_by("-n", "kind", "reason"))


def sent_by_day(period: Period) -> dict[date, int]:
    """Return how many of the mails that were planned on each day of the shop were sent. One query."""
    rows = MailRollup.objects.filter(day__range=(period.first, period.last)).order_by()
    return dict(rows.values_list("day").annotate(n=Sum("sent")))


@dataclass(frozen=True, slots=True)
class Waiting:
    """The outbox at this moment: since when the oldest due row waits, rows of unknown fate, and campaigns' modes."""

    oldest_due: datetime | None
    unknown: int
    modes: dict[str, str]


def waiting() -> Waiting:
    """Return the state of the outbox. One query."""
    with reading_connection().cursor() as cursor:
        cursor.execute(WAITING)
        oldest, unknown, modes = cursor.fetchone()
    return Waiting(oldest, unknown, dict(one.split(":") for one in modes or []))
