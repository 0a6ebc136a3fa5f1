"""Keeping the API's figures fresh: where counting what is due takes but a moment, whoever asks counts it first.

A small shop sees its figures at once, with or without a worker; a busy one sees those of the last tick, which is at
most a minute old.
"""

from django.db import connection

from analytics.models import RollupState
from analytics.rollups.run import roll_up

# Counting is left to the worker where more is due than this, or where its last run took longer.
MOST_PARTS = 200
MOST_EVENTS = 500
LONGEST_RUN = 1.0

_DUE = """
SELECT
    (SELECT count(DISTINCT starts_at) FROM (SELECT starts_at FROM touched_parts LIMIT 2000) AS noted),
    (SELECT count(*) FROM (SELECT FROM touched_events LIMIT 2000) AS noted)
"""


def catch_up() -> None:
    """Count what is due, if there is anything and it will take but a moment. One query where there is not."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        parts, events = cursor.fetchone()
    if not (parts or events) or parts > MOST_PARTS or events > MOST_EVENTS:
        return
    state = RollupState.objects.filter(id=1).first()
    if state is None or state.seconds < LONGEST_RUN:
        roll_up()
