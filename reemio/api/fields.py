"""Serializer fields for the shop's own ids and texts; whatever PostgreSQL could not store is refused here, as a 400."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

LONGEST_ID = 128
ADDRESS = r"[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,3}[A-Za-z]{2,24}"
PRICE = re.compile(r"^[0-9]{1,10}(\.[0-9]{1,2})?$")


class TextField(serializers.CharField):
    """A JSON string of storable text: no other type is coerced, no NUL, no lone surrogate."""

    default_error_messages = {
        "invalid": "Not a valid string.",
        "unstorable": "Contains characters that are not valid text.",
    }

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is not a string, or cannot be encoded."""
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            data.encode("utf-8")
        except UnicodeEncodeError:
            self.fail("unstorable")
        return str(super().to_internal_value(data))


class ShopIdField(TextField):
    """An opaque id of the shop: 1 to 128 characters, kept exactly as it came."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST_ID)
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)


@extend_schema_field({"type": ["string", "null"], "maxLength": 254, "pattern": f"^{ADDRESS}$"})
class AddressField(TextField):
    """An e-mail address, as shops have them: no comments, no quotes."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what no mail could be sent to."""
        address = super().to_internal_value(data)
        if not re.fullmatch(ADDRESS, address):
            raise serializers.ValidationError("Enter a valid email address.", "invalid")
        return address


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "format": "decimal", "pattern": PRICE.pattern},
            {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99},
        ]
    }
)
class PriceField(serializers.DecimalField):
    """An amount of money, 0 or more, with at most two decimals; a JSON number or a string of plain digits."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 12)
        kwargs.setdefault("decimal_places", 2)
        kwargs.setdefault("min_value", Decimal(0))
        super().__init__(**kwargs)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Take an empty string for a wrong price: that there is none is said by null."""
        return serializers.Field.validate_empty_values(self, data)

    def to_internal_value(self, data: Any) -> Decimal:
        """Refuse booleans, which Python takes for numbers, and notations like 1e3 or those of other scripts."""
        if isinstance(data, bool) or (isinstance(data, str) and not PRICE.match(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.INT)
class WholeNumberField(serializers.IntegerField):
    """A JSON integer: neither a string, nor a float, nor a boolean."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse every other JSON type."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class CurrencyField(TextField):
    """A currency by its ISO 4217 code, in capitals."""

    default_error_messages = {"currency": "Not a currency code of three letters."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Accept three ASCII letters of any case."""
        code = super().to_internal_value(data).upper()
        if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
            self.fail("currency")
        return code
