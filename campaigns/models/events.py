"""What happened to a message after it left: told by the provider, or seen at our own links."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models.outbox import OutboxMessage


class MessageEvent(models.Model):
    """One event. `key` is unique, so that a repeat is ignored; `applied_at` is set once its consequences are drawn."""

    class Kind(models.TextChoices):
        """What happened."""

        DELIVERED = "delivered"
        BOUNCED = "bounced", "bounced for good"
        DEFERRED = "deferred", "bounced for now"
        REJECTED = "rejected", "refused by the provider"
        COMPLAINED = "complained", "marked as spam"
        UNSUBSCRIBED = "unsubscribed"
        CLICKED = "clicked"
        OPENED = "opened"

    message = models.ForeignKey(OutboxMessage, models.CASCADE, null=True, blank=True, related_name="events")
    message_ref = models.UUIDField(help_text="Our own id of the message, as the provider gave it back.")
    kind = models.CharField(max_length=12, choices=Kind)
    key = models.CharField(max_length=160, unique=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    link = models.SmallIntegerField(null=True, blank=True, help_text="Which link was followed.")
    machine = models.CharField(max_length=16, blank=True, db_default="", help_text="Why it was no person's doing.")
    detail = models.CharField(max_length=64, blank=True, db_default="")
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # Read by the task that applies events.
            models.Index(fields=["received_at"], name="message_event_fresh", condition=Q(applied_at__isnull=True)),
            # Read by figures and by the machine check.
            models.Index(fields=["message", "kind", "occurred_at"], name="message_event_message"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.occurred_at:%Y-%m-%d %H:%M}"
