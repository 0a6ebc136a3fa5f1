"""The outbox: one row per occasion and person, from the plan to its end."""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models.alerts import StockAlert
from campaigns.models.campaign import Campaign


class OutboxMessage(models.Model):
    """One mail to one person on one occasion, or the reason why there was none.

    `dedupe_key` is unique: however many planners run, an occasion makes one row. A row whose intent to hand it to the
    provider was committed is never tried again by a machine.
    """

    class State(models.TextChoices):
        """Where a message stands; docs/campaigns.md has the picture."""

        PLANNED = "planned"
        CLAIMED = "claimed"
        HANDING_OFF = "handing_off"
        SENT = "sent"
        UNKNOWN = "unknown", "unknown: perhaps sent"
        SKIPPED = "skipped"
        FAILED = "failed"
        EXPIRED = "expired"
        CANCELLED = "cancelled"
        WOULD_SEND = "would_send", "would have been sent (dry run)"

    # Has, or may have, reached the person: these count for caps, cool-downs and "once".
    REACHED = (State.HANDING_OFF, State.SENT, State.UNKNOWN)
    WAITING = (State.PLANNED, State.CLAIMED)

    public_id = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="messages")
    user_id = models.CharField(max_length=128, blank=True, help_text="Empty: asked for by address, see the alert.")
    alert = models.ForeignKey(StockAlert, models.SET_NULL, null=True, blank=True, related_name="messages")
    occasion = models.CharField(max_length=300)
    dedupe_key = models.CharField(max_length=600, unique=True)
    trigger = models.JSONField(default=dict, blank=True, help_text="What set it off, as the planner saw it.")
    priority = models.SmallIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    reason = models.CharField(max_length=32, blank=True, help_text="Why it was not sent.")
    detail = models.CharField(max_length=300, blank=True)
    dry_run = models.BooleanField(default=False, db_default=False)
    by_hand = models.BooleanField(
        default=False, db_default=False, help_text="A person asked for it: quiet hours and caps do not hold it up."
    )
    planned_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    claim_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    address_hash = models.CharField(max_length=32, blank=True, db_default="", editable=False)
    arm = models.CharField(max_length=1, blank=True, db_default="", help_text="Which subject: A or B.")
    content = models.JSONField(default=dict, db_default={}, blank=True, help_text="Products, prices, links, as shown.")
    request_id = models.UUIDField(null=True, blank=True, help_text="The recommendation request of its list.")
    provider_id = models.CharField(max_length=300, blank=True, db_default="", help_text="The provider's own id.")
    handed_off_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [("resend_outboxmessage", "Can send a message again whose fate is unknown")]
        constraints = [
            models.CheckConstraint(condition=~Q(state="skipped", reason=""), name="outbox_skipped_has_a_reason"),
            models.CheckConstraint(
                condition=~Q(state__in=["claimed", "handing_off"])
                | Q(claim_token__isnull=False, lease_until__isnull=False),
                name="outbox_claim_has_token_and_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["handing_off", "sent", "unknown"]) | Q(handed_off_at__isnull=False),
                name="outbox_handed_off_has_its_moment",
            ),
            models.CheckConstraint(condition=~Q(user_id="", alert=None, finished_at=None), name="outbox_has_a_person"),
        ]
        indexes = [
            # Read by the sender: what is due, the most urgent first.
            models.Index(fields=["priority", "due_at"], name="outbox_due", condition=Q(state="planned")),
            # Read by the reaper: claims and hand-offs whose lease ran out.
            models.Index(
                fields=["lease_until"], name="outbox_leased", condition=Q(state__in=["claimed", "handing_off"])
            ),
            # Read by the gate: what reached this address lately.
            models.Index(
                fields=["address_hash", "-handed_off_at"], name="outbox_address", condition=~Q(address_hash="")
            ),
            # Read by the gate, by planners and by a person's page.
            models.Index(fields=["user_id", "campaign", "-handed_off_at"], name="outbox_person"),
            # Read by figures, and by the planner of a stock episode.
            models.Index(fields=["campaign", "occasion"], name="outbox_occasion"),
            models.Index(fields=["campaign", "-planned_at"], name="outbox_campaign"),
            # Read where a purchase is credited to a mail's list.
            models.Index(fields=["request_id"], name="outbox_request", condition=Q(request_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.occasion}"
