"""Proof that a browser may speak for a shopper: a token that only the shop's server can have made."""

import hashlib
import hmac

from django.conf import settings
from django.utils.crypto import constant_time_compare


def token_for(user_id: str) -> str:
    """Return the shopper's token: HMAC-SHA256 of the id in UTF-8 under `REEMIO_IDENTITY_SECRET`, in hexadecimal."""
    secret = settings.REEMIO_IDENTITY_SECRET.encode()
    return hmac.new(secret, user_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def proves(token: str, user_id: str) -> bool:
    """Tell whether `token` is the shopper's, in constant time."""
    return constant_time_compare(token, token_for(user_id))
