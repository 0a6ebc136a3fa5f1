"""What a merchandising rule would do to a list, before it is saved: the list without it and with it, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recommendations import merchandising, pipeline
from recommendations.contracts import Filters, Item, Query, Rule
from recommendations.shelf import shelf


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of a list before or after: `change` is "", "added", "removed", "up" or "down", by `steps` places."""

    position: int
    item: Item
    change: str = ""
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A list as it is now and as it would be."""

    before: tuple[Entry, ...]
    after: tuple[Entry, ...]

    @property
    def changes(self) -> bool:
        """Tell whether any place differs."""
        return any(entry.change for entry in (*self.before, *self.after))


@dataclass(frozen=True, slots=True)
class Effect(Comparison):
    """The same, and how many products that may be shown the rule is about."""

    concerned: int


def compared(before: Sequence[Item], after: Sequence[Item]) -> Comparison:
    """Return two lists with what became of each place."""
    return Comparison(_before(before, after), _after(before, after))


def effect_of(rule: Rule, query: Query) -> Effect:
    """Return what `rule` would do to the list of `query`, as if it were live now and here, whatever its dates say.

    The other rules stay as they are. A saved rule takes the place of what is stored under its id.
    """
    stored = merchandising.rules_of(shelf.refresh())
    now = replace(rule, placements=frozenset(), starts_at=None, ends_at=None)
    changed = merchandising.in_order([*(one for one in stored if one.id != rule.id), now])
    before = pipeline.recommend(query).items
    after = pipeline.recommend(query, rules_instead=changed).items
    return Effect(_before(before, after), _after(before, after), concerned(rule))


def concerned(rule: Rule) -> int:
    """Return how many products that may be shown a rule is about."""
    fits = shelf.fitting(rule.target)
    return int((fits & shelf.eligible(Filters())[: len(fits)]).sum())


def _before(before: Sequence[Item], after: Sequence[Item]) -> tuple[Entry, ...]:
    kept = {item.facts.id for item in after}
    return tuple(
        Entry(position, item, "" if item.facts.id in kept else "removed")
        for position, item in enumerate(before, start=1)
    )


def _after(before: Sequence[Item], after: Sequence[Item]) -> tuple[Entry, ...]:
    places = {item.facts.id: position for position, item in enumerate(before, start=1)}
    entries = []
    for position, item in enumerate(after, start=1):
        place = places.get(item.facts.id)
        if place is None:
            entries.append(Entry(position, item, "added"))
        elif place == position:
            entries.append(Entry(position, item))
        else:
            entries.append(Entry(position, item, "up" if place > position else "down", abs(place - position)))
    return tuple(entries)
