"""Nobody guesses passwords at leisure; whoever is locked out is told so, and nobody else is."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory
from pytest_django import Settings

from reemio.access.callers import address_of

PASSWORD = "correct horse battery"
LOGIN = "/admin/login/"


@pytest.fixture
def merchant(db: None) -> None:
    get_user_model().objects.create_superuser("merchant", "m@example.com", PASSWORD)


def sign_in(client: Client, password: str, name: str = "merchant", address: str = "203.0.113.7") -> int:
    return client.post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address).status_code


@pytest.mark.usefixtures("merchant")
def test_after_ten_wrong_passwords_the_right_one_does_not_help_either(client: Client) -> None:
    assert [sign_in(client, "wrong") for _ in range(9)] == [200] * 9
    assert sign_in(client, "wrong") == 429
    answer = client.post(LOGIN, {"username": "merchant", "password": PASSWORD}, REMOTE_ADDR="203.0.113.7")
    assert answer.status_code == 429
    assert "try again in a quarter of an hour" in answer.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("merchant")
def test_a_guesser_locks_out_nobody_elsewhere_and_no_other_name(client: Client) -> None:
    get_user_model().objects.create_superuser("other", "o@example.com", PASSWORD)
    assert [sign_in(client, "wrong") for _ in range(10)][-1] == 429
    assert sign_in(client, PASSWORD, name="other") == 302
    client.logout()
    assert sign_in(client, PASSWORD, address="198.51.100.1") == 302


def test_a_forwarded_address_is_believed_only_as_far_as_our_own_proxies_wrote_it(settings: Settings) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2"})
    settings.REEMIO_PROXY_COUNT = 0
    assert address_of(request) == "10.0.0.9"
    settings.REEMIO_PROXY_COUNT = 1
    assert address_of(request) == "2.2.2.2"
    settings.REEMIO_PROXY_COUNT = 5
    assert address_of(request) == "1.1.1.1"
