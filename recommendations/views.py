"""The endpoints of lists and search: parse, ask the engine, answer."""

import time
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations import search
from recommendations.answers import item_answers, list_answer
from recommendations.contracts import Placement, Query
from recommendations.parameters import CartParameters, ListParameters, SearchParameters, plain_query
from recommendations.serializers import RecommendationsSerializer, SearchResultsSerializer
from recommendations.services import serve_recommendations
from recommendations.shelf import shelf
from reemio.access.permissions import AnyKey

PRODUCT_ID = OpenApiParameter("product_id", str, OpenApiParameter.PATH, description="The shop's product id.")


class RecommendationsView(APIView):
    """What all four lists share."""

    permission_classes = [AnyKey]
    placement: ClassVar[Placement]
    default_limit: ClassVar[int]
    parameters: ClassVar[type[ListParameters]] = ListParameters

    def answer(self, request: Request, *, anchors: tuple[str, ...] = ()) -> Response:
        """Answer with a list, and remember it."""
        query = self.question(_flat(request), anchors)
        served = serve_recommendations(query)
        return Response(list_answer(served), headers=_timing(served.milliseconds))

    def question(self, given: dict[str, Any], anchors: tuple[str, ...]) -> Query:
        """Return the question to the engine, or raise what is wrong with the parameters."""
        parsed = self.parameters(data=given)
        parsed.is_valid(raise_exception=True)
        anchors = anchors or parsed.validated_data.get("product_ids", ())
        return parsed.query(self.placement, default_limit=self.default_limit, anchors=anchors)


class HomepageView(RecommendationsView):
    """Personalised for a known user or session, popular otherwise."""

    placement = Placement.HOMEPAGE
    default_limit = 12

    def question(self, given: dict[str, Any], anchors: tuple[str, ...]) -> Query:
        """Return the question, on a short way where it is plain."""
        plain = plain_query(given, self.placement, default_limit=self.default_limit)
        return plain or super().question(given, anchors)

    @extend_schema(
        operation_id="recommend_homepage", parameters=[ListParameters], responses={200: RecommendationsSerializer}
    )
    def get(self, request: Request) -> Response:
        """Recommend for the homepage."""
        return self.answer(request)


class AnchoredView(RecommendationsView):
    """A list about one product, which has to exist."""

    def about(self, request: Request, product_id: str) -> Response:
        """Answer about this product, or 404."""
        if shelf.id_of(product_id) is None:
            shelf.refresh()
        if shelf.id_of(product_id) is None:
            raise NotFound("There is no product with this id.")
        return self.answer(request, anchors=(product_id,))


class ProductView(AnchoredView):
    """Products similar to one."""

    placement = Placement.PRODUCT
    default_limit = 8

    @extend_schema(
        operation_id="recommend_similar",
        parameters=[PRODUCT_ID, ListParameters],
        responses={200: RecommendationsSerializer},
    )
    def get(self, request: Request, product_id: str) -> Response:
        """Recommend similar products."""
        return self.about(request, product_id)


class BoughtTogetherView(AnchoredView):
    """Products bought in the same orders as one."""

    placement = Placement.BOUGHT_TOGETHER
    default_limit = 4

    @extend_schema(
        operation_id="recommend_bought_together",
        parameters=[PRODUCT_ID, ListParameters],
        responses={200: RecommendationsSerializer},
    )
    def get(self, request: Request, product_id: str) -> Response:
        """Recommend what is bought together with a product."""
        return self.about(request, product_id)


class CartView(RecommendationsView):
    """What goes with the cart."""

    placement = Placement.CART
    default_limit = 8
    parameters = CartParameters

    @extend_schema(
        operation_id="recommend_cart", parameters=[CartParameters], responses={200: RecommendationsSerializer}
    )
    def get(self, request: Request) -> Response:
        """Recommend what goes with the cart."""
        return self.answer(request)


class SearchView(APIView):
    """Semantic and full-text search over what may be shown."""

    permission_classes = [AnyKey]

    @extend_schema(operation_id="search", parameters=[SearchParameters], responses={200: SearchResultsSerializer})
    def get(self, request: Request) -> Response:
        """Search the catalogue."""
        parsed = SearchParameters(data=_flat(request))
        parsed.is_valid(raise_exception=True)
        began = time.perf_counter()
        found = search.find(parsed.validated_data["q"], parsed.query(Placement.HOMEPAGE, default_limit=24))
        return Response(
            {
                "request_id": str(found.request_id),
                "query": parsed.validated_data["q"],
                "understood_as": found.understood,
                "total": found.total,
                "items": item_answers(found.items),
            },
            headers=_timing((time.perf_counter() - began) * 1000),
        )


def _timing(milliseconds: float) -> dict[str, str]:
    """Return the header that tells a browser how long the engine took."""
    return {"Server-Timing": f"engine;dur={milliseconds:.1f}"}


def _flat(request: Request) -> dict[str, Any]:
    """Return the query parameters; a repeated list of ids is joined, of anything else the last one counts."""
    flat: dict[str, Any] = request.query_params.dict()
    for name in ("product_ids", "exclude"):
        if name in request.query_params:
            flat[name] = ",".join(request.query_params.getlist(name))
    return flat
