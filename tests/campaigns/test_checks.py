"""Wrong e-mail settings are named, with a hint, before anything starts."""

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

GOOD = {
    "PRODUCTION": True,
    "EMAIL_PROVIDER": "postmark",
    "ANYMAIL": {"WEBHOOK_SECRET": "a:b"},
    "REEMIO_MAIL_FROM": "Duka <hello@mail.duka.example>",
    "REEMIO_SITE_URL": "https://reemio.duka.example",
    "REEMIO_MAIL_KEY": "k" * 50,
    "REEMIO_SHOP_ADDRESS": "Biashara Street 12, Nairobi",
}
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("campaigns.E001", {"EMAIL_PROVIDER": "pigeon"}),
    ("campaigns.E002", {"REEMIO_MAIL_FROM": ""}),
    ("campaigns.E002", {"REEMIO_MAIL_FROM": "Duka"}),
    ("campaigns.E003", {"REEMIO_MAIL_FROM": "duka@gmail.com"}),
    ("campaigns.E004", {"EMAIL_USE_TLS": True, "EMAIL_USE_SSL": True}),
    ("campaigns.W001", {"EMAIL_PROVIDER": "mailbox"}),
    ("campaigns.W002", {"REEMIO_SITE_URL": "http://localhost:8000"}),
    ("campaigns.W003", {"REEMIO_MAIL_KEY": "same", "SECRET_KEY": "same"}),
    ("campaigns.W004", {"REEMIO_SHOP_ADDRESS": ""}),
    ("campaigns.W005", {"ANYMAIL": {"WEBHOOK_SECRET": "closed:x"}}),
]


def found() -> dict[str, str | None]:
    return {message.id or "": message.hint for message in run_checks() if (message.id or "").startswith("campaigns.")}


def test_the_settings_of_the_tests_and_good_ones_are_fine(settings: Settings) -> None:
    assert found() == {}
    for name, value in GOOD.items():
        setattr(settings, name, value)
    assert found() == {}


@pytest.mark.parametrize(("identifier", "changed"), WRONG)
def test_a_wrong_setting_is_named_with_a_hint(settings: Settings, identifier: str, changed: dict[str, Any]) -> None:
    for name, value in (GOOD | changed).items():
        setattr(settings, name, value)
    assert list(found()) == [identifier]
    assert found()[identifier]
