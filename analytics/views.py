"""The analytics endpoints: parse, ask, answer."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from analytics import serializers
from analytics.freshening import catch_up
from analytics.performance import told_by
from analytics.top_products import top_purchased, top_recommended, top_viewed
from reemio.access.permissions import SecretKey

Answer = Callable[..., list[dict[str, Any]]]


class TopView(APIView):
    """What the three top lists share."""

    permission_classes = [SecretKey]
    shape: ClassVar[type[Serializer[Any]]]

    def answer(self, request: Request, top: Answer) -> Response:
        """Answer with the period and the ranked products."""
        query = serializers.TopQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        period, asked = query.period(), query.validated_data
        catch_up()
        items = top(period=period, limit=asked["limit"], category=asked.get("category", ""))
        body = {"period": {"from": period.first, "to": period.last}, "items": items}
        return Response(self.shape(body).data)


class TopViewedView(TopView):
    """The most viewed products."""

    shape = serializers.TopViewedSerializer

    @extend_schema(
        operation_id="top_viewed",
        tags=["Analytics"],
        parameters=[serializers.TopQuerySerializer],
        responses={200: serializers.TopViewedSerializer},
    )
    def get(self, request: Request) -> Response:
        """List the products that were viewed most."""
        return self.answer(request, top_viewed)


class TopRecommendedView(TopView):
    """The most recommended products."""

    shape = serializers.TopRecommendedSerializer

    @extend_schema(
        operation_id="top_recommended",
        tags=["Analytics"],
        parameters=[serializers.TopQuerySerializer],
        responses={200: serializers.TopRecommendedSerializer},
    )
    def get(self, request: Request) -> Response:
        """List the products that were recommended most."""
        return self.answer(request, top_recommended)


class TopPurchasedView(TopView):
    """The best sellers."""

    shape = serializers.TopPurchasedSerializer

    @extend_schema(
        operation_id="top_purchased",
        tags=["Analytics"],
        parameters=[serializers.TopQuerySerializer],
        responses={200: serializers.TopPurchasedSerializer},
    )
    def get(self, request: Request) -> Response:
        """List the products that were bought most."""
        return self.answer(request, top_purchased)


class PerformanceView(APIView):
    """What recommendations did and earned."""

    permission_classes = [SecretKey]

    @extend_schema(
        operation_id="recommendation_performance",
        tags=["Analytics"],
        parameters=[serializers.PerformanceQuerySerializer],
        responses={200: serializers.PerformanceSerializer},
    )
    def get(self, request: Request) -> Response:
        """Tell what was served, seen, clicked, bought and earned, by one dimension."""
        query = serializers.PerformanceQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        period, group_by = query.period(), query.validated_data["group_by"]
        catch_up()
        body = {"period": {"from": period.first, "to": period.last}, "items": told_by(period, group_by)}
        return Response(serializers.PerformanceSerializer(body).data)
