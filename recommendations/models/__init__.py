"""What the engine keeps, one file per concern."""

from recommendations.models.evaluations import Evaluation
from recommendations.models.experiments import Experiment, ExperimentVariant, KeptVariant
from recommendations.models.pairs import FreshPair, FreshPairsNumber
from recommendations.models.rerankers import PairScores, Reranker
from recommendations.models.rules import MerchandisingRule, RulesVersion
from recommendations.models.shoppers import ServedList, Taste
from recommendations.models.versions import (
    ModelVersion,
    NeighbourList,
    ProductLevels,
    ProductPopularity,
    ShopperNeighbourhood,
    VisitIndex,
)
from recommendations.models.weights import EventWeight, PlacementOverride, SettingsChange

__all__ = [
    "Evaluation",
    "EventWeight",
    "Experiment",
    "ExperimentVariant",
    "FreshPair",
    "FreshPairsNumber",
    "KeptVariant",
    "MerchandisingRule",
    "ModelVersion",
    "NeighbourList",
    "PairScores",
    "PlacementOverride",
    "ProductLevels",
    "ProductPopularity",
    "Reranker",
    "RulesVersion",
    "ServedList",
    "SettingsChange",
    "ShopperNeighbourhood",
    "Taste",
    "VisitIndex",
]
