"""One error shape everywhere below /api/, whatever goes wrong, and 429 with Retry-After."""

import json
import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from reemio.access.models import ApiKey, issue_key
from reemio.api.throttling import parse_rate

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Rows(serializers.Serializer[dict[str, Any]]):
    """A body with a list."""

    numbers = serializers.ListField(child=serializers.IntegerField())


class Echo(APIView):
    """Answers what it was sent; breaks when asked to."""

    def get(self, request: Request) -> Response:
        raise RuntimeError("the details of what broke")

    def post(self, request: Request) -> Response:
        return Response(request.data)

    def put(self, request: Request) -> Response:
        Rows(data=request.data).is_valid(raise_exception=True)
        return Response({})


def below(request: HttpRequest, kind: str) -> HttpResponse:
    """Break outside of DRF."""
    raise {"404": Http404, "403": PermissionDenied, "400": SuspiciousOperation}.get(kind, RuntimeError)("details")


from reemio.urls import (  # noqa: E402
    handler400,  # noqa: F401
    handler403,  # noqa: F401
    handler404,  # noqa: F401
    handler500,  # noqa: F401
)
from reemio.urls import urlpatterns as served  # noqa: E402

urlpatterns = [
    path("api/echo", Echo.as_view()),
    path("api/below/<kind>", below),
    path("below/<kind>", below),
    *served,
]


@pytest.fixture
def web() -> Client:
    return Client(raise_request_exception=False)


def shape(response: Any) -> tuple[int, str, str, str | None]:
    body = response.json()
    assert set(body) == {"type", "errors"}
    assert set(body["errors"][0]) == {"code", "detail", "attr"}
    return response.status_code, body["type"], body["errors"][0]["code"], body["errors"][0]["attr"]


@pytest.mark.parametrize("address", ["/api/", "/api", "/api/v1/", "/api/v1/nothing", "/api/v2/products/x/y"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_path_is_404(web: Client, address: str, method: str) -> None:
    assert shape(getattr(web, method)(address)) == (404, "client_error", "not_found", None)


def test_an_unknown_path_is_404_with_debug_on_too(web: Client, settings: Settings) -> None:
    settings.DEBUG = True
    assert shape(web.get("/api/v1/nothing")) == (404, "client_error", "not_found", None)


def test_a_page_that_does_not_exist_is_a_page(web: Client) -> None:
    response = web.get("/no-such-page")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("400", (400, "client_error", "bad_request", None)),
        ("403", (403, "client_error", "permission_denied", None)),
        ("404", (404, "client_error", "not_found", None)),
        ("500", (500, "server_error", "error", None)),
    ],
)
def test_what_breaks_below_the_api_has_its_shape_too(web: Client, kind: str, expected: tuple[Any, ...]) -> None:
    response = web.get(f"/api/below/{kind}")
    assert shape(response) == expected
    assert b"details" not in response.content
    assert web.get(f"/below/{kind}")["Content-Type"].startswith("text/html")


def test_what_breaks_in_an_endpoint_is_500_without_details_and_is_logged(
    api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = api.get("/api/echo")
    assert shape(response) == (500, "server_error", "error", None)
    assert "RuntimeError: the details of what broke" in caplog.text


def test_a_wrong_method_is_405(api: APIClient) -> None:
    assert shape(api.patch("/api/echo", {})) == (405, "client_error", "method_not_allowed", None)


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"])
def test_another_content_type_is_415(api: APIClient, media: str) -> None:
    assert shape(api.generic("POST", "/api/echo", b"x=1", media)) == (
        415,
        "client_error",
        "unsupported_media_type",
        None,
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nonsense", b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e999}',
        b"[" * 100_000, b"1" * 5000, b'{"a": 1,}', "ä".encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_400(api: APIClient, body: bytes) -> None:
    assert shape(api.generic("POST", "/api/echo", body, "application/json")) == (
        400,
        "client_error",
        "parse_error",
        None,
    )


def test_a_body_of_5_mib_is_read_and_one_byte_more_is_413(api: APIClient) -> None:
    limit = 5 * 1024 * 1024
    exact = json.dumps("x" * (limit - 2)).encode()
    assert len(exact) == limit
    assert api.generic("POST", "/api/echo", exact, "application/json").status_code == 200
    assert shape(api.generic("POST", "/api/echo", exact + b" ", "application/json")) == (
        413, "client_error", "body_too_large", None,
    )  # fmt: skip


def test_a_field_is_named_by_its_path(api: APIClient) -> None:
    response = api.put("/api/echo", {"numbers": [1, "x"]})
    assert shape(response) == (400, "validation_error", "invalid", "numbers.1")


def test_the_request_after_the_last_one_allowed_is_429_with_retry_after(api: APIClient, settings: Settings) -> None:
    settings.REEMIO_THROTTLE_WRITE = "2/day"
    assert [api.post("/api/echo", {}).status_code for _ in range(2)] == [200, 200]
    response = api.post("/api/echo", {})
    assert shape(response) == (429, "client_error", "throttled", None)
    assert 0 < int(response["Retry-After"]) <= 86_400
    assert api.put("/api/echo", {"numbers": []}).status_code == 429
    assert api.get("/api/echo").status_code == 500, "reads are counted apart"


def test_each_caller_is_counted_apart_and_a_forged_header_makes_no_new_one(api: APIClient, settings: Settings) -> None:
    settings.REEMIO_THROTTLE_WRITE = "1/day"
    assert api.post("/api/echo", {}).status_code == 200
    assert api.post("/api/echo", {}, headers={"X-Forwarded-For": "9.9.9.9"}).status_code == 429
    assert api.post("/api/echo", {}, REMOTE_ADDR="10.0.0.2").status_code == 200


def test_the_visitors_of_a_shop_share_its_publishable_key_and_no_limit(api: APIClient, settings: Settings) -> None:
    settings.REEMIO_THROTTLE_WRITE = "1/day"
    for kind, another in ((ApiKey.Kind.PUBLISHABLE, 400), (ApiKey.Kind.SECRET, 429)):
        _, key = issue_key(name="shop", kind=kind)
        api.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
        visitors = ("10.1.1.1", "10.1.1.1", "10.1.1.2")
        codes = [api.post("/api/v1/interactions", [], REMOTE_ADDR=address).status_code for address in visitors]
        assert codes == [400, 429, another]


def test_with_redis_away_requests_pass(api: APIClient, settings: Settings) -> None:
    from django_redis import get_redis_connection

    settings.REEMIO_THROTTLE_WRITE = "1/day"
    pool = get_redis_connection("default").connection_pool
    path_before, pool.connection_kwargs["path"] = pool.connection_kwargs.get("path"), "/no/such/socket"
    pool.disconnect()
    pool.reset()
    try:
        assert [api.post("/api/echo", {}).status_code for _ in range(3)] == [200, 200, 200]
    finally:
        pool.connection_kwargs["path"] = path_before
        pool.reset()


@pytest.mark.parametrize(("rate", "expected"), [("6000/min", (6000, 60)), ("1/s", (1, 1)), ("5/day", (5, 86_400))])
def test_a_rate_is_a_number_and_a_period(rate: str, expected: tuple[int, int]) -> None:
    assert parse_rate(rate) == expected


def test_an_unknown_endpoint_is_404_for_every_method_though_no_page_sent_it() -> None:
    outsider = APIClient(enforce_csrf_checks=True)
    answers = [outsider.generic(method, "/api/v1/nothing") for method in ("GET", "POST", "PUT", "DELETE")]
    assert [(answer.status_code, answer.json()["errors"][0]["code"]) for answer in answers] == [(404, "not_found")] * 4
