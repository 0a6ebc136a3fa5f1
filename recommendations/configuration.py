"""How the engine is set up: event weights, decay, and each placement's settings; a model version may carry its own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from interactions.weights import DEFAULT_WEIGHTS
from recommendations.contracts import Placement, PlacementSettings, Query

OWNED_DAYS = 30
DEFAULT_RESCALE = "max"
# The homepage where repurchases may be shown, in a version's settings.
REPEATS = "homepage_repeat"
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
    """Everything that decides a list, apart from the data."""

    placements: Mapping[Placement, PlacementSettings] = field(default_factory=lambda: DEFAULT_PLACEMENTS)
    repeats: PlacementSettings | None = None

    def of_query(self, query: Query) -> PlacementSettings:
        """Return the settings that answer a query: the homepage has its own where repurchases may be shown."""
        if query.placement is Placement.HOMEPAGE and query.include_purchased and self.repeats is not None:
            return self.repeats
        return self.of(query.placement)

    @property
    def mixed(self) -> frozenset[str]:
        """Return the codes of all signals that any placement mixes."""
        every = [*self.placements.values(), *([self.repeats] if self.repeats else [])]
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
    return stored | ({REPEATS: stored_form(settings.repeats)} if settings.repeats else {})


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
    """Return a model version's settings with these fields of placements overruled; the homepage's hold for both."""
    changed = dict(stored)
    for name, fields in overrides.items():
        usual = stored_form(DEFAULT_PLACEMENTS[Placement(name)])
        changed[name] = {**usual, **stored.get(name, {}), **fields}
        if name == Placement.HOMEPAGE and REPEATS in stored:
            changed[REPEATS] = {**stored[REPEATS], **fields}
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
        if name != REPEATS:
            placements[Placement(name)] = PlacementSettings(**chosen)
    repeats = PlacementSettings(**stored[REPEATS]) if REPEATS in stored else None
    return EngineSettings(MappingProxyType(placements), repeats)
