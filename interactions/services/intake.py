"""Counting by the hour what was not stored: duplicates and refused events, for whoever looks after the data."""

import os

from django.db import connection

from interactions.models import IntakeCount

SLOTS = 8
_ADD = """
INSERT INTO intake_counts AS known (hour, door, outcome, slot, events)
VALUES (date_trunc('hour', statement_timestamp(), 'UTC'), %s, %s, %s, %s)
ON CONFLICT (hour, door, outcome, slot) DO UPDATE SET events = known.events + excluded.events
"""


def count_intake(door: str, *, duplicates: int = 0, rejected: int = 0) -> None:
    """Add to the counts of this hour; no query where there is nothing to add."""
    counts = {IntakeCount.Outcome.DUPLICATE: duplicates, IntakeCount.Outcome.REJECTED: rejected}
    with connection.cursor() as cursor:
        for outcome, events in counts.items():
            if events:
                cursor.execute(_ADD, [door, outcome.value, os.getpid() % SLOTS, events])
