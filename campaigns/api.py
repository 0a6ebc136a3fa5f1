"""`POST /products/{product_id}/notify-me`."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.services.ask import ask_to_be_told
from catalog.models import Product
from catalog.views import PRODUCT_ID
from reemio.access.permissions import SecretKey
from reemio.api.fields import LONGEST_ID, AddressField, ShopIdField


@extend_schema_field({"type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_ID, "pattern": r"^[^\x00]*$"})
class OptionalIdField(ShopIdField):
    """An id of the shop, or null."""


class NotifyMeInput(serializers.Serializer[Any]):
    """Who wants to be told: a user by id, or a visitor by address; one of the two."""

    user_id = OptionalIdField(required=False, allow_null=True)
    email = AddressField(required=False, allow_null=True, max_length=254, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        given = [name for name in ("user_id", "email") if attrs.get(name)]
        if not given:
            raise serializers.ValidationError({"user_id": "Name the user_id or the email."}, "required")
        if len(given) == 2:
            raise serializers.ValidationError({"email": "Name either the user_id or the email."}, "not_allowed")
        return attrs


class NotifyMeSerializer(serializers.Serializer[Any]):
    """The answer: the request waits for the product's return."""

    product_id = serializers.CharField()
    in_stock = serializers.BooleanField(help_text="Whether the product can be bought at this moment.")


class NotifyMeView(APIView):
    """A wish to be told."""

    permission_classes = [SecretKey]

    @extend_schema(
        operation_id="notify_me",
        tags=["Catalogue"],
        summary="Ask to be told when a product is back in stock",
        parameters=[PRODUCT_ID],
        request=NotifyMeInput,
        responses={
            201: OpenApiResponse(NotifyMeSerializer, "Remembered; one mail uses it up."),
            200: OpenApiResponse(NotifyMeSerializer, "It was remembered before, and still waits."),
        },
    )
    def post(self, request: Request, product_id: str) -> Response:
        """Remember that a person wants one mail when the stock rises from 0. No consent to marketing is needed."""
        asked_by = NotifyMeInput(data=request.data)
        asked_by.is_valid(raise_exception=True)
        said = {name: value for name, value in asked_by.validated_data.items() if value}
        try:
            asked = ask_to_be_told(product_id=_checked(product_id), **said)
        except Product.DoesNotExist as error:
            raise NotFound("There is no product with this id.") from error
        available = Product.objects.available().filter(pk=asked.product.pk).exists()
        answer = {"product_id": asked.product.product_id, "in_stock": available}
        return Response(answer, status.HTTP_201_CREATED if asked.is_new else status.HTTP_200_OK)


def _checked(product_id: str) -> str:
    """Return the id from the path, if a product can have it; 400 otherwise."""
    try:
        return str(ShopIdField().run_validation(product_id))
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"product_id": error.detail}) from error


urlpatterns = [path("products/<str:product_id>/notify-me", NotifyMeView.as_view(), name="notify-me")]
