"""Buckets of time: what every roll-up begins with."""

from django.db import models


class Grain(models.TextChoices):
    """How long a bucket is: five minutes, or an hour, a day or a week (from Monday on) of the shop."""

    PART = "part"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Rollup(models.Model):
    """One bucket of time: `starts_at` is the beginning of the shop's hour or day."""

    grain = models.CharField(max_length=4, choices=Grain)
    starts_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.grain} from {self.starts_at}"
