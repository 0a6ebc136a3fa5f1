"""The demo shop's own publishable key: derived from the installation's secret, so that it is kept nowhere."""

import base64
import hashlib
import hmac

from django.conf import settings
from django.core.cache import cache

from reemio.access.models import ApiKey, digest_of

NAME = "Demo shop"
_CACHED, _SECONDS = "shop:key", 60


def derived_key() -> str:
    """Return the key, whether it is valid or not."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"the demo shop's publishable key", hashlib.sha256).digest()
    return "pk_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def ensure_key() -> None:
    """Make the key valid, unless it was before: one that was revoked in the admin stays revoked."""
    key = derived_key()
    ApiKey.objects.get_or_create(
        digest=digest_of(key), defaults={"name": NAME, "kind": ApiKey.Kind.PUBLISHABLE, "prefix": key[:8]}
    )
    cache.delete(_CACHED)


def shop_key() -> str:
    """Return the key for the shop's pages; nothing where it was never made, or was revoked. At most a minute old."""
    return derived_key() if cache.get_or_set(_CACHED, _is_valid, _SECONDS) else ""


def _is_valid() -> bool:
    return ApiKey.objects.filter(digest=digest_of(derived_key()), revoked_at=None).exists()
