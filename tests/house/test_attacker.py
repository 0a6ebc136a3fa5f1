"""What somebody with bad intentions tries: forged ids of requests, kept answers, frames, hosts, other people's data."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from campaigns.identities import address_hash
from campaigns.models import Suppression
from campaigns.tokens import leaving_token
from interactions.models import Shopper
from reemio.access.models import issue_key

pytestmark = pytest.mark.django_db
PERSON = "/api/v1/users/wanjiku"


@pytest.fixture
def person() -> Shopper:
    return Shopper.objects.create(user_id="wanjiku", email="wanjiku@example.com")


def staff(name: str, group: str = "", **more: Any) -> Client:
    user = User.objects.create_user(name, is_staff=True, **more)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/recommendations/homepage?user_id=wanjiku", "/api/v1/search?q=x", PERSON, f"{PERSON}/export",
        "/api/v1/users/nobody", "/api/v1/catalog/products", "/api/v1/nothing",
    ],
)  # fmt: skip
def test_no_answer_of_the_api_is_kept_by_anybody_between(address: str, person: Shopper, api: APIClient) -> None:
    assert api.get(address)["Cache-Control"] == "private, no-store"


def test_a_page_of_the_admin_is_not_kept(person: Shopper) -> None:
    for page in ("/admin/", "/admin/interactions/shopper/", "/admin/analytics/shopper/?user=wanjiku"):
        answer = staff(f"boss{len(page)}", is_superuser=True).get(page)
        assert answer.status_code == 200
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))


@pytest.mark.parametrize("forged", ["x" * 65, "a b", "ann@example.com", "{}", "é", "a\tb", "", "<script>"])
def test_a_forged_id_of_a_request_goes_nowhere(forged: str, client: Client) -> None:
    answer = client.get("/api/v1/nothing", HTTP_X_REQUEST_ID=forged)
    assert answer["X-Request-ID"] != forged
    assert len(answer["X-Request-ID"]) == 36


def test_the_id_that_a_proxy_gave_is_taken_on(client: Client) -> None:
    assert client.get("/api/v1/nothing", headers={"X-Request-ID": "edge-7:f3.a_1"})["X-Request-ID"] == "edge-7:f3.a_1"


def test_staff_that_may_not_look_at_shoppers_does_not_reach_them_through_the_api(person: Shopper) -> None:
    for name, group, status in (("clerk", "", 403), ("ana", "Analyst", 403), ("mary", "Marketer", 200)):
        client = staff(name, group)
        assert [client.get(address).status_code for address in (PERSON, f"{PERSON}/export")] == [status, status]
        assert client.delete(PERSON).status_code == 403
    assert staff("boss", is_superuser=True).get(f"{PERSON}/export").status_code == 200
    assert Shopper.objects.filter(user_id="wanjiku").exists()


def test_a_publishable_key_reads_writes_and_erases_no_person(person: Shopper, settings: Settings) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    _, key = issue_key(name="page", kind="publishable")
    api = APIClient(headers={"Authorization": f"Api-Key {key}"})
    api.default_format = "json"
    assert [api.get(PERSON).status_code, api.get(f"{PERSON}/export").status_code] == [403, 403]
    assert [api.put(PERSON, {"name": "x"}).status_code, api.delete(PERSON).status_code] == [403, 403]
    assert api.post(f"{PERSON}/merge", {"session_id": "s"}).status_code == 403
    assert Shopper.objects.get().name == ""


def test_no_page_can_be_framed_and_types_are_not_guessed(client: Client) -> None:
    for page in ("/admin/login/", "/api/docs/", "/mail/u/x", "/api/v1/nothing"):
        answer = client.get(page)
        assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_a_foreign_host_is_refused(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["reemio.example"]
    for host in ("evil.example", "reemio.example.evil.example", "reemio.example:80@evil.example", "[::1]"):
        assert client.get("/admin/login/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_login_leads_to_another_site(target: str, client: Client) -> None:
    User.objects.create_superuser("boss", password="a-Secret-1")
    answer = client.post(f"/admin/login/?next={target}", {"username": "boss", "password": "a-Secret-1", "next": target})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/profile/") or answer["Location"] == "/admin/"


def test_a_token_of_a_mail_with_one_bit_changed_is_nobodys(client: Client) -> None:
    token = leaving_token(uuid.uuid4(), "weekly_digest", address_hash=address_hash("ann@example.com"))
    for place in range(len(token)):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        if place < len(token) - 1:  # The last letter holds bits that mean nothing.
            assert client.post(f"/mail/u/{other}").status_code == 404
    assert not Suppression.objects.exists()
    assert client.get(f"/mail/u/{token}").status_code == 200
    assert not Suppression.objects.exists()
