"""How the engine is set up: event weights, decay, and each placement's settings; a model version may carry its own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from interactions.weights import DEFAULT_WEIGHTS
from recommendations.contracts import Placement, PlacementSettings, Query

OWNED_DAYS = 30
DEFAULT_RESCALE = "max"
# In a version's settings: the homepage where repurchases may be shown, of those nothing is known of, and of those of
# whom only a visit is.
REPEATS, GUESTS, VISITORS = "homepage_repeat", "homepage_guest", "homepage_visit"
HOMEPAGES = (REPEATS, GUESTS, VISITORS)
BRIEF_WEIGHTS: Mapping[str, float] = MappingProxyType({"content": 0.5, "collaborative": 0.3, "popularity": 0.2})

DEFAULT_PLACEMENTS: Mapping[Placement, PlacementSettings] = MappingProxyType(
    {
        # 4 of 12 for a category, as the brief's diversity limit.
        Placement.HOMEPAGE: PlacementSettings(BRIEF_WEIGHTS, category_share=1 / 3, brand_share=1 / 3),
        # Alternatives to one product share its category and often its brand: that is what the shopper asked for.
        Placement.PRODUCT: PlacementSettings(BRIEF_WEIGHTS),
        Placement.CART: PlacementSettings(BRIEF_WEIGHTS, category_share=1 / 2),
        Placement.BOUGHT_TOGETHER: PlacementSettings(BRIEF_WEIGHTS),
    }
)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Everything that decides a list, apart from the data. `homepages` are the special ones that have their own."""

    placements: Mapping[Placement, PlacementSettings] = field(default_factory=lambda: DEFAULT_PLACEMENTS)
    homepages: Mapping[str, PlacementSettings] = field(default_factory=dict)

    def of_query(self, query: Query) -> PlacementSettings:
        """Return the settings that answer a query: the homepage has its own where repurchases may be shown."""
        if query.placement is Placement.HOMEPAGE and query.include_purchased:
            return self.homepages.get(REPEATS, self.of(query.placement))
        return self.of(query.placement)

    def of_newcomer(self, query: Query, *, stranger: bool) -> PlacementSettings:
        """Return the homepage's settings for who has no history: a `stranger`, or somebody whose visit is known.

        Without settings of their own, visitors have everybody's, and strangers the blend, which is what is popular.
        """
        usual = self.of_query(query)
        if stranger:
            return self.homepages.get(GUESTS, replace(usual, mix={}, rescale=DEFAULT_RESCALE))
        return self.homepages.get(VISITORS, usual)

    @property
    def mixed(self) -> frozenset[str]:
        """Return the codes of all signals that any placement mixes."""
        every = [*self.placements.values(), *self.homepages.values()]
        return frozenset(code for one in every for code in one.mix)

    def of(self, placement: Placement) -> PlacementSettings:
        """Return one placement's settings."""
        return self.placements[placement]


def default_event_weights() -> dict[str, float]:
    """Return the brief's weight of each kind of event that has one."""
    return {str(kind): weight for kind, weight in DEFAULT_WEIGHTS.items() if weight is not None}


def to_json(settings: EngineSettings) -> dict[str, Any]:
    """Return the form in which a model version keeps its settings."""
    stored = {placement.value: stored_form(chosen) for placement, chosen in settings.placements.items()}
    return stored | {name: stored_form(chosen) for name, chosen in settings.homepages.items()}


def stored_form(chosen: PlacementSettings) -> dict[str, Any]:
    """Return the form in which a model version keeps one placement's settings."""
    stored = {
        "weights": dict(chosen.weights),
        "rescale": chosen.rescale,
        "category_share": chosen.category_share,
        "brand_share": chosen.brand_share,
        "rerank": chosen.rerank,
    }
    return stored | ({"mix": dict(chosen.mix)} if chosen.mix else {})


def overruled(stored: Mapping[str, Any], overrides: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a model version's settings with fields of placements overruled; the homepage's hold for all homepages."""
    changed = dict(stored)
    for name, fields in overrides.items():
        usual = stored_form(DEFAULT_PLACEMENTS[Placement(name)])
        changed[name] = {**usual, **stored.get(name, {}), **fields}
        if name == Placement.HOMEPAGE:
            changed |= {special: {**stored[special], **fields} for special in HOMEPAGES if special in stored}
    return changed


def fingerprint(chosen: PlacementSettings) -> str:
    """Return a digest of how a placement scores in stage 2: what was measured upon it holds as long as it is the same.

    The mix counts without its order; rules and the reranker's own switch do not count.
    """
    scoring = {"weights": dict(chosen.weights), "rescale": chosen.rescale, "mix": dict(chosen.mix)}
    return hashlib.sha256(json.dumps(scoring, sort_keys=True).encode()).hexdigest()[:16]


def from_json(stored: Mapping[str, Any]) -> EngineSettings:
    """Return the settings that a model version keeps; placements it does not mention have the defaults."""
    placements = dict(DEFAULT_PLACEMENTS)
    for name, chosen in stored.items():
        if name not in HOMEPAGES:
            placements[Placement(name)] = PlacementSettings(**chosen)
    homepages = {name: PlacementSettings(**stored[name]) for name in HOMEPAGES if name in stored}
    return EngineSettings(MappingProxyType(placements), MappingProxyType(homepages))
