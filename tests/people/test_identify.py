"""`POST /interactions/identify`: a browser may give its session to a user, if it can prove whose it is."""

import hashlib
import hmac
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from interactions.models import Interaction, MergedSession
from reemio.access.models import ApiKey, issue_key

URL = "/api/v1/interactions/identify"
SECRET = "known to the shop's server"

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewed() -> Interaction:
    return Interaction.objects.create(
        interaction_type="view", product_id="p", session_id="s1", occurred_at=timezone.now()
    )


@pytest.fixture
def publishable(api: APIClient, settings: Any) -> APIClient:
    """A browser of a shop that is in earnest: keys are required, and the secret is the shop's own."""
    settings.REEMIO_REQUIRE_API_KEY = True
    settings.REEMIO_IDENTITY_SECRET = SECRET
    _, key = issue_key(name="shop", kind=ApiKey.Kind.PUBLISHABLE)
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    return api


def token(user_id: str) -> str:
    return hmac.new(SECRET.encode(), user_id.encode(), hashlib.sha256).hexdigest()


def owner(event: Interaction) -> str | None:
    return Interaction.objects.get(pk=event.pk).user_id


def test_with_the_users_token_the_session_becomes_theirs_and_again_is_no_harm(
    publishable: APIClient, viewed: Interaction
) -> None:
    claim = {"user_id": "wanjikũ", "session_id": "s1", "token": token("wanjikũ")}
    first, again = publishable.post(URL, claim), publishable.post(URL, claim)
    assert (first.status_code, first.json()) == (200, {"user_id": "wanjikũ", "session_id": "s1", "moved": 1})
    assert (again.status_code, again.json()["moved"]) == (200, 0)
    assert owner(viewed) == "wanjikũ"


@pytest.mark.parametrize("proof", [{}, {"token": token("otieno")}, {"token": "ü"}, {"token": "0" * 64}])
def test_without_it_a_publishable_key_can_claim_nobody(
    publishable: APIClient, viewed: Interaction, proof: dict[str, str]
) -> None:
    refused = publishable.post(URL, {"user_id": "wanjiku", "session_id": "s1", **proof})
    assert refused.status_code == 403
    assert owner(viewed) is None
    assert not MergedSession.objects.exists()


def test_a_secret_key_needs_no_token(api: APIClient, viewed: Interaction, settings: Any) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    _, key = issue_key(name="server", kind=ApiKey.Kind.SECRET)
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    assert api.post(URL, {"user_id": "wanjiku", "session_id": "s1"}).status_code == 200
    assert owner(viewed) == "wanjiku"


def test_where_no_key_is_required_no_token_is_but_a_wrong_one_is_refused(api: APIClient, viewed: Interaction) -> None:
    assert api.post(URL, {"user_id": "wanjiku", "session_id": "s1", "token": "wrong"}).status_code == 403
    assert owner(viewed) is None
    assert api.post(URL, {"user_id": "wanjiku", "session_id": "s1"}).status_code == 200
    assert owner(viewed) == "wanjiku"


def test_a_session_that_is_somebody_elses_stays_so(publishable: APIClient, viewed: Interaction) -> None:
    for user_id, status in (("wanjiku", 200), ("otieno", 409)):
        claim = {"user_id": user_id, "session_id": "s1", "token": token(user_id)}
        assert publishable.post(URL, claim).status_code == status
    assert owner(viewed) == "wanjiku"


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"user_id": "u"}, {"session_id": "s"}, {"user_id": "", "session_id": "s"},
        {"user_id": "u\x00", "session_id": "s"}, {"user_id": "x" * 129, "session_id": "s"},
    ],
)  # fmt: skip
def test_a_claim_that_is_none_is_400_and_changes_nothing(api: APIClient, body: Any) -> None:
    assert api.post(URL, body).status_code == 400
    assert not MergedSession.objects.exists()


def test_no_key_is_401(api: APIClient, settings: Any) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    assert api.post(URL, {"user_id": "u", "session_id": "s", "token": token("u")}).status_code == 401
