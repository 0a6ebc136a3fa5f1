"""The shape of answers, for the OpenAPI document; `answers.py` builds the answers themselves, which is quicker."""

from typing import Any

from rest_framework import serializers

from recommendations.contracts import Strategy


class SignalsSerializer(serializers.Serializer[Any]):
    """The normalised inputs of the score."""

    content = serializers.FloatField(min_value=0, max_value=1)
    collaborative = serializers.FloatField(min_value=0, max_value=1)
    popularity = serializers.FloatField(min_value=0, max_value=1)
    rerank = serializers.FloatField(min_value=0, max_value=1, allow_null=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why the item is shown."""

    code = serializers.CharField()
    text = serializers.CharField()
    product_id = serializers.CharField(allow_null=True)


class ProductSerializer(serializers.Serializer[Any]):
    """What a storefront needs to draw a card."""

    title = serializers.CharField()
    category = serializers.CharField(allow_blank=True)
    brand = serializers.CharField(allow_blank=True)
    price = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    image_url = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)
    in_stock = serializers.BooleanField()


class ItemSerializer(serializers.Serializer[Any]):
    """One entry of a list."""

    product_id = serializers.CharField()
    position = serializers.IntegerField(min_value=1)
    score = serializers.FloatField()
    signals = SignalsSerializer()
    reason = ReasonSerializer()
    product = ProductSerializer()


class RecommendationsSerializer(serializers.Serializer[Any]):
    """A list, and how it came about."""

    request_id = serializers.UUIDField()
    context = serializers.ChoiceField(["homepage", "product_page", "cart"])  # type: ignore[assignment]
    strategy = serializers.ChoiceField([one.value for one in Strategy if one is not Strategy.SEARCH])
    model_version = serializers.IntegerField(allow_null=True)
    rerank = serializers.CharField(help_text="Whether the reranking stage is on, and if not, why.")
    variant = serializers.CharField(allow_null=True, help_text="“experiment:variant”, where the shopper is in one.")
    items = ItemSerializer(many=True)


class SearchResultsSerializer(serializers.Serializer[Any]):
    """Search results: items as in a list, and how many products matched in all."""

    request_id = serializers.UUIDField()
    query = serializers.CharField()
    understood_as = serializers.CharField(
        allow_null=True, help_text="What was searched for, where a word was mistyped; otherwise null."
    )
    total = serializers.IntegerField(min_value=0)
    items = ItemSerializer(many=True)
