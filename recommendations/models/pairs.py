"""Pairs of products that events since the last training made."""

from django.db import models


class FreshPair(models.Model):
    """What persons and orders came to have since a training began: two products both, or one (`other` is the same).

    Rows belong to the epoch of the version whose training began last before they were folded: a version and all
    later epochs together count everything once. Product 0 with itself counts orders.
    """

    product = models.BigIntegerField()
    epoch = models.BigIntegerField(help_text="The highest number of any version at the time; 0 before the first.")
    other = models.BigIntegerField()
    persons = models.IntegerField(default=0)
    orders = models.IntegerField(default=0)
    changed = models.BigIntegerField(help_text="The number of the folding that changed it last.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "epoch", "other"], name="fresh_pair_once")]
        # Read by processes that keep merged rows: what has changed since.
        indexes = [models.Index(fields=["changed"], name="fresh_pair_changed")]

    def __str__(self) -> str:
        return f"{self.product} with {self.other}"


class FreshPairsNumber(models.Model):
    """The number of the last folding that counted pairs."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"Folding {self.number}"
