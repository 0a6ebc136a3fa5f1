"""What each kind of caller may do."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from reemio.access.models import ApiKey

if TYPE_CHECKING:
    # DRF imports this module while it sets up its own views.
    from rest_framework.views import APIView


def _is_at_home(key: ApiKey, request: Request) -> bool:
    """Tell whether a browser may use this key where it is; only browsers name an origin."""
    origin = request.headers.get("Origin")
    return not key.origins or origin is None or origin in key.origins


class SecretKey(BasePermission):
    """A secret key may; so may staff that only reads, and everybody where no key is required."""

    message = "This endpoint needs a secret key."
    kinds: frozenset[str] = frozenset({ApiKey.Kind.SECRET})

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Decide by the key's kind, the session, or the setting."""
        if isinstance(request.auth, ApiKey):
            return request.auth.kind in self.kinds and _is_at_home(request.auth, request)
        if request.user is not None and getattr(request.user, "is_staff", False) and request.method in SAFE_METHODS:
            return True
        return not settings.REEMIO_REQUIRE_API_KEY


class PersonalData(SecretKey):
    """What is held on a person: a secret key may, and of staff only who may look at single shoppers."""

    permission = "analytics.view_personal_data"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Ask signed-in staff for the permission besides."""
        staff = request.user if request.auth is None else None
        if staff is not None and getattr(staff, "is_staff", False):
            return bool(request.method in SAFE_METHODS and staff.has_perm(self.permission))
        return super().has_permission(request, view)


class AnyKey(SecretKey):
    """Publishable keys may, too: what a browser has to do."""

    kinds = frozenset({ApiKey.Kind.SECRET, ApiKey.Kind.PUBLISHABLE})


def has_secret_key(request: Request) -> bool:
    """Tell whether the caller showed a secret key."""
    return isinstance(request.auth, ApiKey) and request.auth.kind == ApiKey.Kind.SECRET
