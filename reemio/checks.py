"""System checks of the settings: what is wrong, and how to mend it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def environment_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an APP_ENV that nothing understands: a typing error must not switch safety off."""
    if settings.APP_ENV in ("development", "production", "test"):
        return []
    return [Error(f"APP_ENV is {settings.APP_ENV!r}.", hint="Use development, test or production.", id="reemio.E001")]


@register()
def production_has_a_secret(**kwargs: Any) -> list[CheckMessage]:
    """Refuse production with no secret key of its own."""
    if not settings.PRODUCTION or len(settings.SECRET_KEY) >= 50:
        return []
    hint = "Set SECRET_KEY to at least 50 random characters."
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
def debug_is_off_in_production(**kwargs: Any) -> list[CheckMessage]:
    """Warn where error pages would show settings to strangers."""
    if settings.PRODUCTION and settings.DEBUG:
        return [Warning("DEBUG is on in production.", hint="Unset DEBUG.", id="reemio.W001")]
    return []
