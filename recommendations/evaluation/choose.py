"""Which model version may answer for a moment of the past: none that was trained on what came later."""

from collections.abc import Callable
from datetime import datetime

from recommendations.learning.train import train
from recommendations.models import ModelVersion
from recommendations.shelf import ActiveVersion

DONE = [ModelVersion.State.ACTIVE, ModelVersion.State.READY, ModelVersion.State.RETIRED]


class UnfitVersionError(Exception):
    """There is no such version, or it knows the future; the message says so to people."""


def active_or_named(number: int | None, as_of: datetime | None) -> ActiveVersion:
    """Return version `number`, or the active one.

    Raises `UnfitVersionError` where the number is no finished version's, and where the active version learned from
    events after `as_of`. Whoever names a version by its number is not held back.
    """
    versions = ModelVersion.objects.only("id", "settings", "as_of", "state")
    if number is not None:
        named = versions.filter(pk=number, state__in=DONE).first()
        if named is None:
            raise UnfitVersionError(f"There is no finished model version {number}.")
        return ActiveVersion(named.pk, named.settings)
    active = versions.filter(state=ModelVersion.State.ACTIVE).first()
    if active is None:
        return ActiveVersion(None, {})
    if as_of is not None and active.as_of > as_of:
        raise UnfitVersionError(
            f"The active {active} was trained on events up to {active.as_of:%Y-%m-%d %H:%M}, which is later than"
            f" {as_of:%Y-%m-%d %H:%M}: its lists would know the future. Run `manage.py train --no-activate"
            f" --as-of {as_of.isoformat()}` and name that version with --version."
        )
    return ActiveVersion(active.pk, active.settings)


def trained_as_of(as_of: datetime, *, anew: bool, progress: Callable[[str], None]) -> ModelVersion:
    """Return a version that learned from everything before `as_of`, with the settings of the active one.

    The latest such version is taken where there is one, unless it shall be made `anew`; it never becomes active.
    """
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    settings = active.settings if active else {}
    kept = ModelVersion.objects.filter(as_of=as_of, state__in=DONE, settings=settings).first()
    if kept is not None and not anew:
        return kept
    return train(as_of=as_of, activate=False, progress=progress)
