"""What the analytics endpoints take and give."""

from datetime import date
from typing import Any

from rest_framework import serializers

from analytics.definitions import MEASURES
from analytics.periods import DEFAULT_DAYS, MOST_DAYS, Period, between
from reemio.api.fields import TextField

MOST_LISTED = 100
LISTED = 10


def _measure(name: str, kind: type[serializers.Field[Any, Any, Any, Any]], **more: Any) -> Any:
    return kind(help_text=MEASURES[name].text, **more)


class TopQuerySerializer(serializers.Serializer[Any]):
    """A period, by its length or by its ends, and what to list of it."""

    days = serializers.IntegerField(
        default=DEFAULT_DAYS, min_value=1, max_value=MOST_DAYS, help_text="The last days, today included."
    )
    to = serializers.DateField(required=False, help_text="The last day, inclusive; by default today.")
    limit = serializers.IntegerField(default=LISTED, min_value=1, max_value=MOST_LISTED)
    category = TextField(required=False, max_length=500, help_text="Only this category path, and what is below it.")

    def get_fields(self) -> dict[str, Any]:
        """Add the field whose name Python keeps to itself."""
        first = serializers.DateField(
            required=False, help_text="The first day, inclusive; by default `days` days up to the last."
        )
        return {"from": first, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        first, last = attrs.get("from"), attrs.get("to")
        if first and last and first > last:
            raise serializers.ValidationError({"to": "The period ends before it begins."}, code="invalid")
        return attrs

    def period(self) -> Period:
        """Return the period that was asked for; its ends, where they are given, count before `days`."""
        asked = self.validated_data
        first: date | None = asked.get("from")
        return between(first, asked.get("to"), days=asked["days"])


GROUPS = ("context", "strategy", "variant", "position", "device", "day")


class PerformanceQuerySerializer(TopQuerySerializer):
    """A period, and what to group by."""

    group_by = serializers.ChoiceField(GROUPS, default="context", help_text="What each item stands for.")

    def get_fields(self) -> dict[str, Any]:
        """Leave out what belongs to top lists."""
        return {name: field for name, field in super().get_fields().items() if name not in ("limit", "category")}


class PeriodSerializer(serializers.Serializer[Any]):
    """The days that were looked at, both inclusive, in the shop's time zone."""

    to = serializers.DateField()

    def get_fields(self) -> dict[str, Any]:
        """Add the field whose name Python keeps to itself."""
        return {"from": serializers.DateField(), **super().get_fields()}


class TopProductSerializer(serializers.Serializer[Any]):
    """A product in its place."""

    rank = serializers.IntegerField(min_value=1)
    product_id = serializers.CharField()
    title = serializers.CharField()
    category = serializers.CharField(allow_blank=True)


class ViewedProductSerializer(TopProductSerializer):
    """A product by its views."""

    views = _measure("views", serializers.IntegerField)
    unique_users = _measure("unique_users", serializers.IntegerField)


class RecommendedProductSerializer(TopProductSerializer):
    """A product by how often it was served."""

    recommendations = _measure("recommendations", serializers.IntegerField)
    impressions = _measure("impressions", serializers.IntegerField)
    clicks = _measure("clicks", serializers.IntegerField)
    click_through_rate = _measure("click_through_rate", serializers.FloatField, allow_null=True)


class PurchasedProductSerializer(TopProductSerializer):
    """A product by its purchases."""

    purchases = _measure("purchases", serializers.IntegerField)
    units = _measure("units", serializers.IntegerField)
    revenue = _measure("revenue", serializers.DecimalField, max_digits=None, decimal_places=2)
    currency = _measure("currency", serializers.CharField)
    unique_users = _measure("unique_users", serializers.IntegerField)


class TopViewedSerializer(serializers.Serializer[Any]):
    """The most viewed products of a period."""

    period = PeriodSerializer()
    items = ViewedProductSerializer(many=True)


class TopRecommendedSerializer(serializers.Serializer[Any]):
    """The most recommended products of a period."""

    period = PeriodSerializer()
    items = RecommendedProductSerializer(many=True)


class TopPurchasedSerializer(serializers.Serializer[Any]):
    """The best sellers of a period."""

    period = PeriodSerializer()
    items = PurchasedProductSerializer(many=True)


class GroupSerializer(serializers.Serializer[Any]):
    """One group of lists; it is named by the one field that was grouped by."""

    context = serializers.CharField(  # type: ignore[assignment]  # a field, not DRF's property
        required=False, allow_null=True, help_text="homepage, product_page, cart, email or search; null: unknown."
    )
    strategy = serializers.CharField(required=False, allow_null=True, help_text="What was really done; null: unknown.")
    variant = serializers.CharField(required=False, allow_null=True, help_text="“experiment:variant”; null: none.")
    position = serializers.IntegerField(required=False, allow_null=True, help_text="From 1; null: unknown.")
    device = serializers.CharField(
        required=False, allow_null=True, help_text="As the storefront reported it; null: it did not."
    )
    day = serializers.DateField(required=False, help_text="In the shop's time zone.")
    served = _measure("served", serializers.IntegerField, allow_null=True)
    impressions = _measure("impressions", serializers.IntegerField)
    clicks = _measure("clicks", serializers.IntegerField)
    click_through_rate = _measure("click_through_rate", serializers.FloatField, allow_null=True)
    conversions = _measure("conversions", serializers.IntegerField)
    conversion_rate = _measure("conversion_rate", serializers.FloatField, allow_null=True)
    attributed_revenue = _measure("attributed_revenue", serializers.DecimalField, max_digits=None, decimal_places=2)
    assisted_revenue = _measure("assisted_revenue", serializers.DecimalField, max_digits=None, decimal_places=2)
    currency = _measure("currency", serializers.CharField)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Leave out what was not grouped by."""
        told = super().to_representation(instance)
        return {name: value for name, value in told.items() if name not in GROUPS or name in instance}


class PerformanceSerializer(serializers.Serializer[Any]):
    """What recommendations did and earned in a period."""

    period = PeriodSerializer()
    items = GroupSerializer(many=True)
