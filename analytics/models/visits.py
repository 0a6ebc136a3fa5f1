"""Roll-ups of events and of visits."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.models.buckets import Rollup


class EventRollup(Rollup):
    """Events of one type, as they occurred."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "interaction_type")
    interaction_type = models.CharField(max_length=24)
    events = models.BigIntegerField()
    unknown_products = models.BigIntegerField(help_text="Of those, about products that the mirror did not know.")
    late = models.BigIntegerField(help_text="Of those, received more than an hour after they occurred.")


class VisitRollup(Rollup):
    """How far visits came, by day only: those without any recommendation, that saw one, that clicked one.

    With `placement` or `strategy`, only lists of that kind count as seen and clicked; rows without either count all
    lists, and visits that met none. `device` is the last by name of those that the visit's events told.
    """

    class Segment(models.TextChoices):
        """How much a visit had to do with recommendations."""

        NONE = "none"
        SAW = "saw"
        CLICKED = "clicked"

    pk = models.CompositePrimaryKey("grain", "starts_at", "device", "placement", "strategy", "segment")
    device = models.CharField(max_length=16)
    placement = models.CharField(max_length=32)
    strategy = models.CharField(max_length=16)
    segment = models.CharField(max_length=8, choices=Segment)
    visits = models.BigIntegerField()
    viewed = models.BigIntegerField()
    saw = models.BigIntegerField()
    clicked = models.BigIntegerField()
    carted = models.BigIntegerField()
    purchased = models.BigIntegerField()


class Visit(models.Model):
    """What happened in one visit of the last days: bits that only ever get more, from which the funnel is counted."""

    pk = models.CompositePrimaryKey("day", "visit")
    day = models.DateField()
    visit = models.UUIDField(help_text="Digest of the session, or of the person.")
    steps = models.SmallIntegerField(help_text="1 viewed, 2 saw, 4 clicked, 8 carted, 16 purchased.")
    device = models.CharField(max_length=16, blank=True, db_default="")
    met = ArrayField(
        models.CharField(max_length=64),
        default=list,
        db_default=[],
        help_text="“placement/strategy”, with a “!” if clicked.",
    )

    class Meta:
        db_table = "visits"

    def __str__(self) -> str:
        return f"Visit on {self.day}"
