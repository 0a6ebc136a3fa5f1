"""Scheduled tasks: which are silent, though the scheduler writes down only every three minutes what it started."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from analytics.health import heartbeats

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds_ago", "is_silent"), [(200, False), (259, False), (261, True)])
def test_a_task_of_ten_seconds_is_silent_when_it_missed_more_than_was_not_written_down_yet(
    seconds_ago: int, is_silent: bool
) -> None:
    every = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    at = NOON - timedelta(seconds=seconds_ago)
    PeriodicTask.objects.create(name="tick", task="tick", interval=every, last_run_at=at)
    assert [one.is_silent for one in heartbeats(now=NOON) if one.name == "tick"] == [is_silent]
