"""Merchandising rules."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Product
from recommendations.contracts import RuleAction
from recommendations.querysets import MerchandisingRuleQuerySet


class MerchandisingRule(models.Model):
    """What a merchant wants: some products pinned to a place, boosted, buried or hidden, somewhere, for some time."""

    class Place(models.TextChoices):
        """Where a rule can have a say."""

        HOMEPAGE = "homepage", "Homepage"
        PRODUCT = "product", "Product page: similar products"
        BOUGHT_TOGETHER = "bought_together", "Product page: bought together"
        CART = "cart", "Cart"
        SEARCH = "search", "Search"

    class Action(models.TextChoices):
        """What a rule does; how, is told in `rules.py`."""

        PIN = RuleAction.PIN.value, "Pin to a position"
        BOOST = RuleAction.BOOST.value, "Boost"
        BURY = RuleAction.BURY.value, "Bury"
        HIDE = RuleAction.HIDE.value, "Hide"

    name = models.CharField(max_length=120, help_text="For you and your colleagues; shoppers never see it.")
    enabled = models.BooleanField(default=True, help_text="Off: the rule is kept, and does nothing.")
    action = models.CharField(max_length=8, choices=Action)
    position = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="Pin only: the place of the first product, from 1. Several products take the places after it.",
    )  # fmt: skip
    factor = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(1.01), MaxValueValidator(10)],
        help_text="Boost only: what the score is multiplied by, from 1.01 to 10.",
    )  # fmt: skip
    products = models.ManyToManyField(
        Product, blank=True, related_name="+", help_text="These products. Type a title or the shop's id."
    )
    category = models.CharField(
        max_length=500, blank=True, help_text="This category and everything below it: “Sports > Running”."
    )
    brand = models.CharField(max_length=200, blank=True)
    min_price = models.DecimalField("price from", max_digits=12, decimal_places=2, null=True, blank=True)
    max_price = models.DecimalField("price to", max_digits=12, decimal_places=2, null=True, blank=True)
    min_stock = models.PositiveIntegerField("stock from", null=True, blank=True)
    max_stock = models.PositiveIntegerField("stock to", null=True, blank=True)
    placements = ArrayField(
        models.CharField(max_length=16, choices=Place), default=list, blank=True, help_text="None chosen: everywhere."
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Empty: from the moment it is saved.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is switched off.")
    priority = models.SmallIntegerField(
        default=0, help_text="Where several rules fit one product, the one with the highest priority decides."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = MerchandisingRuleQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="rule_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=~Q(action="pin") | Q(position__isnull=False), name="rule_pin_has_a_position"
            ),
            models.CheckConstraint(
                condition=~Q(action="boost") | Q(factor__isnull=False), name="rule_boost_has_a_factor"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def state_at(self, moment: datetime) -> str:
        """Return where the rule stands: "off", "ended", "scheduled" or "live"; as the queryset's `in_state` does."""
        if not self.enabled:
            return "off"
        if self.ends_at is not None and self.ends_at <= moment:
            return "ended"
        return "scheduled" if self.starts_at is not None and self.starts_at > moment else "live"


class RulesVersion(models.Model):
    """A number that a trigger raises in every transaction that writes a merchandising rule: readers compare it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"Rules version {self.version}"
