"""What a training leaves: one whole version of every model."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Product


class ModelVersion(models.Model):
    """One whole training: readers see the version before it until `state` turns active, in one update."""

    class State(models.TextChoices):
        """Where a version stands."""

        TRAINING = "training"
        READY = "ready"
        ACTIVE = "active"
        RETIRED = "retired"
        FAILED = "failed"

    state = models.CharField(max_length=16, choices=State, default=State.TRAINING)
    as_of = models.DateTimeField(help_text="Nothing that happened at or after this moment was learned.")
    created_at = models.DateTimeField(db_default=Now())
    activated_at = models.DateTimeField(null=True, blank=True)
    settings = models.JSONField(default=dict, help_text="How each placement scores: models, weights, rescaling.")
    figures = models.JSONField(default=dict, help_text="Counts and durations of the training.")
    evidence = models.JSONField(default=dict, help_text="Why these settings: what tuning measured.")
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="model_version_one_active")
        ]

    def __str__(self) -> str:
        return f"Version {self.pk}"


class NeighbourList(models.Model):
    """The best neighbours of one product under one model, best first: parallel arrays of at most 100 entries."""

    class Kind(models.TextChoices):
        """What makes two products neighbours."""

        ITEM_TO_ITEM = "item_to_item", "Who did this also did that"
        TOGETHER = "together", "Bought in the same orders"
        CONTENT = "content", "Alike in text"
        EASE = "ease", "Foretold by what shoppers had"
        AUDIENCE = "audience", "Had by the same shoppers"
        AUDIENCE_RECENT = "audience_recent", "Had by the same shoppers lately"
        NEXT_ORDER = "next_order", "In the order after"
        ORDER_EASE_SIZED = "order_ease_sized", "Foretold by the rest of an order"
        ORDER_EASE_SOFT = "order_ease_soft", "The same, strongly regularised"
        ORDER_EASE_BOTH = "order_ease_both", "The same, of orders and shoppers"
        ORDER_EASE_ALIKE = "order_ease_alike", "The same, with texts alike"
        ORDER_EASE_NAMED = "order_ease_named", "The same, with texts, words and ids alike"
        CONFIDENCE = "confidence", "Share of orders, by order size"
        CONFIDENCE_SOFT = "confidence_soft", "Share of orders, by order size, softer"
        DAMPED = "damped", "Damped cosine of orders"
        FORECAST = "forecast", "What shoppers took in the weeks after"
        SEQUENCE = "sequence", "Dealt with next, in one visit"
        AUDIENCE_LONG = "audience_long", "Had by the same shoppers, over a year"
        AUDIENCE_SHORT = "audience_short", "Had by the same shoppers, over two months"

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="neighbour_lists")
    kind = models.CharField(max_length=16, choices=Kind)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    neighbours = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    supports = ArrayField(models.IntegerField(), help_text="How many shoppers or orders stand behind each.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "kind", "product"], name="neighbour_list_once")]

    def __str__(self) -> str:
        return f"{self.kind} neighbours of {self.product_id}"


class ShopperNeighbourhood(models.Model):
    """What shoppers similar to this one did, and this one did not: parallel arrays, best first."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="neighbourhoods")
    user_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, db_default="", help_text="Empty: the default blend's; else a signal's code.")
    products = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    supports = ArrayField(models.IntegerField(), help_text="How many similar shoppers stand behind each.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "user_id", "kind"], name="shopper_neighbourhood_once")
        ]

    def __str__(self) -> str:
        return f"Neighbourhood of {self.user_id}"


class ProductLevels(models.Model):
    """One number for each product, the same for everybody, as of its version: parallel arrays, ids ascending."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="levels")
    code = models.CharField(max_length=16, help_text="A signal's code, or “interval”: usual days between purchases.")
    products = ArrayField(models.BigIntegerField())
    values = ArrayField(models.FloatField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="product_levels_once")]

    def __str__(self) -> str:
        return f"{self.code} of version {self.version_id}"


class VisitIndex(models.Model):
    """The latest visits of a version, as a sparse matrix of visits by products, in little-endian arrays.

    `products` holds our ids (8 bytes each), `pointers` where each visit begins in `columns` (4 bytes), `columns` places
    in `products` (4 bytes), `fading` each visit's weight by its age (4 byte floats).
    """

    version = models.OneToOneField(ModelVersion, models.CASCADE, primary_key=True, related_name="visit_index")
    products = models.BinaryField()
    pointers = models.BinaryField()
    columns = models.BinaryField()
    fading = models.BinaryField()

    def __str__(self) -> str:
        return f"Visits of version {self.version_id}"


class ProductPopularity(models.Model):
    """Decayed, weighted counts of one product, as forward-decayed sums.

    `score` is Σ w·exp((t − LANDMARK)/τ) (Cormode et al. 2009, "Forward decay"): adding an event never touches the
    others, and dividing by exp((now − LANDMARK)/τ) gives the decayed count at any moment.
    """

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="popularity")
    score = models.FloatField(default=0)
    shoppers = models.IntegerField(default=0, help_text="Events counted, for the reason's text.")

    def __str__(self) -> str:
        return f"Popularity of {self.product_id}"
