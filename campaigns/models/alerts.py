"""“Notify me”: somebody asked to be told when a product is back."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Product


class StockAlert(models.Model):
    """One request by one person for one product; used up by one mail.

    A shopper is named by `user_id`; a visitor leaves an address, which is forgotten a month after the mail.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="stock_alerts")
    user_id = models.CharField(max_length=128, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    address_hash = models.CharField(max_length=32, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "user_id", "address_hash"],
                condition=Q(used_at__isnull=True),
                name="stock_alert_once_while_waiting",
            ),
            models.CheckConstraint(
                condition=(Q(user_id="") & ~Q(address_hash="")) | (~Q(user_id="") & Q(address_hash="")),
                name="stock_alert_has_one_person",
            ),
        ]
        indexes = [
            # Read by the planner and by erasure and export.
            models.Index(fields=["user_id"], name="stock_alert_user", condition=~Q(user_id="")),
            models.Index(fields=["address_hash"], name="stock_alert_address", condition=~Q(address_hash="")),
        ]

    def __str__(self) -> str:
        return f"Alert {self.pk}"
