"""How tuning seeks: tasks on cuts of a shop's past, a choice for each face, within a time budget. No Django here."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from recommendations.learning.choosing import Choice, choose
from recommendations.learning.cuts import Cut, Face, cuts_before, task_of
from recommendations.learning.events import Events, between
from recommendations.learning.fitting import Task
from recommendations.learning.likeness import Catalogue
from recommendations.learning.material import Material
from recommendations.learning.signal_tables import Shop, SignalTables, default_score, default_together
from recommendations.signals import BOUGHT_BEFORE

# The part of the time that is left for seeking weights, once no further cut is begun.
SEEKING_SHARE = 0.25
# Of what a face may take, the rivals' weights have this part; the winner's, on all cuts, the rest.
RIVALS_SHARE = 0.6
FEWEST_EVENTS = 200

Progress = Callable[[str], None]


class Budget:
    """The time that the whole command may take, training of its outcome included."""

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.began, self.seconds = time.monotonic(), seconds
        self.training = 0.0

    @property
    def passed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    def allows_cut(self, costs: Sequence[float]) -> bool:
        """Tell whether one more cut fits, as long as the longest so far; the training of the outcome takes as long.

        The second cut may use the time for seeking: one cut alone decides nothing.
        """
        self.training = max(costs, default=0.0)
        seeking = SEEKING_SHARE * self.seconds if len(costs) > 1 else 0.0
        return not costs or self.passed + 2 * self.training + seeking <= self.seconds

    def share(self, faces: int) -> float:
        """Return the seconds that one of the `faces` still to be mixed may take."""
        return max(0.0, self.seconds - self.training - self.passed) / faces

    def ends_after(self, seconds: float) -> Callable[[], bool]:
        """Return what tells whether this time from now is over."""
        end = self.passed + seconds
        return lambda: self.passed > end


@dataclass(frozen=True, slots=True)
class Past:
    """What a shop is tuned on: events before `until` (epoch seconds), their products, and which may be shown."""

    events: Events
    catalogue: Catalogue
    shown: npt.NDArray[np.bool_]
    until: float
    purchase_weight: float


def tasks_of(
    past: Past, faces: Collection[Face], *, seed: int, budget: Budget, progress: Progress
) -> dict[Face, list[Task]]:
    """Return the tasks of each face, newest first. The tables of a cut are dropped before the next one's are made."""
    found: dict[Face, list[Task]] = {face: [] for face in faces}
    costs: list[float] = []
    for number, cut in enumerate(cuts_before(past.events, until=past.until)):
        if not budget.allows_cut(costs):
            break
        began = budget.passed
        tables = _tables(past, cut)
        for face in faces:
            progress(f"{face}, cut {datetime.fromtimestamp(cut.moment, UTC):%Y-%m-%d}")
            task = task_of(face, tables, between(past.events, cut.moment, cut.end), seed=seed + number)
            if task is not None:
                found[face].append(task)
        costs.append(budget.passed - began)
    budget.allows_cut(costs)
    return found


def _tables(past: Past, cut: Cut) -> SignalTables:
    before = between(past.events, -np.inf, cut.moment)
    material = Material(before, until=cut.moment, purchase_weight=past.purchase_weight, catalogue=past.catalogue)
    return SignalTables(Shop(material, past.catalogue.vectors, past.shown))


def choice_of(face: Face, tasks: Sequence[Task], *, events: int, seed: int, budget: Budget, faces: int) -> Choice:
    """Return what serves a face, within its part of the time; `faces` are still to be mixed, this one included."""
    if events < FEWEST_EVENTS or len(tasks) < 2:
        return Choice({}, f"Too little to learn from: {events} events, {len(tasks)} windows with cases.")
    default = default_together if face is Face.BOUGHT_TOGETHER else default_score
    share = budget.share(faces)
    choice = choose(
        list(tasks[:0:-1]),
        tasks[0],
        default=lambda task: default(task.candidates),
        seed=seed,
        enough=budget.ends_after(RIVALS_SHARE * share),
        last=budget.ends_after(share),
    )
    if face is Face.HOMEPAGE and choice.mix:
        return replace(choice, mix={**choice.mix, BOUGHT_BEFORE: -1.0})
    return choice
