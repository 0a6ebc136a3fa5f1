"""Why an item is shown, in a sentence that is true. No Django here."""

from collections.abc import Callable, Mapping

from recommendations.contracts import ProductFacts, Reason, Scored

# What a shopper did with the product that speaks for this one, as it is said to them.
DEEDS: Mapping[str, str] = {
    "purchase": "bought",
    "cart_add": "put into your cart",
    "wishlist_add": "saved",
    "recommendation_click": "looked at",
    "view": "viewed",
}
CODES: Mapping[str, str] = {
    "purchase": "because_you_bought",
    "cart_add": "because_you_carted",
    "wishlist_add": "because_you_saved",
}


def reason_for(one: Scored, *, facts: Callable[[int], ProductFacts], deeds: Mapping[int, str]) -> Reason:
    """Return the reason of the signal that added most to the score.

    `deeds` maps the shopper's recent products to what they did with them, for "because you bought …".
    """
    about = facts(one.because) if one.because else None
    match one.loudest:
        case "neighbours" if about:
            return _because(about, deeds.get(one.because, "view"), one.support)
        case "similar_shoppers":
            text = (
                f"{_shoppers(one.support)} with a taste like yours chose this"
                if one.support
                else "Shoppers like you chose this"
            )
            return Reason("shoppers_like_you", text)
        case "taste":
            return Reason("matches_your_taste", "Close to what you have been looking at")
        case "together" if about:
            orders = "1 order" if one.support == 1 else f"{one.support} orders"
            return Reason("bought_together", f"Bought together with {about.title} in {orders}", about.product_id)
        case "also_viewed" if about:
            text = f"{_shoppers(one.support)} interested in {about.title} also chose this"
            return Reason("shoppers_also_chose", text, about.product_id)
        case "similar":
            return Reason("similar", "Similar to this")
        case "popular_alike":
            return Reason("popular_in_category", "Popular in this category")
        case _:
            return _popular(one)


def complement(anchor: ProductFacts) -> Reason:
    """Return the reason of an item that fills up a bought-together list: it says that it was not bought together."""
    text = f"Goes with {anchor.title}; not bought together with it so far"
    return Reason("complements", text, anchor.product_id)


def _because(about: ProductFacts, deed: str, support: int) -> Reason:
    text = f"Because you {DEEDS.get(deed, 'viewed')} {about.title}"
    if support > 1:
        text += f" — {support} shoppers chose both"
    return Reason(CODES.get(deed, "because_you_viewed"), text, about.product_id)


def _popular(one: Scored) -> Reason:
    if one.popularity == 0:
        return Reason("new", "New in the shop")
    return Reason("popular", "Popular right now")


def _shoppers(count: int) -> str:
    return "1 shopper" if count == 1 else f"{count} shoppers"
