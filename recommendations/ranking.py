"""Candidates in the order of their scores, each made into an object when somebody looks at it. No Django here.

A list shows ten of the hundreds that were scored: the others stay rows of arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Counts, Ids, Scored, Scores

# So many are made at once: more than a homepage looks at.
AT_ONCE = 24
# A vote that is silent on a product, or all but forbids it, never makes its reason.
SILENT = -1.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """Which votes make the reason of each of n products, of v votes with m entries altogether.

    `entry` (v × n) is the entry that a vote has about a product, or −1; `says`, `supports` and `because` belong to the
    entries: how loud, how many stand behind it, whom it names. Of equally loud votes the first one is heard.
    """

    codes: Sequence[str]
    entry: npt.NDArray[np.int64]
    says: Scores
    supports: Counts
    because: Ids

    def of(self, places: npt.NDArray[np.int64]) -> tuple[list[str], list[int], list[int]]:
        """Return codes, supports and named products of the loudest votes on the products at these places."""
        entries = self.entry[:, places]
        says = np.where(entries >= 0, self.says[entries], SILENT)
        which = np.argmax(says, axis=0)
        columns = np.arange(len(places))
        heard, chosen = says[which, columns] > SILENT, entries[which, columns]
        supports = np.where(heard, self.supports[chosen], 0)
        because = np.where(heard, self.because[chosen], 0)
        return [self.codes[one] for one in which.tolist()], supports.tolist(), because.tolist()


class Ranking(Sequence[Scored]):
    """n candidates, best first. `places` puts the columns, which are parallel arrays, into that order."""

    def __init__(
        self,
        places: npt.NDArray[np.int64],
        *,
        products: Ids,
        score: Scores,
        content: Scores,
        collaborative: Scores,
        popularity: Scores,
        loudness: Loudness,
    ) -> None:
        """Keep the columns."""
        self._places = places
        self._columns = (products, score, content, collaborative, popularity)
        self._loudness = loudness
        self._made: list[Scored] = []

    def __len__(self) -> int:
        return len(self._places)

    @property
    def products(self) -> Ids:
        """Return our ids of all candidates, best first."""
        return self._columns[0][self._places]

    @overload
    def __getitem__(self, place: int) -> Scored: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Scored, ...]: ...
    def __getitem__(self, place: int | slice) -> Scored | tuple[Scored, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        place = place + len(self) if place < 0 else place
        if not 0 <= place < len(self):
            raise IndexError(place)
        while place >= len(self._made):
            self._make()
        return self._made[place]

    def __iter__(self) -> Iterator[Scored]:
        for place in range(len(self)):
            if place >= len(self._made):
                self._make()
            yield self._made[place]

    def _make(self) -> None:
        """Make the next ones. A frozen dataclass' own constructor would take ten times as long."""
        start = len(self._made)
        places = self._places[start : start + AT_ONCE]
        columns = [column[places].tolist() for column in self._columns]
        made = []
        for row in zip(*columns, *self._loudness.of(places), strict=True):
            one = object.__new__(Scored)
            product, score, content, collaborative, popularity, loudest, support, because = row
            object.__setattr__(
                one,
                "__dict__",
                {
                    "product": product,
                    "score": score,
                    "content": content,
                    "collaborative": collaborative,
                    "popularity": popularity,
                    "loudest": loudest,
                    "support": support,
                    "because": because,
                },
            )
            made.append(one)
        # Another thread never sees this object: one request makes it, reads it and drops it.
        self._made.extend(made)
