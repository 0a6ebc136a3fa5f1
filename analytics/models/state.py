"""Who may look at the dashboard, how far counting is, and what experiments have shown so far."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from recommendations.models import Experiment


class Dashboard(models.Model):
    """No table: the holder of the dashboard's permissions."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_analytics", "Can look at the analytics pages"),
            ("export_analytics", "Can download analytics as CSV"),
            ("view_personal_data", "Can look at single shoppers"),
            ("change_engine_settings", "Can change event weights, decay and placement settings"),
        ]

    def __str__(self) -> str:
        return "Dashboard"


class RollupState(models.Model):
    """How far the roll-ups are: one row."""

    id = models.SmallIntegerField(primary_key=True, db_default=1)
    time_zone = models.CharField(max_length=64, help_text="In which hours and days are cut.")
    as_of = models.DateTimeField(null=True, help_text="All that was stored up to this moment is counted.")
    seconds = models.FloatField(db_default=0.0, help_text="How long the last run took.")
    hours = models.IntegerField(db_default=0, help_text="In how many hours something was recounted.")
    attributed = models.IntegerField(db_default=0, help_text="How many purchases and clicks it attributed.")
    recounted_at = models.DateTimeField(null=True, help_text="When the last seven days were last recounted.")
    closed_before = models.DateTimeField(
        null=True, help_text="Days before are not counted any more: their raw rows are cleared away."
    )
    searches_closed_before = models.DateTimeField(null=True, help_text="The same, of the texts that were searched for.")

    class Meta:
        db_table = "rollup_state"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="rollup_state_is_one_row")]

    def __str__(self) -> str:
        return f"Data as of {self.as_of}"


class ExperimentResult(models.Model):
    """What one variant of an experiment has done so far, counted whole at `as_of`. Shoppers are the unit."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="results")
    variant = models.CharField(max_length=20)
    as_of = models.DateTimeField(db_default=Now())
    shoppers = models.BigIntegerField(help_text="People who were served a list of this variant.")
    clickers = models.BigIntegerField(help_text="Of those, who clicked one of its recommendations.")
    buyers = models.BigIntegerField(help_text="Of those, who bought anything after their first list.")
    lists = models.BigIntegerField()
    impressions = models.BigIntegerField()
    clicks = models.BigIntegerField()
    conversions = models.BigIntegerField(help_text="Order lines credited to its lists.")
    attributed_revenue = models.DecimalField(max_digits=24, decimal_places=2)
    revenue = models.DecimalField(max_digits=24, decimal_places=2, help_text="All they spent after their first list.")
    revenue_squares = models.DecimalField(max_digits=40, decimal_places=4, help_text="Σ (revenue of a shopper)².")
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "experiment_results"
        constraints = [models.UniqueConstraint(fields=["experiment", "variant"], name="experiment_result_once")]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.variant}"
