"""Who may ask what: keys are shown once, stored hashed, revoked at once; each kind may do its own."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from reemio.access.models import ApiKey, issue_key
from reemio.access.permissions import AnyKey

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class SecretOnly(APIView):
    """An endpoint like most."""

    def get(self, request: Request) -> Response:
        return Response({})

    post = get


class FromABrowser(SecretOnly):
    """An endpoint like the recommendations."""

    permission_classes = [AnyKey]


from reemio.urls import urlpatterns as served  # noqa: E402

urlpatterns = [path("api/secret", SecretOnly.as_view()), path("api/public", FromABrowser.as_view()), *served]


@pytest.fixture
def guarded(settings: Settings) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True


def status(api: APIClient, address: str, key: str | None = None, method: str = "get") -> int:
    headers = {"Authorization": f"Api-Key {key}"} if key else {}
    return int(getattr(api, method)(address, headers=headers).status_code)


def test_without_the_setting_nobody_needs_a_key(api: APIClient, settings: Settings) -> None:
    settings.REEMIO_REQUIRE_API_KEY = False
    assert [status(api, "/api/secret"), status(api, "/api/secret", method="post")] == [200, 200]


def test_a_missing_and_an_unknown_key_are_401(api: APIClient, guarded: None) -> None:
    response = api.get("/api/secret")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Api-Key"
    assert response.json()["errors"][0]["code"] == "not_authenticated"
    unknown = api.get("/api/secret", headers={"Authorization": "Api-Key nobody"})
    assert unknown.status_code == 401
    assert unknown.json()["errors"][0]["code"] == "authentication_failed"


def test_an_unknown_key_is_401_even_where_none_is_needed(api: APIClient, settings: Settings) -> None:
    settings.REEMIO_REQUIRE_API_KEY = False
    assert status(api, "/api/public", "nobody") == 401


@pytest.mark.parametrize("key", ["", " ", "ä", "\x7f", "x" * 5000, "sk_ sk_"])
def test_no_key_whatever_it_holds_breaks_anything(api: APIClient, guarded: None, key: str) -> None:
    assert api.get("/api/secret", headers={"Authorization": f"Api-Key {key}"}).status_code == 401


def test_a_secret_key_may_do_everything(api: APIClient, guarded: None) -> None:
    _, key = issue_key(name="server", kind=ApiKey.Kind.SECRET)
    codes = [
        status(api, address, key, method) for address in ("/api/secret", "/api/public") for method in ("get", "post")
    ]
    assert codes == [200, 200, 200, 200]


def test_a_publishable_key_is_403_where_a_secret_one_is_needed(api: APIClient, guarded: None) -> None:
    _, key = issue_key(name="browser", kind=ApiKey.Kind.PUBLISHABLE)
    assert [status(api, "/api/public", key), status(api, "/api/public", key, "post")] == [200, 200]
    response = api.get("/api/secret", headers={"Authorization": f"Api-Key {key}"})
    assert response.status_code == 403
    assert response.json()["errors"][0]["detail"] == "This endpoint needs a secret key."


def test_a_signed_in_admin_may_read_and_not_write(api: APIClient, guarded: None) -> None:
    api.force_login(User.objects.create_superuser("wanjiku"))
    assert [status(api, "/api/secret"), status(api, "/api/secret", method="post")] == [200, 403]


def test_a_signed_in_customer_is_nobody_special(api: APIClient, guarded: None) -> None:
    api.force_login(User.objects.create_user("otieno"))
    assert status(api, "/api/secret") == 403


def test_a_key_is_shown_once_and_stored_hashed(client: Client, api: APIClient, guarded: None) -> None:
    client.force_login(User.objects.create_superuser("wanjiku"))
    page = client.post("/admin/access/apikey/add/", {"name": "Shop front", "kind": "publishable"})
    row = ApiKey.objects.get()
    key = page.context["key"]
    assert key in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert (row.name, row.kind, row.prefix) == ("Shop front", "publishable", key[:8])
    assert key not in str(row.__dict__)
    assert status(api, "/api/public", key) == 200
    for again in ("/admin/access/apikey/", f"/admin/access/apikey/{row.pk}/change/"):
        assert key not in client.get(again, follow=True).content.decode()


def test_a_revoked_key_is_401_from_that_moment(client: Client, api: APIClient, guarded: None) -> None:
    row, key = issue_key(name="old", kind=ApiKey.Kind.SECRET)
    kept, other = issue_key(name="new", kind=ApiKey.Kind.SECRET)
    client.force_login(User.objects.create_superuser("wanjiku"))
    client.post("/admin/access/apikey/", {"action": "revoke", "_selected_action": [row.pk]})
    assert [status(api, "/api/secret", key), status(api, "/api/secret", other)] == [401, 200]
    revoked_at = ApiKey.objects.get(pk=row.pk).revoked_at
    client.post("/admin/access/apikey/", {"action": "revoke", "_selected_action": [row.pk]})
    assert ApiKey.objects.get(pk=row.pk).revoked_at == revoked_at
    kept.refresh_from_db()
    assert kept.revoked_at is None


def test_keys_can_be_neither_changed_nor_deleted(client: Client) -> None:
    row, _ = issue_key(name="old", kind=ApiKey.Kind.PUBLISHABLE)
    client.force_login(User.objects.create_superuser("wanjiku"))
    address = f"/admin/access/apikey/{row.pk}"
    assert client.post(f"{address}/change/", {"name": "old", "kind": "secret"}).status_code == 403
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.kind == "publishable"


def test_no_two_keys_are_alike() -> None:
    assert len({issue_key(name="x", kind=ApiKey.Kind.SECRET)[1] for _ in range(20)}) == 20
