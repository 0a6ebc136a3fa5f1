"""The product's URLs, and the reference view that returns a homepage's bytes from memory."""

import json

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations.answers import list_answer
from recommendations.contracts import Placement, Query
from recommendations.services import serve_recommendations
from reemio.access.permissions import AnyKey
from reemio.urls import urlpatterns as product_urls


class EchoView(APIView):
    """A DRF view with the product's authentication, permissions and throttling, and nothing to compute."""

    permission_classes = [AnyKey]
    body: bytes = b""

    def get(self, request: Request) -> HttpResponse | Response:
        """Answer with the bytes of the popular homepage, made once."""
        if not EchoView.body:
            answer = list_answer(serve_recommendations(Query(Placement.HOMEPAGE, 10)))
            EchoView.body = json.dumps(answer).encode()
        return HttpResponse(EchoView.body, content_type="application/json")


urlpatterns = [*product_urls, path("benchmark/echo", EchoView.as_view())]
