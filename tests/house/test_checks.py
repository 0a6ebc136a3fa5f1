"""Wrong settings are named, with a hint, before anything starts."""

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("reemio.E001", {"APP_ENV": "prod"}),
    ("reemio.E002", {"PRODUCTION": True, "SECRET_KEY": "short"}),
    ("reemio.E003", {"DATABASE_URL": "", "POSTGRES_PARTS": {"USER": "", "NAME": "shop"}}),
    ("reemio.E004", {"REEMIO_SHOP_TIME_ZONE": "Africa/Nowhere"}),
    ("reemio.E004", {"REEMIO_SHOP_TIME_ZONE": "/etc/passwd"}),
    ("reemio.E005", {"REDIS_URL": "http://cache"}),
    ("reemio.E005", {"REDIS_URL": "localhost:6379"}),
    ("reemio.E006", {"REEMIO_THROTTLE_READ": "fast"}),
    ("reemio.E006", {"REEMIO_THROTTLE_WRITE": "0/min"}),
    ("reemio.E007", {"EMBEDDING_MODEL": "/no/such/folder"}),
    ("reemio.E007", {"RERANKER_MODEL": "./nowhere"}),
    ("reemio.E008", {"ECOMMERCE_TIMEOUT_SECONDS": 0.0}),
    ("reemio.E008", {"REEMIO_RERANK_BUDGET_MS": -1}),
    ("reemio.E009", {"LOG_FORMAT": "yaml"}),
    ("reemio.E010", {"REEMIO_DEFAULT_CURRENCY": "dollars"}),
    ("reemio.E011", {"REEMIO_TRAINING_ENGINE": "flink"}),
    ("reemio.E012", {"REEMIO_OUTGOING_NETWORKS": ["10.0.0.1/8"]}),
    ("reemio.E013", {"REEMIO_KEEP_INTERACTIONS_DAYS": 59}),
    ("reemio.E013", {"REEMIO_KEEP_AUDIT_DAYS": -1}),
    ("reemio.W001", {"PRODUCTION": True, "DEBUG": True, "SECRET_KEY": "x" * 50}),
    ("reemio.W002", {"PRODUCTION": True, "REEMIO_REQUIRE_API_KEY": False, "SECRET_KEY": "x" * 50}),
]


def ids() -> list[str]:
    return [message.id or "" for message in run_checks() if (message.id or "").startswith("reemio.")]


def test_the_settings_of_the_tests_are_fine() -> None:
    assert ids() == []


@pytest.mark.parametrize(("identifier", "changed"), WRONG, ids=[f"{name}-{list(to)}" for name, to in WRONG])
def test_a_wrong_setting_is_named(settings: Settings, identifier: str, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert identifier in ids()


def test_every_check_says_how_to_mend_it(settings: Settings) -> None:
    settings.APP_ENV, settings.LOG_FORMAT, settings.REEMIO_SHOP_TIME_ZONE = "x", "x", "x"
    assert all(message.hint for message in run_checks() if (message.id or "").startswith("reemio."))
