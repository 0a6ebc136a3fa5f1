"""From which origins browsers may call: those that a publishable key names, besides `REEMIO_CORS_ORIGINS`."""

import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from reemio.access.models import ApiKey

# A preflight carries no key: any active key's origin will do for it, and the request itself is held against its key.
KEEP_SECONDS = 10.0


class _Kept:
    origins: frozenset[str] = frozenset()
    read_at = float("-inf")


def origins_of_keys() -> frozenset[str]:
    """Return the origins of all keys in use; read at most every ten seconds in each process."""
    if time.monotonic() - _Kept.read_at > KEEP_SECONDS:
        lists = ApiKey.objects.filter(revoked_at=None, kind=ApiKey.Kind.PUBLISHABLE).values_list("origins", flat=True)
        _Kept.origins = frozenset(origin for origins in lists for origin in origins)
        _Kept.read_at = time.monotonic()
    return _Kept.origins


def forget() -> None:
    """Read again at the next question."""
    _Kept.read_at = float("-inf")


def may_call_across(sender: Any, request: HttpRequest, **_: Any) -> bool:
    """Answer django-cors-headers: may a page of this origin read what we answer?

    It asks about every request; the database hears only of those that name an origin and an endpoint.
    """
    origin = request.headers.get("Origin")
    return origin is not None and request.path_info.startswith(settings.REEMIO_API_ROOT) and origin in origins_of_keys()


def validate_origin(origin: str) -> None:
    """Refuse what a browser never sends as `Origin`: it would silently allow nothing."""
    try:
        parts = urlsplit(origin)
        parts.port  # noqa: B018  raises where it is no number
    except ValueError as error:
        raise ValidationError(f"{origin!r} is not an address.") from error
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or origin != f"{parts.scheme}://{parts.netloc}".lower()
    ):
        raise ValidationError(f"{origin!r} is no origin; write https://shop.example, with no path and no slash behind.")
