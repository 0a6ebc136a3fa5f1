"""What Prometheus is told of the business: the shop's day so far, as it is counted in the roll-ups."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db.models import Sum

from analytics.models import EarningsRollup, Grain, MailRollup, RecommendationRollup, SalesRollup
from analytics.periods import last_days

MAILS = ("sent", "skipped", "delivered", "bounced", "complained", "unsubscribed", "clicked")


def _today() -> tuple[date, datetime]:
    period = last_days(1)
    return period.first, period.bounds()[0]


def recommendations_today() -> Mapping[str, float]:
    """Return how many recommendations were seen and clicked, and how many lines they are credited with."""
    begin = _today()[1]
    shown = RecommendationRollup.objects.filter(grain=Grain.DAY, starts_at=begin)
    counts = shown.aggregate(impressions=Sum("impressions"), clicks=Sum("clicks"))
    earned = EarningsRollup.objects.filter(grain=Grain.DAY, starts_at=begin)
    counts |= earned.aggregate(conversions=Sum("conversions"))
    return {name: float(count or 0) for name, count in counts.items()}


def revenue_today() -> Mapping[str, float]:
    """Return the shop's revenue, by currency."""
    rows = SalesRollup.objects.filter(grain=Grain.DAY, starts_at=_today()[1]).order_by().values_list("currency")
    return {currency: float(total) for currency, total in rows.annotate(total=Sum("revenue"))}


def attributed_revenue_today() -> Mapping[str, float]:
    """Return what of it recommendations are credited with directly, by currency."""
    rows = EarningsRollup.objects.filter(grain=Grain.DAY, starts_at=_today()[1]).order_by().values_list("currency")
    return {currency: float(total) for currency, total in rows.annotate(total=Sum("direct_revenue"))}


def mails_today() -> Mapping[str, float]:
    """Return what became of the mails that were planned today."""
    rows = MailRollup.objects.filter(day=_today()[0])
    sums = rows.aggregate(**{name: Sum(name) for name in MAILS})
    return {name: float(sums[name] or 0) for name in MAILS}
