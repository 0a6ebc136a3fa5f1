"""What recommendations are credited with."""

from django.db import models

from interactions.models import Interaction


class Conversion(models.Model):
    """One order line that a recommendation is credited with; `attribution.py` says when. At most one for each line.

    `units` and `revenue` are what is left after refunds; a line that came back whole has 0 of both, and is no
    conversion any more.
    """

    class Kind(models.TextChoices):
        """Whether the line's own product was clicked, or another one of its order."""

        DIRECT = "direct"
        ASSISTED = "assisted"

    # Events are never deleted, and written millions at a time: the ids need no constraint.
    purchase = models.OneToOneField(
        Interaction, models.CASCADE, primary_key=True, related_name="conversion", db_constraint=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    click = models.ForeignKey(Interaction, models.CASCADE, related_name="+", db_constraint=False)
    request_id = models.UUIDField(help_text="The served list that is credited.")
    product_id = models.CharField(max_length=128, help_text="What was bought.")
    clicked_at = models.DateTimeField()
    purchased_at = models.DateTimeField()
    units = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=24, decimal_places=2)
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "conversions"
        indexes = [
            # Read by the roll-ups and the shopper's page: a period.
            models.Index(fields=["purchased_at"], name="conversion_purchased_at"),
            # Read by e-mail figures and by the arrival of a list.
            models.Index(fields=["request_id"], name="conversion_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} conversion of {self.purchase_id}"
