"""What the whole shop sold, whoever or whatever led there. Read from roll-ups."""

from decimal import Decimal

from django.db.models import Sum

from analytics.models import SalesRollup
from analytics.periods import Period, in_period


def revenue_in(period: Period, *, currency: str) -> Decimal:
    """Return the shop's revenue of a period in one currency, after refunds. One query."""
    rows = SalesRollup.objects.filter(in_period(period), currency=currency)
    return rows.aggregate(all=Sum("revenue"))["all"] or Decimal(0)
