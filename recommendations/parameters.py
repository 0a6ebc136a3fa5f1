"""The query parameters of lists and search: parsed, checked, and turned into a `Query`."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from recommendations.contracts import Filters, Placement, Query
from reemio.api.fields import LONGEST_ID, PriceField, ShopIdField, TextField

MOST_IDS = 500
MOST_ITEMS = 50
PLAIN = {"user_id", "session_id", "limit"}
# Servers and proxies cut longer addresses; percent-encoded, this stays below what they take.
LONGEST_ID_LIST = 4_000


class IdListField(TextField):
    """Product ids, separated by commas; empty ones are passed over. Gives a tuple."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_ID_LIST, **kwargs)

    def to_internal_value(self, data: Any) -> tuple[str, ...]:  # type: ignore[override]
        """Split, and refuse ids that no product can have."""
        text = super().to_internal_value(data)
        # The field's own validators see the tuple, in whose text a null character is escaped.
        if "\x00" in text:
            raise serializers.ValidationError("Null characters are not allowed.", code="null_characters_not_allowed")
        ids = tuple(dict.fromkeys(part for part in text.split(",") if part))
        if not ids and self.required:
            self.fail("blank")
        if len(ids) > MOST_IDS:
            raise serializers.ValidationError(f"More than {MOST_IDS} ids.", code="max_length")
        if any(len(one) > LONGEST_ID for one in ids):
            raise serializers.ValidationError(f"An id is longer than {LONGEST_ID} characters.", code="max_length")
        return ids


class ListParameters(serializers.Serializer[Any]):
    """What all lists take."""

    user_id = ShopIdField(required=False, help_text="The shopper, by the shop's id.")
    session_id = ShopIdField(required=False, help_text="The visit, known or anonymous.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST_ITEMS, help_text="How many items.")
    category = TextField(required=False, max_length=500, help_text="Only this category path, and what is below it.")
    exclude = IdListField(required=False, help_text="Product ids to leave out, separated by commas.")
    min_price = PriceField(required=False, help_text="Lowest price, inclusive.")
    max_price = PriceField(required=False, help_text="Highest price, inclusive.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a price band that nothing can be in."""
        lowest, highest = attrs.get("min_price"), attrs.get("max_price")
        if lowest is not None and highest is not None and lowest > highest:
            raise serializers.ValidationError({"max_price": "max_price is below min_price."}, code="invalid")
        return attrs

    def filters(self) -> Filters:
        """Return the filters that were asked for."""
        data = self.validated_data
        return Filters(data.get("category", ""), data.get("min_price"), data.get("max_price"))

    def query(self, placement: Placement, *, default_limit: int, anchors: tuple[str, ...] = ()) -> Query:
        """Return the question to the engine."""
        data = self.validated_data
        return Query(
            placement=placement,
            limit=data.get("limit", default_limit),
            user_id=data.get("user_id", ""),
            session_id=data.get("session_id", ""),
            anchors=anchors,
            exclude=frozenset(data.get("exclude", ())),
            filters=self.filters(),
        )


def plain_query(given: Mapping[str, Any], placement: Placement, *, default_limit: int) -> Query | None:
    """Return the question where only a shopper and a limit are given, in plain values; else None.

    Most requests are of this kind.
    """
    if not given.keys() <= PLAIN:
        return None
    limit = str(given.get("limit", default_limit))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 2 and 1 <= int(limit) <= MOST_ITEMS):
        return None
    names = [given[name] for name in ("user_id", "session_id") if name in given]
    if not all(name.isascii() and name.isprintable() and 1 <= len(name) <= LONGEST_ID for name in names):
        return None
    return Query(placement, int(limit), user_id=given.get("user_id", ""), session_id=given.get("session_id", ""))


class CartParameters(ListParameters):
    """What the cart's list takes besides."""

    product_ids = IdListField(help_text="What is in the cart: ids separated by commas, or the parameter repeated.")


class SearchParameters(ListParameters):
    """What search takes besides."""

    q = TextField(max_length=500, help_text="What to look for.")
