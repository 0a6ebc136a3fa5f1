"""`POST /orders/{order_id}/refunds`: read, note, answer."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from interactions import schema
from interactions.events import RefusedError
from interactions.refunds import MOST_LINES, read_refund
from interactions.services.refund import refund_order
from interactions.validation import LARGEST_INTEGER, LONGEST_EVENT_ID, LONGEST_ID
from reemio.access.permissions import SecretKey

_LINE = {
    "type": "object",
    "properties": {
        "product_id": schema.text(LONGEST_ID),
        "quantity": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": LARGEST_INTEGER,
            "description": "How many pieces came back; by default all.",
        },
    },
    "required": ["product_id"],
}
_REFUND = {
    "type": "object",
    "properties": {
        "refund_id": schema.optional(
            schema.text(LONGEST_EVENT_ID, description="The shop's own; a repeat changes nothing. Required with lines.")
        ),
        "lines": {
            "type": ["array", "null"],
            "minItems": 1,
            "maxItems": MOST_LINES,
            "items": _LINE,
            "description": "What came back; by default the whole order.",
        },
        "occurred_at": schema.optional({"type": "string", "format": "date-time", "description": "Default: now."}),
    },
    "anyOf": [
        {"properties": {"lines": {"type": "null"}}},
        {"required": ["refund_id"], "properties": {"refund_id": {"type": "string"}}},
    ],
}


class RefundedSerializer(serializers.Serializer[Any]):
    """The answer to a refund."""

    order_id = serializers.CharField()
    refund_id = serializers.CharField(allow_blank=True, help_text="Empty: the cancellation of the order.")
    duplicate = serializers.BooleanField()


class OrderRefundsView(APIView):
    """What came back of one order."""

    permission_classes = [SecretKey]

    @extend_schema(
        operation_id="refund_order",
        tags=["Interactions"],
        summary="Cancel or refund an order, or lines of it",
        parameters=[
            OpenApiParameter("order_id", schema.text(LONGEST_ID), OpenApiParameter.PATH, description="The shop's own.")
        ],
        request={"application/json": _REFUND},
        responses={
            201: OpenApiResponse(RefundedSerializer, "Noted. The order's lines may arrive later."),
            200: OpenApiResponse(RefundedSerializer, "It was noted before, and stays as it was."),
            400: schema.REFUSED,
            413: schema.TOO_LARGE,
        },
    )
    def post(self, request: Request, order_id: str) -> Response:
        """Take what came back off the revenue and conversions of the order; without `lines`, all of it."""
        try:
            refund = read_refund(request.data, order_id=order_id, now=timezone.now())
        except RefusedError as refused:
            body = {"type": "validation_error", "errors": [problem.as_json() for problem in refused.problems]}
            return Response(body, status.HTTP_400_BAD_REQUEST)
        is_new = refund_order(refund)
        answer = {"order_id": order_id, "refund_id": refund.refund_id, "duplicate": not is_new}
        return Response(answer, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
