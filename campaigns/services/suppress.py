"""Leaving somebody alone for good, and lifting it."""

import uuid
from collections.abc import Sequence

from campaigns.models import Suppression


def suppress(subjects: Sequence[str], reason: str, *, message: uuid.UUID | None = None) -> None:
    """Suppress each subject (keyed hashes) for this reason; again is the same. One statement."""
    rows = [Suppression(subject_hash=subject, reason=reason, message=message) for subject in sorted(set(subjects))]
    Suppression.objects.bulk_create([row for row in rows if row.subject_hash], ignore_conflicts=True)


def lift(subjects: Sequence[str], reasons: Sequence[str]) -> int:
    """Lift suppressions of these subjects for these reasons; return how many there were."""
    return Suppression.objects.filter(subject_hash__in=subjects, reason__in=reasons).delete()[0]
