"""`tune`: which signals and weights serve this shop, found on its own past, kept as a new version with the evidence."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from recommendations.configuration import DEFAULT_PLACEMENTS, EngineSettings, from_json, to_json
from recommendations.contracts import Filters, Placement, PlacementSettings
from recommendations.history import purchase_weight
from recommendations.learning.choosing import Choice, choose
from recommendations.learning.content import read_embeddings
from recommendations.learning.cuts import Cut, Face, between, cuts_before, task_of
from recommendations.learning.events import Events
from recommendations.learning.fitting import Task
from recommendations.learning.material import Material
from recommendations.learning.reading import read_events
from recommendations.learning.signal_tables import Shop, SignalTables, default_score, default_together
from recommendations.learning.train import train
from recommendations.models import ModelVersion
from recommendations.selectors import event_weights
from recommendations.shelf import shelf
from recommendations.signals import BOUGHT_BEFORE

# After this part of the time no further cut is begun; weights are sought up to the other; training comes last.
BUILDING_SHARE = 0.5
SEEKING_SHARE = 0.85
FEWEST_EVENTS = 200

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
    began = time.monotonic()
    moment = as_of or timezone.now()
    progress("events")
    events = read_events(until=moment, event_weights=event_weights())
    tasks = _tasks(
        events, faces, moment, seed, lambda: time.monotonic() - began > BUILDING_SHARE * minutes * 60, progress
    )
    choices = {}
    for place, face in enumerate(faces, start=1):
        progress(f"mix of {face}")
        share = BUILDING_SHARE + (SEEKING_SHARE - BUILDING_SHARE) * place / len(faces)
        choices[face] = _choice(face, tasks[face], len(events), seed, began + share * minutes * 60)
    return _kept(choices, moment, events, seed, round(time.monotonic() - began, 1), progress)


def _tasks(
    events: Events, faces: Collection[Face], moment: datetime, seed: int, late: Callable[[], bool], progress: Progress
) -> dict[Face, list[Task]]:
    """Return the tasks of each face, newest first. The tables of a cut are dropped before the next one's are made."""
    found: dict[Face, list[Task]] = {face: [] for face in faces}
    vectors, shown = _catalogue(events.products)
    for number, cut in enumerate(cuts_before(events, until=moment.timestamp())):
        if number >= 2 and late():
            break
        tables = _tables(events, cut, vectors, shown)
        for face in faces:
            progress(f"{face}, cut {datetime.fromtimestamp(cut.moment, UTC):%Y-%m-%d}")
            task = task_of(face, tables, between(events, cut.moment, cut.end), seed=seed + number)
            if task is not None:
                found[face].append(task)
    return found


def _tables(events: Events, cut: Cut, vectors: Any, shown: Any) -> SignalTables:
    material = Material(
        between(events, -np.inf, cut.moment), until=cut.moment, purchase_weight=purchase_weight(event_weights())
    )
    return SignalTables(Shop(material, vectors, shown))


def _catalogue(products: Any) -> tuple[Any, Any]:
    """Return the embeddings of these products, zeros where there is none, and which of them may be shown."""
    ids, read = read_embeddings()
    vectors = np.zeros((len(products), read.shape[1]), np.float32)
    if len(ids):
        places = np.minimum(np.searchsorted(ids, products), len(ids) - 1)
        known = ids[places] == products
        vectors[known] = read[places[known]]
    shelf.refresh()
    slots = shelf.slots_of(products)
    return vectors, (slots >= 0) & (shelf.eligible(Filters())[slots] if len(slots) else True)


def _choice(face: Face, tasks: list[Task], events: int, seed: int, deadline: float) -> Choice:
    if events < FEWEST_EVENTS or len(tasks) < 2:
        return Choice({}, f"Too little to learn from: {events} events, {len(tasks)} windows with cases.")
    default = default_together if face is Face.BOUGHT_TOGETHER else default_score
    choice = choose(
        tasks[:0:-1],
        tasks[0],
        default=lambda task: default(task.candidates),
        seed=seed,
        enough=lambda: time.monotonic() > deadline,
    )
    if face is Face.HOMEPAGE and choice.mix:
        return replace(choice, mix={**choice.mix, BOUGHT_BEFORE: -1.0})
    return choice


def _kept(
    choices: dict[Face, Choice], moment: datetime, events: Events, seed: int, seconds: float, progress: Progress
) -> Tuned:
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    before = from_json(active.settings if active else {})
    after = before
    for face, choice in choices.items():
        after = _with(after, face, choice)
    adopted = settings.REEMIO_AUTO_TUNE and to_json(after) != to_json(before)
    evidence = {
        "as_of": moment.isoformat(),
        "events": len(events),
        "seed": seed,
        "seconds": seconds,
        "faces": {
            face.value: {"why": one.why, "mix": dict(one.mix), **one.evidence} for face, one in choices.items()
        },
    }  # fmt: skip
    version = train(as_of=moment, activate=adopted, settings=to_json(after), evidence=evidence, progress=progress)
    return Tuned(version, choices, adopted)


def _with(before: EngineSettings, face: Face, choice: Choice) -> EngineSettings:
    """Return the settings with this face mixed as chosen, or as the default blend where nothing was better."""
    placement = Placement.HOMEPAGE if face.is_homepage else Placement(face.value)
    base = before.of(placement)
    found = _mixed(base, choice)
    if face is Face.HOMEPAGE_REPEAT:
        return replace(before, repeats=found if choice.mix else None)
    # Where repurchases may be shown the homepage falls back to these settings, unless it has its own.
    repeats = before.repeats
    if face is Face.HOMEPAGE and choice.mix and repeats is None:
        repeats = _mixed(base, Choice({}, ""))
    return replace(before, placements={**before.placements, placement: found}, repeats=repeats)


def _mixed(base: PlacementSettings, choice: Choice) -> PlacementSettings:
    rescale = "root" if choice.mix else DEFAULT_PLACEMENTS[Placement.HOMEPAGE].rescale
    return replace(base, mix=dict(choice.mix), rescale=rescale)
