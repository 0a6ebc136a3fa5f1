"""Stage 1: every source proposes its candidates, with raw scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Counts, Filters, Ids, Query, RuleAction, Scores, Source, Taste, Votes
from recommendations.leading import distinct, leading
from recommendations.merchandising import NO_VERDICTS, Verdicts
from recommendations.person import NOBODY, Neighbourhood, Person
from recommendations.restock import NOTHING as NO_RESTOCK
from recommendations.restock import Restock
from recommendations.shelf import Shelf

# How many each source may propose: enough for 50 shown after rules, few enough to stay quick.
DEPTH = 150


@dataclass(frozen=True, slots=True)
class Context:
    """What every source needs besides taste: shelf, the version that answers, anchors, and what may not be shown.

    `known` is what is stored of whoever asks; `verdicts` which merchandising rules decide about what;
    `restock` what the shopper is about to need again.
    """

    query: Query
    taste: Taste
    shelf: Shelf
    version: int | None
    anchors: tuple[int, ...]
    barred: frozenset[int]
    known: Person = NOBODY
    verdicts: Verdicts = NO_VERDICTS
    restock: Restock = NO_RESTOCK
    # Worked out at the first question; another context, with other bars, begins with an empty one.
    _eligible: list[npt.NDArray[np.bool_]] = field(init=False, default_factory=list, compare=False, repr=False)

    @property
    def neighbourhoods(self) -> Mapping[str, Neighbourhood]:
        """Return what similar shoppers did, by kind."""
        return self.known.neighbourhoods

    @property
    def filters(self) -> Filters:
        """Return the caller's filters."""
        return self.query.filters

    @property
    def is_present(self) -> bool:
        """Tell whether the list is of this moment, and may know all that has happened."""
        return self.query.as_of is None

    def eligible(self) -> npt.NDArray[np.bool_]:
        """Return, by slot, what may be shown: available, within the filters, hidden by no rule, not barred."""
        if not self._eligible:
            self._eligible.append(self._work_out_eligible())
        return self._eligible[0]

    def _work_out_eligible(self) -> npt.NDArray[np.bool_]:
        kept = self.shelf.eligible(self.filters)
        if self.verdicts.says(RuleAction.HIDE):
            kept = kept & ~self.verdicts.hidden(len(kept))
        if not self.barred:
            return kept
        slots = self.shelf.slots_of(np.fromiter(self.barred, np.int64, len(self.barred)))
        kept = kept.copy()
        kept[slots[slots >= 0]] = False
        return kept

    def may_show(self, products: Ids) -> npt.NDArray[np.bool_]:
        """Return, for each product, whether a list for this query may hold it."""
        slots = self.shelf.slots_of(products)
        return (slots >= 0) & self.eligible()[slots] if len(slots) else np.zeros(0, bool)


def votes(
    context: Context,
    source: Source,
    code: str,
    products: Ids,
    scores: Scores,
    *,
    supports: Counts | None = None,
    because: Ids | None = None,
) -> Votes:
    """Return the votes for what may be shown, best first (ties by our id), at most `DEPTH` of them."""
    kept = np.flatnonzero(context.may_show(products) & (scores > 0))
    order = kept[leading(products[kept], scores[kept], DEPTH)]
    nothing = np.zeros(len(order), np.int64)
    return Votes(
        source=source,
        code=code,
        products=products[order],
        scores=scores[order],
        supports=nothing if supports is None else supports[order],
        because=nothing if because is None else because[order],
    )


def products_of(found: Sequence[Votes]) -> Ids:
    """Return every product that any of these votes names, once, in ascending order."""
    return distinct(np.concatenate([np.zeros(0, np.int64), *(one.products for one in found)]))


def concatenated(arrays: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    """Join arrays end to end; none gives an empty one of integers."""
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
