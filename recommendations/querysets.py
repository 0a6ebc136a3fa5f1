"""Questions about the engine's tables, in the page's language."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from recommendations.models import MerchandisingRule  # noqa: F401

RULE_STATES = {"live": "Live", "scheduled": "Scheduled", "ended": "Ended", "off": "Switched off"}


class MerchandisingRuleQuerySet(models.QuerySet["MerchandisingRule"]):
    """Merchandising rules by where they stand: each is in exactly one state at any moment."""

    def in_state(self, state: str, moment: datetime) -> Self:
        """Keep the rules that are live, scheduled, ended or off at a moment."""
        over = Q(ends_at__isnull=False, ends_at__lte=moment)
        ahead = Q(starts_at__isnull=False, starts_at__gt=moment)
        match state:
            case "off":
                return self.filter(enabled=False)
            case "ended":
                return self.filter(over, enabled=True)
            case "scheduled":
                return self.filter(ahead, enabled=True).exclude(over)
            case _:
                return self.filter(enabled=True).exclude(over).exclude(ahead)
