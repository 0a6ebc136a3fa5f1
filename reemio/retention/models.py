"""What retention keeps of itself."""

from django.db import models


class Clearing(models.Model):
    """One kind of data: how much was cleared in all, when last, and how far a walk through the table has come."""

    kind = models.CharField(max_length=32, primary_key=True)
    cleared = models.BigIntegerField(default=0, help_text="Rows deleted, or emptied of what they said, in all.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When nothing was left to clear.")
    walked_id = models.BigIntegerField(default=0, editable=False)
    walked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["kind"]

    def __str__(self) -> str:
        return self.kind
