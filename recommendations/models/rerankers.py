"""Cross-encoders that were trained here, and what they said of pairs."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Product


class Reranker(models.Model):
    """One cross-encoder that was trained on the shop's own pairs. Its weights lie in a folder; all else is here."""

    class State(models.TextChoices):
        """Where a cross-encoder stands."""

        TRAINING = "training"
        READY = "ready"
        ACTIVE = "active"
        RETIRED = "retired"
        FAILED = "failed"

    state = models.CharField(max_length=16, choices=State, default=State.TRAINING)
    as_of = models.DateTimeField(help_text="Nothing that happened at or after this moment was learned.")
    created_at = models.DateTimeField(db_default=Now())
    activated_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the weights; checked when loaded.")
    placements = models.JSONField(
        default=dict,
        help_text="By placement: “helps”, the model’s “share”, and the “fingerprint” of stage 2 as it was measured.",
    )
    figures = models.JSONField(default=dict, help_text="Counts and durations of the training.")
    evidence = models.JSONField(default=dict, help_text="By placement: what was measured, and what it says.")
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="reranker_one_active")
        ]

    def __str__(self) -> str:
        return f"Reranker {self.pk}"


class PairScores(models.Model):
    """What a cross-encoder says of the best candidates of one product: parallel arrays, computed beforehand."""

    reranker = models.ForeignKey(Reranker, models.CASCADE, related_name="pair_scores")
    relation = models.CharField(max_length=8, help_text="“next”: looked at or bought after; “together”: in one order.")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+", db_index=False)
    candidates = ArrayField(models.BigIntegerField())
    scores = ArrayField(models.FloatField())
    scored_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # Read by every product page that is reranked.
            models.UniqueConstraint(fields=["reranker", "relation", "product"], name="pair_scores_once")
        ]

    def __str__(self) -> str:
        return f"{self.relation} scores of {self.product_id}"
