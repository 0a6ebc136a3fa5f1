"""The mailbox of an installation without a mail server: what was sent, as the SMTP server got it."""

from django.db import models
from django.db.models.functions import Now


class ReceivedMail(models.Model):
    """One mail that arrived at the local SMTP server. For looking at; nothing depends on it."""

    received_at = models.DateTimeField(db_default=Now())
    sender = models.CharField(max_length=320, blank=True)
    recipients = models.JSONField(default=list)
    subject = models.CharField(max_length=500, blank=True)
    size = models.PositiveIntegerField(default=0)
    raw = models.BinaryField()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "mail in the local mailbox"
        verbose_name_plural = "local mailbox"

    def __str__(self) -> str:
        return self.subject or "(no subject)"
