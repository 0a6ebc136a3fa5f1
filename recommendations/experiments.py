"""Experiments: which shopper meets which variant, and what that changes.

Who takes part, and with which variant, is a hash of the experiment's key and the person: the user, or the session of
somebody unknown. So it is the same in every process, on every visit, and needs no table. A session that becomes a
user's brings its variant along where the user had met none yet (`keep_variants`): the first variant that a person met
stays theirs. Running experiments are read every few seconds in each process, never in a request's own queries.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from recommendations.configuration import DEFAULT_PLACEMENTS, stored_form
from recommendations.contracts import Placement, PlacementSettings, Query
from recommendations.models import Experiment, ExperimentVariant, KeptVariant, ServedList
from recommendations.shelf import ActiveVersion

KEEP_SECONDS = 5.0
# A merge may be committed a moment after a later one: so many of the last kept variants are read again.
OVERLAP = 1000
_SCALE = float(2**64)


class WrongExperimentError(Exception):
    """An experiment cannot be started as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to answer. `version` is a number and settings, or None for the active version's."""

    name: str
    weight: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: ActiveVersion | None = None
    merchandising: bool = True


@dataclass(frozen=True, slots=True)
class Running:
    """A running experiment, with its variants in their order."""

    id: int
    key: str
    placement: str
    share: int
    variants: tuple[Variant, ...]

    def variant_of(self, subject: str) -> Variant | None:
        """Return the variant that a person's hash falls on; None for those who do not take part."""
        if _point(f"{self.key}:share:{subject}") * 100 >= self.share:
            return None
        point = _point(f"{self.key}:variant:{subject}") * sum(variant.weight for variant in self.variants)
        for variant in self.variants:
            point -= variant.weight
            if point < 0:
                return variant
        return self.variants[-1]

    def named(self, name: str) -> Variant | None:
        """Return the variant of this name."""
        return next((variant for variant in self.variants if variant.name == name), None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant that answers a request, and the name under which the served list keeps it."""

    variant: Variant
    label: str


class _Kept:
    running: Mapping[str, Running] = {}
    kept: dict[tuple[int, str], str] = {}
    last = 0
    read_at = float("-inf")


def forget() -> None:
    """Read again at the next question."""
    _Kept.running, _Kept.kept, _Kept.last, _Kept.read_at = {}, {}, 0, float("-inf")


def assign(query: Query) -> Assignment | None:
    """Return the variant that answers a query; None where nothing runs there, or whoever asks does not take part.

    Somebody without a name and a session never does: their next visit could not be told apart from others'.
    """
    experiment = running().get(query.placement.value)
    if experiment is None or not (query.user_id or query.session_id):
        return None
    kept = _Kept.kept.get((experiment.id, query.user_id)) if query.user_id else None
    variant = (kept and experiment.named(kept)) or experiment.variant_of(subject_of(query.user_id, query.session_id))
    return Assignment(variant, f"{experiment.key}:{variant.name}") if variant else None


def subject_of(user_id: str, session_id: str) -> str:
    """Return the text that is hashed: the user where one is named, else the session."""
    return f"u:{user_id}" if user_id else f"s:{session_id}"


def running() -> Mapping[str, Running]:
    """Return the running experiment of each placement that has one. Read at most every few seconds."""
    if time.monotonic() - _Kept.read_at > KEEP_SECONDS:
        _Kept.running = {one.placement: one for one in _read()}
        _read_kept([one.id for one in _Kept.running.values()])
        _Kept.read_at = time.monotonic()
    return _Kept.running


def _read() -> list[Running]:
    rows = Experiment.objects.filter(state=Experiment.State.RUNNING).prefetch_related("variants__model_version")
    return [
        Running(row.pk, row.key, row.placement, row.share, tuple(_variant(variant) for variant in row.variants.all()))
        for row in rows
    ]


def _variant(row: ExperimentVariant) -> Variant:
    chosen = row.model_version
    version = None if chosen is None else ActiveVersion(chosen.pk, chosen.settings)
    return Variant(row.name, row.weight, row.settings, version, row.merchandising)


def _read_kept(experiments: Sequence[int]) -> None:
    if not experiments:
        _Kept.kept, _Kept.last = {}, 0
        return
    rows = KeptVariant.objects.filter(experiment__in=experiments, pk__gt=_Kept.last - OVERLAP).order_by("pk")
    for pk, experiment, user_id, variant in rows.values_list("pk", "experiment_id", "user_id", "variant"):
        _Kept.kept[experiment, user_id] = variant
        _Kept.last = max(_Kept.last, pk)


def keep_variants(*, user_id: str, session_id: str) -> int:
    """Let a user keep the variants that a session of theirs has met, where they had met none; return how many.

    Called while the session is merged, before its lists become the user's.
    """
    kept = 0
    for row in _read():
        met = _first_met(row, session_id=session_id, user_id="")
        own = row.variant_of(subject_of(user_id, ""))
        if met is None or (own is not None and own.name == met) or _first_met(row, user_id=user_id) is not None:
            continue
        _, is_new = KeptVariant.objects.get_or_create(experiment_id=row.id, user_id=user_id, defaults={"variant": met})
        kept += is_new
    return kept


def _first_met(experiment: Running, **person: str) -> str | None:
    labels = [f"{experiment.key}:{variant.name}" for variant in experiment.variants]
    lists = ServedList.objects.filter(variant__in=labels, **person).order_by("served_at", "request_id")
    label = lists.values_list("variant", flat=True).first()
    return None if label is None else label.partition(":")[2]


@transaction.atomic
def start_experiment(experiment_id: int) -> Experiment:
    """Let an experiment run; raise `WrongExperimentError` where it cannot."""
    row = Experiment.objects.select_for_update().get(pk=experiment_id)
    if row.state != Experiment.State.DRAFT:
        raise WrongExperimentError("Only a draft can be started: a finished experiment's figures stay as they are.")
    if row.variants.count() < 2:
        raise WrongExperimentError("An experiment compares at least two variants.")
    if Experiment.objects.filter(state=Experiment.State.RUNNING, placement=row.placement).exists():
        raise WrongExperimentError("Another experiment runs on this placement.")
    for variant in row.variants.all():
        problem = wrong_settings(variant.settings)
        if problem:
            raise WrongExperimentError(f"{variant.name}: {problem}")
    Experiment.objects.filter(pk=row.pk).update(state=Experiment.State.RUNNING, started_at=Now())
    row.refresh_from_db()
    return row


def finish_experiment(experiment_id: int) -> bool:
    """Let an experiment end; return whether it ran. Everybody then gets what is active."""
    running_one = Experiment.objects.filter(pk=experiment_id, state=Experiment.State.RUNNING)
    return bool(running_one.update(state=Experiment.State.FINISHED, finished_at=Now()))


def wrong_settings(settings: object) -> str | None:
    """Return what is wrong with the settings of a variant, as a sentence; None where nothing is."""
    if not isinstance(settings, dict):
        return "Settings are a JSON object."
    try:
        chosen = PlacementSettings(**{**stored_form(DEFAULT_PLACEMENTS[Placement.HOMEPAGE]), **settings})
    except TypeError:
        known = ", ".join(stored_form(DEFAULT_PLACEMENTS[Placement.HOMEPAGE]))
        return f"Settings know {known} and mix only."
    if not isinstance(chosen.weights, dict) or set(chosen.weights) != {"content", "collaborative", "popularity"}:
        return "Weights are those of content, collaborative and popularity."
    if not all(_is_number(weight) and weight >= 0 for weight in chosen.weights.values()):
        return "Weights are numbers from 0."
    if not all(_is_number(share) and 0 < share <= 1 for share in (chosen.category_share, chosen.brand_share)):
        return "Shares of a list are above 0 and at most 1."
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _point(text: str) -> float:
    """Return a number in [0, 1) that depends on nothing but the text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / _SCALE
