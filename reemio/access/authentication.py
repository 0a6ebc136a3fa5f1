"""How a request shows who asks: an API key, or a signed-in admin."""

from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from reemio.access.models import ApiKey, digest_of

SCHEME = "Api-Key"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`: sets `request.auth` to the key's row; `request.user` stays None."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        """Return the key's row, None where no key was sent, or raise where the key is not known."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        digest = digest_of(key.strip())
        row = ApiKey.objects.filter(digest=digest, revoked_at=None).first()
        if row is None or not constant_time_compare(row.digest, digest):
            raise AuthenticationFailed("This API key is unknown or revoked.")
        return None, row

    def authenticate_header(self, request: Request) -> str:
        """Make a missing key a 401, not a 403."""
        return SCHEME


class AdminSessionAuthentication(SessionAuthentication):
    """A signed-in member of staff may look around; CSRF is checked as everywhere in the admin."""
