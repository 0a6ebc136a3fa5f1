"""Where the past ends: the moment before which everything may be learned, and after which it is to be foretold."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.db import connection

# About this share of the deeds lies after a moment that we choose ourselves.
HELD_OUT = 0.1
# The midnight before that moment is taken, unless more than this share would come to lie after it.
MOST_HELD_OUT = 0.15

COUNTS = """
    SELECT count(*) FILTER (WHERE occurred_at < %(as_of)s), count(*) FILTER (WHERE occurred_at >= %(as_of)s)
    FROM user_interactions WHERE interaction_type = %(deed)s AND occurred_at < now() + interval '1 day'
"""
QUANTILE = """
    SELECT percentile_disc(%(share)s) WITHIN GROUP (ORDER BY occurred_at)
    FROM user_interactions WHERE interaction_type = %(deed)s AND occurred_at < now() + interval '1 day'
"""
QUANTILE_UNTIL = """
    SELECT percentile_disc(%(share)s) WITHIN GROUP (ORDER BY occurred_at)
    FROM user_interactions WHERE interaction_type = %(deed)s AND occurred_at < %(until)s
"""
COUNTS_UNTIL = """
    SELECT count(*) FILTER (WHERE occurred_at < %(as_of)s), count(*) FILTER (WHERE occurred_at >= %(as_of)s)
    FROM user_interactions WHERE interaction_type = %(deed)s AND occurred_at < %(until)s
"""
HAPPENED = "SELECT EXISTS (SELECT 1 FROM user_interactions WHERE interaction_type = %s)"


class NothingToEvaluateError(Exception):
    """There are no events, or none on one side of the moment; the message says so to people."""


@dataclass(frozen=True, slots=True)
class Split:
    """A moment, the kind of event that is to be foretold, and how many lie on either side, up to `until` (now)."""

    as_of: datetime
    deed: str
    before: int
    after: int
    until: datetime | None = None


def split_at(as_of: datetime | None) -> Split:
    """Split at `as_of`, or where about the last tenth of the purchases (of the views, without purchases) begins.

    Raises `NothingToEvaluateError` where nothing lies before or nothing after.
    """
    deed = next((kind for kind in ("purchase", "view") if _happened(kind)), None)
    if deed is None:
        raise NothingToEvaluateError("There is nothing to evaluate yet: no purchase and no view has been recorded.")
    found = _counted(as_of, deed) if as_of else _chosen(deed)
    if not found.before or not found.after:
        side = "before" if not found.before else "after"
        raise NothingToEvaluateError(
            f"There is nothing to evaluate: no {deed} lies {side} {found.as_of:%Y-%m-%d %H:%M}."
        )
    return found


def held_out_before(until: datetime, share: float) -> Split:
    """Split what happened before `until` where about the last `share` of its purchases (or views) begins.

    Raises `NothingToEvaluateError` where nothing lies on one side.
    """
    for deed in ("purchase", "view"):
        with connection.cursor() as cursor:
            cursor.execute(QUANTILE_UNTIL, {"share": 1 - share, "deed": deed, "until": until})
            (moment,) = cursor.fetchone()
            if moment is None:
                continue
            cursor.execute(COUNTS_UNTIL, {"as_of": moment, "deed": deed, "until": until})
            before, after = cursor.fetchone()
        if before and after:
            return Split(moment, deed, before, after, until)
    raise NothingToEvaluateError(f"There is nothing to evaluate: too little happened before {until:%Y-%m-%d %H:%M}.")


def _chosen(deed: str) -> Split:
    with connection.cursor() as cursor:
        cursor.execute(QUANTILE, {"share": 1 - HELD_OUT, "deed": deed})
        (moment,) = cursor.fetchone()
    if moment is None:
        raise NothingToEvaluateError(f"There is nothing to evaluate: every {deed} is dated in the future.")
    midnight = _counted(datetime.combine(moment.astimezone(UTC).date(), time(), UTC), deed)
    few = midnight.after <= MOST_HELD_OUT * (midnight.before + midnight.after)
    return midnight if few else _counted(moment, deed)


def _counted(as_of: datetime, deed: str) -> Split:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"as_of": as_of, "deed": deed})
        before, after = cursor.fetchone()
    return Split(as_of, deed, before, after)


def _happened(kind: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(HAPPENED, [kind])
        return bool(cursor.fetchone()[0])
