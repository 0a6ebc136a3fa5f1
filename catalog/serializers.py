"""What the catalogue's endpoints take and give."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.rows import FIELDS, LARGEST_STOCK, LONGEST, LONGEST_DESCRIPTION, ProductRow, check_attributes
from reemio.api.fields import CurrencyField, PriceField, ShopIdField, TextField, WholeNumberField
from reemio.api.schema import ErrorAnswerSerializer, ErrorDetailSerializer

MOST_PRODUCTS = 500
MOST_LISTED = 100
LISTED = 50
# The 16 hexadecimal digits of a positive bigint: every cursor that fits the pattern is a good one.
CURSOR_PATTERN = "^c[0-7][0-9a-f]{15}$"


@extend_schema_field(OpenApiTypes.BOOL)
class FlagField(serializers.Field[bool, Any, bool, Any]):
    """`true` or `false`, in JSON or as a query parameter; nothing that merely resembles them."""

    default_error_messages = {"invalid": "Must be true or false."}
    words = {"true": True, "false": False}

    def to_internal_value(self, data: Any) -> bool:
        """Refuse every other word and type."""
        if isinstance(data, bool):
            return data
        if isinstance(data, str) and data in self.words:
            return self.words[data]
        return self.fail("invalid")

    def to_representation(self, value: bool) -> bool:
        """Return it as it is."""
        return value


@extend_schema_field({"type": "boolean"})
class JsonFlagField(FlagField):
    """`true` or `false` as JSON has them."""

    words = {}


@extend_schema_field({"type": "object", "additionalProperties": {}})
class AttributesField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object of at most 16 KiB; free."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse what PostgreSQL could not store."""
        reason = check_attributes(data)
        if reason:
            raise serializers.ValidationError(f"The attributes are {reason}.", code="invalid")
        return dict(data)

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return it as it is."""
        return value


def _optional(name: str, **more: Any) -> TextField:
    longest = LONGEST.get(name, LONGEST_DESCRIPTION)
    return TextField(required=False, allow_blank=True, allow_null=True, max_length=longest, **more)


class ProductFieldsSerializer(serializers.Serializer[Any]):
    """A product, but for its id. What is left out, or null, is empty: a push replaces the whole product."""

    title = TextField(max_length=LONGEST["title"])
    description = _optional("description")
    category = _optional("category", help_text="A path: “Sports > Running > Shoes”.")
    brand = _optional("brand")
    price = PriceField(required=False, allow_null=True)
    currency = CurrencyField(
        required=False, allow_blank=True, allow_null=True, help_text="ISO 4217; by default the shop's own."
    )
    image_url = _optional("image_url")
    url = _optional("url")
    stock_quantity = WholeNumberField(
        required=False, allow_null=True, min_value=0, max_value=LARGEST_STOCK, help_text="null: not tracked."
    )
    is_active = JsonFlagField(required=False)
    attributes = AttributesField(required=False, allow_null=True)


class NewProductSerializer(ProductFieldsSerializer):
    """A product of a batch."""

    product_id = ShopIdField()


class ProductBatchSerializer(serializers.Serializer[Any]):
    """Up to 500 products."""

    products = serializers.ListField(
        child=NewProductSerializer(), min_length=1, max_length=MOST_PRODUCTS, help_text="1 to 500 products."
    )


class ProductListSerializer(serializers.Serializer[Any]):
    """The outer shape of a batch, whose products are checked one by one."""

    products = serializers.ListField(allow_empty=False, max_length=MOST_PRODUCTS)


class InventorySerializer(serializers.Serializer[Any]):
    """The stock of one product."""

    stock_quantity = WholeNumberField(
        allow_null=True, min_value=0, max_value=LARGEST_STOCK, help_text="null: not tracked."
    )


class MirroredProductSerializer(serializers.Serializer[Any]):
    """A product as the mirror holds it."""

    product_id = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    brand = serializers.CharField(allow_blank=True)
    price = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    image_url = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    stock_quantity = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()
    attributes = AttributesField()
    updated_at = serializers.DateTimeField()


class ProductPageSerializer(serializers.Serializer[Any]):
    """A page of products."""

    results = MirroredProductSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The next page; null: this is the last.")


class RejectedProductSerializer(serializers.Serializer[Any]):
    """A product of a batch that was not taken."""

    index = serializers.IntegerField(help_text="Its place in the batch, from 0.")
    errors = ErrorDetailSerializer(many=True)  # type: ignore[assignment]  # a field


class ProductBatchReportSerializer(serializers.Serializer[Any]):
    """What became of a batch."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors = RejectedProductSerializer(many=True)  # type: ignore[assignment]  # a field


class RefusedProductSerializer(ErrorDetailSerializer):
    """The first thing wrong with a product of a batch and, where the batch could be read, all that is."""

    index = serializers.IntegerField(required=False)
    errors = ErrorDetailSerializer(many=True, required=False)  # type: ignore[assignment]  # a field


class RefusedProductBatchSerializer(ErrorAnswerSerializer):
    """A 400 that is the report on a batch, too, where the batch could be read."""

    accepted = serializers.IntegerField(required=False)
    rejected = serializers.IntegerField(required=False)
    errors = RefusedProductSerializer(many=True)


# Written out, since drf-spectacular takes every field of a PATCH for optional.
INVENTORY_SCHEMA = {
    "application/json": {
        "type": "object",
        "required": ["stock_quantity"],
        "properties": {
            "stock_quantity": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": LARGEST_STOCK,
                "description": "null: not tracked.",
            }
        },
    }
}


class ProductQuerySerializer(serializers.Serializer[Any]):
    """The filters of the product list."""

    q = TextField(required=False, max_length=500, help_text="Words of the texts, or a product id.")
    category = TextField(required=False, max_length=500, help_text="Only this category path, and what is below it.")
    brand = TextField(required=False, max_length=200)
    in_stock = FlagField(required=False, help_text="true: in stock or not tracked; false: out of stock.")
    cursor = serializers.RegexField(CURSOR_PATTERN, required=False, help_text="Taken from `next`; opaque.")
    limit = serializers.IntegerField(default=LISTED, min_value=1, max_value=MOST_LISTED)


def row_of(product_id: str, fields: dict[str, Any]) -> ProductRow:
    """Return the product that was pushed; a null leaves the default."""
    given = {name: value for name, value in fields.items() if name in FIELDS and value is not None}
    return ProductRow(**{**given, "product_id": product_id})


def as_refusal(report: dict[str, Any]) -> dict[str, Any]:
    """Make a batch's report an error like every other 400: each entry is also the first of its product's errors."""
    entries = [{**entry["errors"][0], **entry} for entry in report["errors"]]
    return {"type": "validation_error", **report, "errors": entries}
