"""What the whole shop sold, whoever or whatever led there. Read from roll-ups."""

from decimal import Decimal

from django.db.models import Sum

from analytics.models import Grain, SalesRollup
from analytics.periods import Period


def revenue_in(period: Period, *, currency: str) -> Decimal:
    """Return the shop's revenue of a period in one currency, after refunds. One query."""
    begin, end = period.bounds()
    rows = SalesRollup.objects.filter(grain=Grain.DAY, starts_at__gte=begin, starts_at__lt=end, currency=currency)
    return rows.aggregate(all=Sum("revenue"))["all"] or Decimal(0)
