"""What is kept of those who are shown lists: their taste, and what they were shown."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from pgvector.django import VectorField

from catalog.models import EMBEDDING_DIMENSIONS


class Taste(models.Model):
    """What is learned of one person: decayed sums at `as_of`; they compose, so an event only adds to them."""

    subject = models.CharField(max_length=130, primary_key=True, help_text="“u:” + user id, or “s:” + session id.")
    as_of = models.DateTimeField(help_text="The moment to which the sums are decayed.")
    vector = VectorField(dimensions=EMBEDDING_DIMENSIONS, help_text="Σ weight × decay × embedding.")
    weight = models.FloatField(help_text="Σ |weight| × decay, of the same events.")
    categories = models.JSONField(default=dict, help_text="Category path → Σ weight × decay.")
    events = models.IntegerField(default=0)

    class Meta:
        db_table = "tastes"

    def __str__(self) -> str:
        return f"Taste of {self.subject}"


class ServedList(models.Model):
    """One list as it was answered: who got what, where, at which position, from which model."""

    request_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    served_at = models.DateTimeField()
    placement = models.CharField(max_length=32, help_text="homepage, product, cart, bought_together, search or email.")
    context = models.CharField(max_length=16)
    strategy = models.CharField(max_length=16)
    user_id = models.CharField(max_length=128, blank=True)
    session_id = models.CharField(max_length=128, blank=True)
    anchors = ArrayField(models.CharField(max_length=128), default=list, help_text="The product or cart asked about.")
    products = ArrayField(models.CharField(max_length=128), help_text="The shop's ids, by position.")
    scores = ArrayField(models.FloatField())
    model_version = models.IntegerField(null=True)
    variant = models.CharField(max_length=64, blank=True, help_text="“experiment:variant”, where there was one.")
    campaign = models.CharField(max_length=64, blank=True, db_default="", help_text="The e-mail campaign's name.")
    asked_for = models.PositiveSmallIntegerField(null=True, help_text="How many products the caller wanted at most.")
    milliseconds = models.FloatField()

    class Meta:
        db_table = "served_lists"
        indexes = [
            # Read by top-recommended and the dashboards: a period.
            models.Index(fields=["served_at"], name="served_list_served_at"),
            # Read by export, erasure and a shopper's page.
            models.Index(fields=["user_id", "-served_at"], name="served_list_user", condition=~Q(user_id="")),
            # Read by merging a session and by erasure.
            models.Index(fields=["session_id"], name="served_list_session", condition=~Q(session_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.placement} list {self.request_id}"
