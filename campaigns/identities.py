"""Names for people that lead to nobody: keyed hashes of an address or a user's id, and the arms of experiments.

The key is `REEMIO_MAIL_KEY`. It must stay: with another one, nobody who left would be recognised.
"""

import hashlib
import hmac

from django.conf import settings


def address_hash(address: str) -> str:
    """Return the keyed hash of an address: 32 hexadecimal digits. Letter case does not make another address."""
    return _digest(f"address:{address.strip().lower()}")


def user_hash(user_id: str) -> str:
    """Return the keyed hash of a user's id: 32 hexadecimal digits."""
    return _digest(f"user:{user_id}")


def subjects_of(*, user_id: str, address: str) -> list[str]:
    """Return the hashes under which a person is known: the address, and the user where there is one."""
    return [*([address_hash(address)] if address else []), *([user_hash(user_id)] if user_id else [])]


def bucket(experiment: str, person: str, *, of: int) -> int:
    """Return which of `of` equal parts a person falls into: the same at each call, independent between experiments."""
    digest = hmac.new(_key(), f"bucket:{experiment}:{person}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") % of


def _digest(text: str) -> str:
    return hmac.new(_key(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _key() -> bytes:
    return bytes(settings.REEMIO_MAIL_KEY.encode())
