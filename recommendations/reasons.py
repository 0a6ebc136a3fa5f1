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
# Signals whose support counts orders that held both products.
TOGETHER_CODES = {
    "together", "order_ease_sized", "order_ease_soft", "order_ease_both", "order_ease_alike", "order_ease_named",
    "confidence", "confidence_soft", "damped",
}  # fmt: skip
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
        case "pinned":
            return Reason("featured", "Picked by the shop")
        case "restock" | "own_due":
            return Reason("time_to_restock", "Time to restock: you usually buy this again about now")
        case "own_often" | "own_share" | "own_recent":
            times = f" {one.support} times" if one.support > 1 else ""
            return Reason("buy_again", f"Buy again: you bought this{times} before")
        case "ease" | "audience" | "audience_recent" | "forecast" | "neighbours" if about and one.because in deeds:
            return _because(about, deeds[one.because], one.support)
        case "sequence" if about:
            return Reason("next_after", f"Often chosen right after {about.title}", about.product_id)
        case "visits":
            return Reason("visits_like_this", f"Chosen in {_visits(one.support)} like this one")
        case "forecast" if about and one.because == one.product:
            return Reason("buy_again", "Buy again: shoppers with a history like yours did")
        case "next_order" if about:
            return Reason("next_after", f"Often bought after {about.title}", about.product_id)
        case "alike" | "alike_soft" if about:
            return Reason("similar", f"Similar to {about.title}", about.product_id)
        case code if code in TOGETHER_CODES and about and one.support > 0:
            orders = "1 order" if one.support == 1 else f"{one.support} orders"
            return Reason("bought_together", f"Bought together with {about.title} in {orders}", about.product_id)
        case "order_ease_alike" | "order_ease_named" if about:
            return Reason("similar", f"Similar to {about.title}", about.product_id)
        case "trend_short" | "trend_long":
            return Reason("trending", "Trending now")
        case "neighbours" | "visit" if about:
            return _because(about, deeds.get(one.because, "view"), one.support)
        case "similar_shoppers" | "similar_recent" | "similar" | "similar_wide":
            text = (
                f"{_shoppers(one.support)} with a taste like yours chose this"
                if one.support
                else "Shoppers like you chose this"
            )
            return Reason("shoppers_like_you", text)
        case "taste":
            return Reason("matches_your_taste", "Close to what you have been looking at")
        case (
            "also_viewed" | "audience_long" | "audience_short" | "audience" | "audience_recent" | "ease" | "forecast"
        ) if about:
            text = f"{_shoppers(one.support)} interested in {about.title} also chose this"
            return Reason("shoppers_also_chose", text, about.product_id)
        case "near" | "near_anchors":
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


def _visits(count: int) -> str:
    return "a visit" if count == 1 else f"{count} visits"


def _shoppers(count: int) -> str:
    return "1 shopper" if count == 1 else f"{count} shoppers"
