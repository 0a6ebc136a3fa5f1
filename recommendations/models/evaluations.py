"""What evaluations measured."""

from django.db import models
from django.db.models.functions import Now


class Evaluation(models.Model):
    """One run of `manage.py evaluate`: what was measured, of which version, and all figures."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    as_of = models.DateTimeField(help_text="The lists knew nothing that happened at or after this moment.")
    # Versions are pruned; what was measured of them stays.
    model_version = models.IntegerField(help_text="The number of the model version that answered.")
    settings = models.JSONField(default=dict, help_text="How each placement scored.")
    seed = models.BigIntegerField()
    seconds = models.FloatField(help_text="How long the run took, training included.")
    results = models.JSONField(help_text="The report, as in its JSON file.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Evaluation {self.pk}"
