"""One row per kind of background task."""

from django.db import models


class TaskPulse(models.Model):
    """How often a task has run and failed, and how its last run went. Written by every worker, read by every scrape."""

    task = models.CharField(max_length=200, primary_key=True)
    runs = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text="All runs together.")
    last_ended_at = models.DateTimeField()
    last_succeeded_at = models.DateTimeField(null=True, blank=True)
    last_seconds = models.FloatField(default=0.0)
    last_error = models.CharField(max_length=200, blank=True, help_text="The kind of the last failure, never its text.")

    class Meta:
        ordering = ["task"]
        verbose_name = "background task"

    def __str__(self) -> str:
        return self.task
