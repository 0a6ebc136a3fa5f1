"""What each measure means, once: the API's descriptions, the documentation and the tests all read it here."""

from typing import Final

MEASURES: Final[dict[str, str]] = {
    "views": "Events of the type view in the period.",
    "unique_users": "Different people behind those events; a guest counts once per session.",
    "recommendations": "Times the product stood in a list that was served in the period.",
    "impressions": "Times a storefront reported it as seen; repeats within one served list count once.",
    "clicks": "Times a recommendation of it was clicked; repeats within one served list count once.",
    "click_through_rate": "Clicks divided by impressions; null where there was no impression.",
    "purchases": "Events of the type purchase in the period: order lines.",
    "units": "Pieces bought: the sum of the quantities, a line without one counting as one piece.",
    "revenue": "Sum of quantity × unit price (or the product's price, where the event has none), "
    "in the currency that earned the product the most; other currencies are left out.",
    "currency": "The currency of the revenue, by its ISO 4217 code.",
}
