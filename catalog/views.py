"""The catalogue's endpoints: push instead of pull, and a look at the mirror."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from drf_standardized_errors.formatter import flatten_errors
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from catalog import serializers
from catalog.models import Product
from catalog.rows import ProductRow
from catalog.services.deactivate import deactivate
from catalog.services.mirror_products import mirror_products
from catalog.services.set_inventory import set_inventory
from catalog.services.upsert_product import upsert_product
from catalog.tasks import wake_embedder
from reemio.access.permissions import SecretKey
from reemio.api.fields import LONGEST_ID, ShopIdField

PRODUCT_ID = OpenApiParameter(
    "product_id",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": r"^[^/\x00]+$"},
    OpenApiParameter.PATH,
    description="The shop's product id.",
)


class ProductView(APIView):
    """One product."""

    permission_classes = [SecretKey]

    @extend_schema(
        operation_id="get_product",
        tags=["Catalogue"],
        parameters=[PRODUCT_ID],
        responses={200: serializers.MirroredProductSerializer},
    )
    def get(self, request: Request, product_id: str) -> Response:
        """Return the product as the mirror holds it."""
        try:
            product = Product.objects.get(product_id=_checked(product_id))
        except Product.DoesNotExist as error:
            raise _unknown() from error
        return Response(serializers.MirroredProductSerializer(product).data)

    @extend_schema(
        operation_id="put_product",
        tags=["Catalogue"],
        parameters=[PRODUCT_ID],
        request=serializers.ProductFieldsSerializer,
        responses={
            200: OpenApiResponse(serializers.MirroredProductSerializer, "Replaced."),
            201: OpenApiResponse(serializers.MirroredProductSerializer, "New."),
        },
    )
    def put(self, request: Request, product_id: str) -> Response:
        """Insert or replace the product; it is embedded within a minute."""
        fields = serializers.ProductFieldsSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        row = serializers.row_of(_checked(product_id), fields.validated_data)
        product, created = upsert_product(row=row)
        wake_embedder()
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return Response(serializers.MirroredProductSerializer(product).data, code)

    @extend_schema(
        operation_id="delete_product",
        tags=["Catalogue"],
        parameters=[PRODUCT_ID],
        responses={204: OpenApiResponse(description="Deactivated.")},
    )
    def delete(self, request: Request, product_id: str) -> Response:
        """Deactivate the product; its history stays."""
        try:
            deactivate(product_id=_checked(product_id))
        except Product.DoesNotExist as error:
            raise _unknown() from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class InventoryView(APIView):
    """The stock of one product."""

    permission_classes = [SecretKey]

    @extend_schema(
        operation_id="set_inventory",
        tags=["Catalogue"],
        parameters=[PRODUCT_ID],
        request=serializers.INVENTORY_SCHEMA,
        responses={200: serializers.MirroredProductSerializer},
    )
    def patch(self, request: Request, product_id: str) -> Response:
        """Set the stock; a rise from 0 is remembered for the back-in-stock mails."""
        stock = serializers.InventorySerializer(data=request.data)
        stock.is_valid(raise_exception=True)
        try:
            product = set_inventory(product_id=_checked(product_id), **stock.validated_data)
        except Product.DoesNotExist as error:
            raise _unknown() from error
        return Response(serializers.MirroredProductSerializer(product).data)


class ProductsView(APIView):
    """The catalogue."""

    permission_classes = [SecretKey]

    @extend_schema(
        operation_id="list_products",
        tags=["Catalogue"],
        parameters=[serializers.ProductQuerySerializer],
        responses={200: serializers.ProductPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """List products, page by page, in the order in which they came; inactive ones as well."""
        query = serializers.ProductQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        after = int(asked.get("cursor", "c0")[1:], 16)
        found = Product.objects.matching(
            words=asked.get("q", ""),
            category=asked.get("category", ""),
            brand=asked.get("brand", ""),
            in_stock=asked.get("in_stock"),
        )
        # One more than asked for tells whether there is a next page.
        page = list(found.filter(pk__gt=after).order_by("pk").defer("search")[: asked["limit"] + 1])
        following = None
        if len(page) > asked["limit"]:
            page.pop()
            following = replace_query_param(request.build_absolute_uri(), "cursor", f"c{page[-1].pk:016x}")
        return Response({"results": serializers.MirroredProductSerializer(page, many=True).data, "next": following})


# What it inherits is described where it belongs.
@extend_schema_view(
    get=extend_schema(exclude=True), put=extend_schema(exclude=True), delete=extend_schema(exclude=True)
)
class ProductBatchView(ProductView):
    """Many products at once. A product whose id is “batch” is reached here, too."""

    @property
    def allowed_methods(self) -> list[str]:
        """Name what the address is for."""
        return ["POST", "OPTIONS"]

    @extend_schema(
        operation_id="push_products",
        tags=["Catalogue"],
        request=serializers.ProductBatchSerializer,
        responses={
            200: OpenApiResponse(serializers.ProductBatchReportSerializer, "All were taken."),
            207: OpenApiResponse(serializers.ProductBatchReportSerializer, "The good ones were taken."),
            400: OpenApiResponse(serializers.RefusedProductBatchSerializer, "No batch, or none of it was good."),
        },
    )
    def post(self, request: Request, product_id: str) -> Response:
        """Insert or replace up to 500 products; the good ones of a batch are stored, in one transaction."""
        outer = serializers.ProductListSerializer(data=request.data)
        outer.is_valid(raise_exception=True)
        rows, rejected = _read(outer.validated_data["products"])
        report = {"accepted": len(rows), "rejected": len(rejected), "errors": rejected}
        if not rows:
            return Response(serializers.as_refusal(report), status.HTTP_400_BAD_REQUEST)
        mirror_products(rows, batch_size=len(rows))
        wake_embedder()
        return Response(report, status.HTTP_207_MULTI_STATUS if rejected else status.HTTP_200_OK)


def _read(items: list[Any]) -> tuple[list[ProductRow], list[dict[str, Any]]]:
    """Return the good products of a batch, and what is wrong with each of the others."""
    rows, rejected = [], []
    for index, item in enumerate(items):
        product = serializers.NewProductSerializer(data=item)
        if product.is_valid():
            rows.append(serializers.row_of(product.validated_data["product_id"], product.validated_data))
            continue
        path = f"products.{index}"
        problems = [
            {"code": error.code, "detail": error.detail, "attr": f"{path}.{error.attr}" if _named(error) else path}
            for error in flatten_errors(product.errors)
        ]
        rejected.append({"index": index, "errors": problems})
    return rows, rejected


def _named(error: Any) -> bool:
    return error.attr not in (None, "non_field_errors")


def _checked(product_id: str) -> str:
    """Return the id from the path, if a product can have it; 400 otherwise."""
    try:
        return str(ShopIdField().run_validation(product_id))
    except ValidationError as error:
        raise ValidationError({"product_id": error.detail}) from error


def _unknown() -> NotFound:
    return NotFound("There is no product with this id.")
