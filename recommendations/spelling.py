"""What a searcher meant: the catalogue's words, and those near to a mistyped one. No Django here.

A word that the catalogue has is never touched. For another one, the nearest are found by optimal string alignment
distance (insertions, deletions, substitutions, swaps of neighbours).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock

from rapidfuzz import process
from rapidfuzz.distance import OSA

from recommendations.contracts import ProductFacts

# A search has at most this many words; what comes after says nothing more.
MOST_WORDS = 24
MOST_MEANT = 3
LONGEST_WORD = 40
# As many mistakes as a word of this length may hold: "mug" has too many neighbours for two.
ONE_MISTAKE, TWO_MISTAKES = 3, 7
EDGES = re.compile(r"^[\W_]+|[\W_]+$")
PARTS = re.compile(r"[\W_]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: without case, compatibility forms and outer punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word for part in folded.split() if (word := EDGES.sub("", part))]


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was typed, whether the catalogue has it, and what it may have meant where not, likeliest first."""

    typed: str
    known: bool = True
    meant: tuple[str, ...] = ()

    @property
    def likeliest(self) -> str:
        """Return the word to go by."""
        return self.meant[0] if self.meant else self.typed


class Vocabulary:
    """The words of titles, brands and categories of what may be shown, with how many products have them.

    Memory: about 100 bytes a distinct word, and 8 bytes a product. Safe to share among threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._generation = -1
        self._facts: list[ProductFacts] = []
        self._counts: Counter[str] = Counter()
        self._ordered: list[str] | None = []

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def follow(self, facts: Sequence[ProductFacts], generation: int) -> None:
        """Take in what has changed on the shelf since the last time; nothing is done where nothing has."""
        if generation == self._generation:
            return
        with self._lock:
            if generation == self._generation:
                return
            before, now = self._facts, list(facts)
            known = len(self._counts)
            appeared = False
            for place, fresh in enumerate(now):
                old = before[place] if place < len(before) else None
                if fresh is not old:
                    appeared |= self._exchange(old, fresh)
            if appeared or len(self._counts) != known:
                self._ordered = None
            self._facts, self._generation = now, generation

    def understand(self, typed: Sequence[str], known: Collection[str]) -> tuple[Word, ...]:
        """Return each word with what it may have meant; `known` words occur elsewhere in the catalogue."""
        return tuple(
            Word(word) if word in self._counts or word in known else Word(word, known=False, meant=self._near(word))
            for word in typed
        )

    def _near(self, word: str) -> tuple[str, ...]:
        allowed = 0 if len(word) < ONE_MISTAKE or len(word) > LONGEST_WORD else 1 if len(word) < TWO_MISTAKES else 2
        if not allowed or any(letter.isdigit() for letter in word):
            return ()
        found = process.extract(word, self._words(), scorer=OSA.distance, score_cutoff=allowed, limit=50)
        if not found:
            return self._halves(word) or self._beginning(word)
        least = min(distance for _, distance, _ in found)
        near = [one for one, distance, _ in found if distance == least and len(one) >= ONE_MISTAKE]
        near.sort(key=lambda one: (one[0] != word[0], -self._counts[one], one))
        return tuple(near[:MOST_MEANT])

    def _halves(self, word: str) -> tuple[str, ...]:
        """Return two words that were written as one."""
        for place in range(ONE_MISTAKE, len(word) - ONE_MISTAKE + 1):
            if word[:place] in self._counts and word[place:] in self._counts:
                return (f"{word[:place]} {word[place:]}",)
        return ()

    def _beginning(self, word: str) -> tuple[str, ...]:
        """Return the most common words that begin like this one."""
        longer = [one for one in self._words() if one.startswith(word)]
        return tuple(sorted(longer, key=lambda one: (-self._counts[one], one))[:MOST_MEANT])

    def _words(self) -> list[str]:
        ordered = self._ordered
        if ordered is None:
            with self._lock:
                ordered = self._ordered = sorted(self._counts)
        return ordered

    def _exchange(self, old: ProductFacts | None, fresh: ProductFacts) -> bool:
        """Count `fresh` instead of `old`; tell whether a word has come in."""
        gone = set() if old is None or not old.available else _words_of_product(old)
        come = _words_of_product(fresh) if fresh.available else set()
        appeared = any(word not in self._counts for word in come - gone)
        self._counts.update(come - gone)
        for word in gone - come:
            self._counts[word] -= 1
            if self._counts[word] <= 0:
                del self._counts[word]
        return appeared


def _words_of_product(facts: ProductFacts) -> set[str]:
    whole = words_of(f"{facts.title} {facts.brand} {facts.category}")
    return {part for word in whole for part in (word, *PARTS.split(word)) if part}
