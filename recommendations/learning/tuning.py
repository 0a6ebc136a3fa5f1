"""`tune`: which signals and weights serve this shop, found on its own past, kept as a new version with the evidence."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils import timezone

from recommendations.configuration import (
    DEFAULT_PLACEMENTS,
    HOMEPAGES,
    REPEATS,
    EngineSettings,
    from_json,
    to_json,
)
from recommendations.contracts import Filters, Ids, Placement, PlacementSettings
from recommendations.history import purchase_weight
from recommendations.learning.choosing import Choice
from recommendations.learning.content import catalogue_of, read_embeddings
from recommendations.learning.cuts import Face
from recommendations.learning.events import Events
from recommendations.learning.reading import read_events
from recommendations.learning.seeking import Budget, Past, choice_of, tasks_of
from recommendations.learning.train import train
from recommendations.models import ModelVersion
from recommendations.selectors import event_weights
from recommendations.shelf import shelf

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The version that tuning made, what was chosen for each face, and whether it answers now."""

    version: ModelVersion
    choices: dict[Face, Choice]
    adopted: bool


def tune(
    *,
    faces: Collection[Face] = tuple(Face),
    as_of: datetime | None = None,
    minutes: float = 15.0,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Tuned:
    """Tune these faces on what happened before `as_of` (now); others keep the settings that they have.

    A face changes only where the gain over the default blend has a 95 % interval above 0. The version becomes the
    active one if any face has a mix that the active version lacks, and REEMIO_AUTO_TUNE is on.
    """
    budget = Budget(60 * minutes)
    moment = as_of or timezone.now()
    progress("events")
    events = read_events(until=moment, event_weights=event_weights())
    shelf.refresh()
    past = Past(
        events,
        catalogue_of(events.products, *read_embeddings()),
        _shown(events.products),
        moment.timestamp(),
        purchase_weight(event_weights()),
    )
    tasks = tasks_of(past, faces, seed=seed, budget=budget, progress=progress)
    choices = {}
    for place, face in enumerate(faces):
        progress(f"mix of {face}")
        left = len(faces) - place
        choices[face] = choice_of(face, tasks.pop(face), events=len(events), seed=seed, budget=budget, faces=left)
    return _kept(choices, moment, events, seed, budget, progress)


def _shown(products: Ids) -> npt.NDArray[np.bool_]:
    """Return which of these products may be shown."""
    slots = shelf.slots_of(products)
    return (slots >= 0) & (shelf.eligible(Filters())[slots] if len(slots) else True)


def _kept(
    choices: dict[Face, Choice], moment: datetime, events: Events, seed: int, budget: Budget, progress: Progress
) -> Tuned:
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    before = from_json(active.settings if active else {})
    after = before
    for face, choice in choices.items():
        after = settings_with(after, face, choice)
    adopted = settings.REEMIO_AUTO_TUNE and to_json(after) != to_json(before)
    evidence = {
        "as_of": moment.isoformat(),
        "events": len(events),
        "seed": seed,
        "seconds": round(budget.passed, 1),
        "faces": {
            face.value: {"why": one.why, "mix": dict(one.mix), **one.evidence} for face, one in choices.items()
        },
    }  # fmt: skip
    version = train(as_of=moment, activate=adopted, settings=to_json(after), evidence=evidence, progress=progress)
    return Tuned(version, choices, adopted)


def settings_with(before: EngineSettings, face: Face, choice: Choice) -> EngineSettings:
    """Return the settings with this face mixed as chosen, or as the default blend where nothing was better."""
    placement = Placement.HOMEPAGE if face.is_homepage else Placement(face.value)
    base = before.of(placement)
    found = _mixed(base, choice)
    if face.value not in HOMEPAGES:
        after = replace(before, placements={**before.placements, placement: found})
    else:
        others = {name: one for name, one in before.homepages.items() if name != face}
        after = replace(before, homepages={**others, face.value: found} if choice.mix else others)
    if REPEATS in after.homepages or not after.of(Placement.HOMEPAGE).mix:
        return after
    # Without settings of its own, the homepage with repurchases would fall back to a mix that puts them last.
    return replace(after, homepages={**after.homepages, REPEATS: _mixed(after.of(Placement.HOMEPAGE), Choice({}, ""))})


def _mixed(base: PlacementSettings, choice: Choice) -> PlacementSettings:
    rescale = "root" if choice.mix else DEFAULT_PLACEMENTS[Placement.HOMEPAGE].rescale
    return replace(base, mix=dict(choice.mix), rescale=rescale)
