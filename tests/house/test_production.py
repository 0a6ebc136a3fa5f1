"""Production as an operator sets it up: nothing to complain about, no default secret, no demo."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parent.parent.parent
# What docs/operations.md tells to set, as far as it has no default.
COMPLETE = {
    "APP_ENV": "production",
    "SECRET_KEY": "a-Key-4-this-Test-only_" + "q7Wz" * 8,
    "ALLOWED_HOSTS": "recommendations.duka.example",
    "CSRF_TRUSTED_ORIGINS": "https://recommendations.duka.example",
    "REEMIO_SITE_URL": "https://recommendations.duka.example",
    "REEMIO_SHOP_URL": "https://duka.example/",
    "REEMIO_SHOP_CART_URL": "https://duka.example/cart",
    "REEMIO_SHOP_ADDRESS": "Biashara Street 12, Nairobi",
    "REEMIO_MAIL_FROM": "Duka <hello@mail.duka.example>",
    "REEMIO_MAIL_KEY": "another-Key-4-this-Test-" + "x9Kc" * 8,
    "EMAIL_HOST": "smtp.duka.example",
}


def run(code_or_command: list[str], **changed: str | None) -> subprocess.CompletedProcess[str]:
    database = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    address = make_conninfo(**{part: str(database[name]) for part, name in names.items() if database[name]})
    own = {"DATABASE_URL": address, "REDIS_URL": settings.REDIS_URL, **COMPLETE}
    inherited = {name: value for name, value in os.environ.items() if name not in ("APP_ENV", "DEBUG")}
    chosen = {name: value for name, value in {**inherited, **own, **changed}.items() if value is not None}
    return subprocess.run(
        [sys.executable, *code_or_command], env=chosen, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_djangos_own_check_for_deployment_finds_nothing() -> None:
    done = run(["manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"SECRET_KEY": None}, "Production needs a SECRET_KEY of its own"),
        ({"SECRET_KEY": "short"}, "Production needs a SECRET_KEY of its own"),
        ({"APP_ENV": "prod"}, "APP_ENV is 'prod'"),
    ],
)
@pytest.mark.parametrize("process", ["import reemio.wsgi", "from reemio.celery import app; app.conf.broker_url"])
def test_no_process_starts_without_a_secret_or_with_a_mode_that_nothing_knows(
    process: str, changed: dict[str, Any], complaint: str
) -> None:
    done = run(["-c", process], **changed)
    assert done.returncode != 0
    assert complaint in done.stderr


ASK = """
import reemio.wsgi
from django.conf import settings
from django.test import Client
client = Client(HTTP_HOST="recommendations.duka.example", raise_request_exception=False)
for path in ("/", "/shop/cart", "/shop/account", "/shop/account/export", "/shop/shopper", "/shop/products/x"):
    answer = client.get(path, secure=True)
    print(path, answer.status_code, answer.headers.get("Location", ""))
print("post", client.post("/shop/account/erase", secure=True).status_code)
print("plain", client.get("/admin/").headers["Location"])
print("stranger", client.get("/admin/login/", secure=True, headers={"Host": "evil.example"}).status_code)
print("list", client.get("/api/v1/recommendations/homepage", secure=True).status_code)
login = client.get("/admin/login/", secure=True)
for name in ("Strict-Transport-Security", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy",
             "Cross-Origin-Opener-Policy", "Content-Security-Policy"):
    print(name, login.headers.get(name))
print("csrf", settings.CSRF_COOKIE_SECURE, settings.CSRF_COOKIE_SAMESITE)
print("session", settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE)
print("open", settings.DEBUG, settings.CORS_ALLOW_ALL_ORIGINS, settings.REEMIO_OUTGOING_NETWORKS)
import os, sys; sys.stdout.flush(); os._exit(0)
"""


@pytest.mark.django_db
def test_production_shows_no_demo_and_is_strict() -> None:
    done = run(["-c", ASK])
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert said["/"] == "302 /admin/", done.stderr
    shop = ("/shop/cart", "/shop/account", "/shop/account/export", "/shop/shopper", "/shop/products/x", "post")
    assert {said[path].split(" ")[0] for path in shop} == {"404"}
    assert said["plain"] == "https://recommendations.duka.example/admin/"
    assert (said["stranger"], said["list"]) == ("400", "401")
    assert said["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert (said["X-Frame-Options"], said["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert said["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in said["Content-Security-Policy"]
    assert "unsafe" not in said["Content-Security-Policy"]
    assert said["csrf"] == "True Lax"
    assert said["session"] == "True True Lax"
    assert said["open"] == "False False []"
