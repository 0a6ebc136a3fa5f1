"""System checks of the settings: what is wrong, and how to mend it."""

import os
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from reemio.api.throttling import parse_rate

REDIS_SCHEMES = ("redis", "rediss", "unix")


@register()
def environment_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an APP_ENV that nothing understands: a typing error must not switch safety off."""
    if settings.APP_ENV in ("development", "production", "test"):
        return []
    return [Error(f"APP_ENV is {settings.APP_ENV!r}.", hint="Use development, test or production.", id="reemio.E001")]


@register()
def production_has_a_secret(**kwargs: Any) -> list[CheckMessage]:
    """Refuse production with no secret key of its own."""
    if not settings.PRODUCTION or len(settings.SECRET_KEY) >= 40:
        return []
    hint = "Set SECRET_KEY to 50 random characters."
    return [Error("SECRET_KEY is missing or too short for production.", hint=hint, id="reemio.E002")]


@register()
def database_is_named(**kwargs: Any) -> list[CheckMessage]:
    """Ask for the variables that have no default as soon as one of POSTGRES_* is set."""
    if settings.DATABASE_URL:
        return []
    missing = [name for name in ("USER", "NAME") if not settings.POSTGRES_PARTS[name]]
    if not missing:
        return []
    names = ", ".join("POSTGRES_DB" if name == "NAME" else f"POSTGRES_{name}" for name in missing)
    hint = "Set them, or unset every POSTGRES_* variable to use the private server."
    return [Error(f"The database is only half configured: {names} missing.", hint=hint, id="reemio.E003")]


@register()
def time_zone_exists(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a time zone of the shop that nobody knows: its days would be cut wrongly."""
    try:
        ZoneInfo(settings.REEMIO_SHOP_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        hint = "Use a name like Africa/Nairobi, of https://en.wikipedia.org/wiki/List_of_tz_database_time_zones."
        message = f"REEMIO_SHOP_TIME_ZONE is {settings.REEMIO_SHOP_TIME_ZONE!r}, which is no time zone."
        return [Error(message, hint=hint, id="reemio.E004")]
    return []


@register()
def redis_is_named(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an address that no Redis client understands."""
    parts = urlsplit(settings.REDIS_URL)
    if parts.scheme in REDIS_SCHEMES and (parts.netloc or parts.path):
        return []
    hint = "Use redis://host:6379/0, rediss://… or unix:///path/to/redis.sock?db=0."
    return [Error(f"REDIS_URL has the scheme {parts.scheme!r} and names no Redis.", hint=hint, id="reemio.E005")]


@register()
def rates_are_rates(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a limit of requests that cannot be read: it would fail with the first request."""
    messages: list[CheckMessage] = []
    for name in ("REEMIO_THROTTLE_READ", "REEMIO_THROTTLE_WRITE"):
        try:
            parse_rate(getattr(settings, name))
        except ValueError:
            hint = "Write a number, a slash and sec, min, hour or day."
            messages.append(Error(f"{name} is no rate like 6000/min.", hint=hint, id="reemio.E006"))
    return messages


@register()
def models_are_there(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a model's path with nothing behind it; a name on the hub cannot be looked up here."""
    messages: list[CheckMessage] = []
    for name in ("EMBEDDING_MODEL", "RERANKER_MODEL"):
        value = getattr(settings, name)
        if value.startswith((os.sep, ".", "~")) and not Path(value).expanduser().is_dir():
            hint = "Name a folder that holds a sentence-transformers model, or a model on the hub."
            messages.append(Error(f"{name} is {value!r}, where there is no folder.", hint=hint, id="reemio.E007"))
    return messages


@register()
def numbers_make_sense(**kwargs: Any) -> list[CheckMessage]:
    """Refuse limits of time that would let nothing happen, or wait for ever."""
    return [Error(f"{name} is {value}.", hint=hint, id="reemio.E008") for name, value, hint in _numbers_out_of_range()]


def _numbers_out_of_range() -> Iterator[tuple[str, float, str]]:
    ranges = {
        "ECOMMERCE_TIMEOUT_SECONDS": (0.1, 600.0),
        "ECOMMERCE_MAX_RETRIES": (0, 20),
        "REEMIO_RERANK_BUDGET_MS": (0, 10_000),
        "REEMIO_PROXY_COUNT": (0, 10),
    }
    for name, (least, most) in ranges.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            yield name, value, f"Choose {least} to {most}."


@register()
def outgoing_networks_are_networks(**kwargs: Any) -> list[CheckMessage]:
    """Refuse networks that cannot be read: the first synchronisation would fail."""
    messages: list[CheckMessage] = []
    for network in settings.REEMIO_OUTGOING_NETWORKS:
        try:
            ip_network(network)
        except ValueError as error:
            hint = "Write networks like 10.0.0.0/8,fd00::/8."
            messages.append(Error(f"REEMIO_OUTGOING_NETWORKS: {error}.", hint=hint, id="reemio.E012"))
    return messages


@register()
def data_is_kept_long_enough(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to clear away what the engine, attribution or caps still need."""
    least = {
        "REEMIO_KEEP_INTERACTIONS_DAYS": 60,
        "REEMIO_KEEP_SERVED_LISTS_DAYS": 60,
        "REEMIO_KEEP_SEARCH_TEXTS_DAYS": 8,
        "REEMIO_KEEP_INBOX_DAYS": 1,
        "REEMIO_KEEP_GUEST_TASTES_DAYS": 1,
        "REEMIO_KEEP_MAILS_DAYS": 60,
        "REEMIO_KEEP_UNSENT_MAILS_DAYS": 8,
        "REEMIO_KEEP_SYNCS_DAYS": 1,
        "REEMIO_KEEP_AUDIT_DAYS": 1,
    }
    return [
        Error(f"{name} is {days}.", hint=f"Choose 0 (for ever), or {fewest} days and more.", id="reemio.E013")
        for name, fewest in least.items()
        if (days := getattr(settings, name)) and days < fewest
    ]


@register()
def log_format_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a format of logs that would silently be the other one."""
    if settings.LOG_FORMAT in ("json", "console"):
        return []
    return [Error(f"LOG_FORMAT is {settings.LOG_FORMAT!r}.", hint="Use json or console.", id="reemio.E009")]


@register()
def currency_is_a_code(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a default currency that is not three capital letters."""
    code = settings.REEMIO_DEFAULT_CURRENCY
    if len(code) == 3 and code.isascii() and code.isupper():
        return []
    return [Error(f"REEMIO_DEFAULT_CURRENCY is {code!r}.", hint="Use an ISO 4217 code like USD.", id="reemio.E010")]


@register()
def debug_is_off_in_production(**kwargs: Any) -> list[CheckMessage]:
    """Warn where error pages would show settings to strangers."""
    if settings.PRODUCTION and settings.DEBUG:
        return [Warning("DEBUG is on in production.", hint="Unset DEBUG.", id="reemio.W001")]
    return []


@register()
def api_asks_for_keys_in_production(**kwargs: Any) -> list[CheckMessage]:
    """Warn where anybody may write to the API of a real shop."""
    if settings.PRODUCTION and not settings.REEMIO_REQUIRE_API_KEY:
        hint = "Unset REEMIO_REQUIRE_API_KEY, and make keys in the admin."
        return [Warning("In production, the API asks for no key.", hint=hint, id="reemio.W002")]
    return []


@register()
def training_engine_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an engine that nobody knows: the nightly training would fail, and nobody look."""
    if settings.REEMIO_TRAINING_ENGINE in ("local", "spark"):
        return []
    message = f"REEMIO_TRAINING_ENGINE is {settings.REEMIO_TRAINING_ENGINE!r}."
    return [Error(message, hint="Use local or spark.", id="reemio.E011")]
