"""Secrets may come from files; the settings of production are beyond reproach."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as ours

from reemio.embedded import servers

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "0123456789abcdef-" * 4


def production(**more: str) -> dict[str, str]:
    database = ours.DATABASES["default"]
    address = (
        f"host={database['HOST']} port={database['PORT'] or 5432} user={database['USER']} dbname={database['NAME']}"
    )
    own = {
        "APP_ENV": "production",
        "ALLOWED_HOSTS": "shop.example",
        "DATABASE_URL": address,
        "REDIS_URL": ours.REDIS_URL,
    }
    return os.environ | own | more


def manage(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_production_passes_djangos_own_deployment_checks_with_a_key_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "mail-key").write_text(KEY[::-1])
    environment = production(
        SECRET_KEY_FILE=str(tmp_path / "key"),
        REEMIO_MAIL_KEY_FILE=str(tmp_path / "mail-key"),
        EMAIL_HOST="smtp.shop.example",
        REEMIO_MAIL_FROM="Duka <hello@mail.shop.example>",
        REEMIO_SHOP_ADDRESS="Duka, Moi Avenue 1, Nairobi",
        REEMIO_SITE_URL="https://recommendations.shop.example",
        REEMIO_SHOP_URL="https://shop.example/",
        REEMIO_SHOP_CART_URL="https://shop.example/cart",
    )
    done = manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


def test_production_that_sends_no_mail_starts_without_a_sender() -> None:
    done = manage("check", environment=production(SECRET_KEY=KEY))
    assert done.returncode == 0, done.stderr


def test_production_without_a_key_does_not_start() -> None:
    done = manage("check", environment=production(SECRET_KEY=""))
    assert done.returncode == 1
    assert "reemio.E002" in done.stderr or "SECRET_KEY" in done.stderr


def test_a_database_that_a_file_names_is_no_reason_for_a_private_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("POSTGRES_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    assert servers.wanted("POSTGRES_") is True
    monkeypatch.setenv("DATABASE_URL_FILE", "/run/secrets/database")
    assert servers.wanted("POSTGRES_") is False


def test_timeouts_of_the_database_are_what_the_environment_says() -> None:
    show = "from django.db import connection as c; k = c.cursor(); k.execute('SHOW {}'); print(k.fetchone()[0])"
    environment = os.environ | {"REEMIO_DB_STATEMENT_TIMEOUT_MS": "20000", "REEMIO_DB_LOCK_TIMEOUT_MS": "5000"}
    shown = [
        manage("shell", "--no-imports", "-c", show.format(name), environment=environment).stdout.strip()
        for name in ("statement_timeout", "lock_timeout")
    ]
    assert shown == ["20s", "5s"]
