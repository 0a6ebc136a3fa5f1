"""What is known of an address or a person under a keyed hash: it survives erasure, and alone leads to nobody."""

from django.db import models
from django.db.models.functions import Now


class ContactState(models.Model):
    """The row that the gate holds `FOR UPDATE`: whatever counts or changes what one address gets, waits for it."""

    address_hash = models.CharField(max_length=32, primary_key=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.address_hash


class Suppression(models.Model):
    """An address, or a user, that gets no mail any more, and why. It outlives the account."""

    class Reason(models.TextChoices):
        """In the order in which the gate names them."""

        UNSUBSCRIBE = "unsubscribe", "Unsubscribed from everything"
        HARD_BOUNCE = "hard_bounce", "The address does not exist"
        SOFT_BOUNCES = "soft_bounces", "Could not be delivered seven times in a row"
        COMPLAINT = "complaint", "Marked as spam"
        ERASED = "erased", "The person was erased"

    subject_hash = models.CharField(max_length=32, help_text="Keyed hash of the address or of the user's id.")
    reason = models.CharField(max_length=16, choices=Reason)
    created_at = models.DateTimeField(db_default=Now())
    message = models.UUIDField(null=True, blank=True, help_text="The message that led to it.")

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["subject_hash", "reason"], name="suppression_once")]

    def __str__(self) -> str:
        return f"{self.reason} {self.subject_hash[:8]}"


class TopicChoice(models.Model):
    """Whether an address, or a user, wants a topic; without a row they do."""

    subject_hash = models.CharField(max_length=32)
    topic = models.CharField(max_length=24)
    wanted = models.BooleanField()
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_hash", "topic"], name="topic_choice_once")]

    def __str__(self) -> str:
        return f"{self.topic}: {self.wanted}"
