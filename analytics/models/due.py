"""Notes of what is yet to be counted; written by triggers, deleted by whoever counted it."""

from django.db import models


class TouchedPart(models.Model):
    """A note that something was written that happened within these five minutes: its buckets are due for a recount.

    Triggers write it in the transaction that wrote the events or lists, whoever that was; the recount deletes what it
    counted. One part may have many: adding a note never waits for another.
    """

    starts_at = models.DateTimeField(db_index=True)
    visit = models.UUIDField(null=True, help_text="A visit of that day that is no more what was counted.")

    class Meta:
        db_table = "touched_parts"

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"


class TouchedEvent(models.Model):
    """A note that a purchase or a click was written or changed, whose attribution is due. Written by triggers."""

    interaction_id = models.BigIntegerField()

    class Meta:
        db_table = "touched_events"

    def __str__(self) -> str:
        return f"Touched: {self.interaction_id}"


class TouchedMail(models.Model):
    """A note that a mail which was planned within these five minutes has changed, or that something was told of it."""

    starts_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "touched_mails"

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"
