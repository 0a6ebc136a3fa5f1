"""How much each kind of event says about a shopper's interest: the brief's table, the one place where it stands."""

from collections.abc import Mapping
from types import MappingProxyType

from interactions.models import InteractionType

# None: such an event says nothing about products; its query is used for intent.
DEFAULT_WEIGHTS: Mapping[InteractionType, float | None] = MappingProxyType(
    {
        InteractionType.PURCHASE: 5.0,
        InteractionType.CART_ADD: 3.0,
        InteractionType.WISHLIST_ADD: 2.0,
        InteractionType.RECOMMENDATION_CLICK: 1.5,
        InteractionType.VIEW: 1.0,
        InteractionType.RECOMMENDATION_VIEW: 0.5,
        InteractionType.CART_REMOVE: -1.0,
        InteractionType.SEARCH: None,
    }
)
# A weight decays as exp(−days / DECAY_DAYS).
DECAY_DAYS = 30.0
