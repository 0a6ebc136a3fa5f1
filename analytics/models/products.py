"""Roll-ups of what happened to products, whole and in detail."""

from django.db import models
from django.db.models import Q

from analytics.models.buckets import Rollup


class ProductRollup(Rollup):
    """What happened to one product (the shop's id; it need not be in the mirror)."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "product_id")
    product_id = models.CharField(max_length=128)
    views = models.BigIntegerField()
    cart_adds = models.BigIntegerField()
    recommended = models.BigIntegerField(help_text="Times it stood in a served list.")
    impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()
    mail_impressions = models.BigIntegerField(db_default=0, help_text="Of the impressions, those of e-mails.")
    mail_clicks = models.BigIntegerField(db_default=0, help_text="Of the clicks, those in e-mails.")
    out_of_stock = models.BigIntegerField(help_text="Times it was served while it could not be bought: must be 0.")

    class Meta:
        indexes = [
            # Read by the overview's alert, and by the ranking that shall be empty.
            models.Index(fields=["grain", "starts_at"], name="served_out_of_stock", condition=Q(out_of_stock__gt=0)),
        ]


class ProductDetailRollup(Rollup):
    """What a product's row of `ProductRollup` is made of; read where a page is narrowed, as it has many more rows.

    Events that no list explains have neither placement nor strategy; what was served knows no device.
    """

    pk = models.CompositePrimaryKey("grain", "starts_at", "placement", "strategy", "device", "product_id")
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    device = models.CharField(max_length=16)
    product_id = models.CharField(max_length=128)
    views = models.IntegerField()
    cart_adds = models.IntegerField()
    recommended = models.IntegerField()
    impressions = models.IntegerField()
    clicks = models.IntegerField()
    mail_impressions = models.IntegerField(db_default=0)
    mail_clicks = models.IntegerField(db_default=0)
    out_of_stock = models.IntegerField()


class SalesRollup(Rollup):
    """What was bought of one product in one currency, less what came back."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "product_id", "currency")
    product_id = models.CharField(max_length=128)
    currency = models.CharField(max_length=3)
    purchases = models.BigIntegerField(help_text="Order lines of which something was kept.")
    units = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=24, decimal_places=2)


class SalesDetailRollup(Rollup):
    """What a product's row of `SalesRollup` is made of, by device; and what of it lists are credited with directly.

    Purchases, units and revenue have neither placement nor strategy, and the device of the purchase; conversions and
    direct revenue have those of the credited list, and the device of the click.
    """

    pk = models.CompositePrimaryKey("grain", "starts_at", "placement", "strategy", "device", "product_id", "currency")
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    device = models.CharField(max_length=16)
    product_id = models.CharField(max_length=128)
    currency = models.CharField(max_length=3)
    purchases = models.BigIntegerField()
    units = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=24, decimal_places=2)
    conversions = models.BigIntegerField()
    direct_revenue = models.DecimalField(max_digits=24, decimal_places=2)
