"""A campaign: whether it is on, and its numbers."""

from collections.abc import Mapping

from django.db import models
from django.db.models.functions import Now

from campaigns.definitions import NUMBERS, Kind


class Campaign(models.Model):
    """One of the four. Made by a migration; an admin switches the mode and changes the numbers."""

    class Mode(models.TextChoices):
        """What the campaign does. Only a live one sends."""

        DRAFT = "draft", "Draft: does nothing"
        DRY_RUN = "dry_run", "Dry run: decides and keeps the reasons, sends nothing"
        LIVE = "live", "Live: sends"
        PAUSED = "paused", "Paused: sends nothing"

    kind = models.CharField(max_length=24, choices=Kind, unique=True, editable=False)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.DRAFT)
    live_since = models.DateTimeField(
        null=True, blank=True, help_text="What happened before this moment sets nothing off."
    )
    mode_changed_at = models.DateTimeField(db_default=Now(), editable=False)
    mode_reason = models.CharField(max_length=300, blank=True, help_text="Why it was paused.")
    compares_subjects = models.BooleanField("compare subjects A and B", default=True)
    changed_numbers = models.JSONField(default=dict, blank=True, help_text="What differs from the defaults.")

    class Meta:
        ordering = ["pk"]
        permissions = [
            ("switch_campaign", "Can switch a campaign's mode"),
            ("try_campaign", "Can preview, test and dry-run a campaign"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def numbers(self) -> Mapping[str, int]:
        """Return every number by its name: the changed ones above the defaults."""
        defaults = {number.name: number.default for number in NUMBERS[self.kind]}
        known = {name: value for name, value in self.changed_numbers.items() if name in defaults}
        return defaults | known

    @property
    def plans(self) -> bool:
        """Tell whether the campaign looks for occasions at all."""
        return self.mode in (self.Mode.LIVE, self.Mode.DRY_RUN)
