"""A publishable key works on the pages that it names, and on no other's."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from reemio.access import origins
from reemio.access.models import ApiKey, issue_key

pytestmark = pytest.mark.django_db
HOMEPAGE = "/api/v1/recommendations/homepage"
SHOP, STRANGER = "https://shop.example", "https://elsewhere.example"


@pytest.fixture
def key(settings: Settings) -> Iterator[str]:
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.REEMIO_REQUIRE_API_KEY = True
    origins.forget()
    yield issue_key(name="web", kind=ApiKey.Kind.PUBLISHABLE, origins=[SHOP])[1]
    origins.forget()


def get(api: APIClient, key: str, origin: str | None) -> tuple[int, str | None]:
    headers = {"Authorization": f"Api-Key {key}"} | ({"Origin": origin} if origin else {})
    response = api.get(HOMEPAGE, headers=headers)
    return response.status_code, response.headers.get("Access-Control-Allow-Origin")


def test_a_key_works_on_its_own_pages_and_from_servers_and_nowhere_else(api: APIClient, key: str) -> None:
    assert get(api, key, SHOP) == (200, SHOP)
    assert get(api, key, None) == (200, None)
    assert get(api, key, STRANGER) == (403, None)


def test_a_key_that_names_no_origin_works_wherever_it_is(api: APIClient, key: str) -> None:
    anywhere = issue_key(name="any", kind=ApiKey.Kind.PUBLISHABLE)[1]
    assert get(api, anywhere, STRANGER)[0] == 200


def test_a_preflight_is_answered_for_the_origins_of_keys_in_use_only(api: APIClient, key: str) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    assert api.options(HOMEPAGE, headers=asked | {"Origin": SHOP})["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Origin" not in api.options(HOMEPAGE, headers=asked | {"Origin": STRANGER})
    ApiKey.objects.update(revoked_at="2026-01-01T00:00Z")
    origins.forget()
    assert "Access-Control-Allow-Origin" not in api.options(HOMEPAGE, headers=asked | {"Origin": SHOP})


@pytest.mark.parametrize(
    "wrong", ["shop.example", "https://shop.example/", "ftp://shop.example", "https://", "https://a:b"]
)
def test_what_is_no_origin_is_refused_and_makes_no_key(client: Client, wrong: str) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    answer = client.post("/admin/access/apikey/add/", {"name": "web", "kind": "publishable", "origins": wrong})
    assert (answer.status_code, ApiKey.objects.count()) == (200, 0)
    assert "origin" in answer.content.decode()


def test_the_admin_makes_a_key_for_two_origins(client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    both = f"{SHOP},http://localhost:3000"
    client.post("/admin/access/apikey/add/", {"name": "web", "kind": "publishable", "origins": both})
    assert ApiKey.objects.get().origins == [SHOP, "http://localhost:3000"]
