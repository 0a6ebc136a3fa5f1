"""Weights and placements changed by hand, with who changed what."""

from django.db import models
from django.db.models.functions import Now


class EventWeight(models.Model):
    """How much one kind of event says about a shopper's interest; the brief's table is the start."""

    interaction_type = models.CharField(max_length=24, primary_key=True)
    weight = models.FloatField()

    class Meta:
        ordering = ["-weight"]

    def __str__(self) -> str:
        return f"{self.interaction_type}: {self.weight}"


class PlacementOverride(models.Model):
    """What the admin decided about a placement, in place of what the model version that answers says."""

    placement = models.CharField(max_length=32, primary_key=True)
    settings = models.JSONField(default=dict, help_text="The fields of the placement's settings that are overruled.")

    def __str__(self) -> str:
        return f"Override of {self.placement}"


class SettingsChange(models.Model):
    """Who changed which setting of the engine, when, from what to what. Written with the change, never edited."""

    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.CharField(max_length=150, help_text="The user's name: it outlives the account.")
    subject = models.CharField(max_length=48, help_text="“event_weights”, or “placement:” and its name.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.subject} by {self.changed_by}"
