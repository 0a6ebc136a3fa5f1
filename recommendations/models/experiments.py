"""Experiments, their variants, and who keeps which."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from recommendations.models.versions import ModelVersion


class Experiment(models.Model):
    """A comparison on one placement: a share of the shoppers is split among variants, by a hash of who they are."""

    class State(models.TextChoices):
        """Where an experiment stands."""

        DRAFT = "draft"
        RUNNING = "running"
        FINISHED = "finished"

    key = models.SlugField(max_length=40, unique=True, help_text="Names it in served lists and exports; never changes.")
    name = models.CharField(max_length=100)
    hypothesis = models.TextField(blank=True, help_text="What you expect, and why.")
    placement = models.CharField(max_length=32, help_text="homepage, product, cart or bought_together.")
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    share = models.PositiveSmallIntegerField(default=100, help_text="Percent of shoppers who take part.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["placement"], condition=Q(state="running"), name="experiment_one_running_per_placement"
            ),
            models.CheckConstraint(condition=Q(share__gte=1, share__lte=100), name="experiment_share_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return self.name


class ExperimentVariant(models.Model):
    """One way to answer within an experiment. The first (lowest id) is what the others are compared with."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="variants")
    name = models.SlugField(max_length=20)
    weight = models.PositiveSmallIntegerField(default=1, help_text="Its part of the experiment's shoppers.")
    settings = models.JSONField(
        default=dict, blank=True, help_text="Fields of the placement's settings that it overrules, such as “weights”."
    )
    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, help_text="Empty: the active version."
    )
    merchandising = models.BooleanField(default=True, help_text="Whether merchandising rules apply.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "name"], name="experiment_variant_once"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="experiment_variant_has_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.name}"


class KeptVariant(models.Model):
    """A user who keeps the variant of the session that was merged into them, against their own hash."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="+")
    user_id = models.CharField(max_length=128)
    variant = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "experiment"], name="kept_variant_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.variant}"
