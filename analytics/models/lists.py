"""Roll-ups of what served lists did and earned."""

from django.db import models

from analytics.models.buckets import Rollup


class ByList(Rollup):
    """The dimensions of whatever a served list explains.

    `position` 0 holds what belongs to whole lists, or to an unknown position. `device` is known of impressions, clicks
    and conversions only. `variant` is “experiment:variant”. `campaign` names the e-mail campaign.
    """

    context = models.CharField(max_length=16, help_text="homepage, product_page, cart, email or search.")
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    variant = models.CharField(max_length=64)
    campaign = models.CharField(max_length=64)
    position = models.SmallIntegerField()
    device = models.CharField(max_length=16)

    class Meta:
        abstract = True


LIST_DIMENSIONS = ("context", "placement", "strategy", "variant", "campaign", "position", "device")


class RecommendationRollup(ByList):
    """What was served, seen and clicked, by list dimensions."""

    pk = models.CompositePrimaryKey("grain", "starts_at", *LIST_DIMENSIONS)
    lists = models.BigIntegerField(help_text="Lists served; at position 0.")
    empty_lists = models.BigIntegerField(help_text="Lists without any product; at position 0.")
    asked = models.BigIntegerField(help_text="Places asked for, of lists that know their limit; at position 0.")
    filled = models.BigIntegerField(help_text="Products in those lists; at position 0.")
    items = models.BigIntegerField(help_text="Products served, by position.")
    impressions = models.BigIntegerField()
    unique_impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()


class EarningsRollup(ByList):
    """What was earned, by the dimensions of the credited list and by currency, at the time of the purchase."""

    pk = models.CompositePrimaryKey("grain", "starts_at", *LIST_DIMENSIONS, "currency")
    currency = models.CharField(max_length=3)
    conversions = models.BigIntegerField()
    assisted_lines = models.BigIntegerField()
    direct_revenue = models.DecimalField(max_digits=24, decimal_places=2)
    assisted_revenue = models.DecimalField(max_digits=24, decimal_places=2)


class LatencyRollup(Rollup):
    """How many lists took how long: a histogram whose bucket `n` ends at 2^(n / 8) milliseconds."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "placement", "bucket")
    placement = models.CharField(max_length=32)
    bucket = models.SmallIntegerField()
    lists = models.BigIntegerField()
