"""The audit trail: one row for each change of something that people decide about. Only ever added to."""

from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One change, as the database saw it: `before` and `after` hold the columns that differ, secrets left out.

    Triggers write it, in the transaction of the change; a trigger refuses to change or delete it. Only retention may,
    see `retention.py`. Nothing of a shopper is in it.
    """

    class Action(models.TextChoices):
        """What was done to the row."""

        ADDED = "added"
        CHANGED = "changed"
        DELETED = "deleted"

    happened_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(
        max_length=150, blank=True, help_text="Who was signed in to the admin; empty: a command, a task or SQL."
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="By which the request is found in the logs.")
    kind = models.CharField(max_length=32, help_text="campaign, rule, experiment, API key, user, …")
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=8, choices=Action)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_entries"
        default_permissions = ("view",)
        ordering = ["-pk"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            # Read by the page: a period, a person in it, one thing's whole past; and by retention.
            models.Index(fields=["happened_at"], name="audit_entry_happened"),
            models.Index(fields=["actor", "happened_at"], name="audit_entry_actor"),
            models.Index(fields=["kind", "object_id"], name="audit_entry_object"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_name or self.object_id} {self.action} by {self.actor or 'no user'}"
