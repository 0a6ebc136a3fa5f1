"""Tokens of links: opaque, made with a key, and readable without a table, so that leaving outlives every row.

A link's token names a message and which of its stored links is meant. A leaving token names a message, its topic, and
the keyed hashes of the address and the user. Neither holds an address, a name or a user's id, and neither expires.
"""

import hashlib
import hmac
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass

from django.conf import settings

from campaigns.definitions import Kind

MAC_BYTES = 12
HONEYPOT = 255
_KINDS = tuple(Kind.values)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who wants to leave what: `subjects` are the hashes of the address and, where known, of the user."""

    message: uuid.UUID
    topic: str
    subjects: tuple[str, ...]


def link_token(message: uuid.UUID, link: int) -> str:
    """Return the token of a message's `link`, 0 to 255."""
    return _sealed(b"L", message.bytes + bytes([link]))


def read_link(token: str) -> tuple[uuid.UUID, int] | None:
    """Return the message and the link that a token names, or None where nobody here made it."""
    body = _opened(b"L", token)
    return (uuid.UUID(bytes=body[:16]), body[16]) if body is not None and len(body) == 17 else None


def leaving_token(message: uuid.UUID, topic: str, *, address_hash: str, user_hash: str = "") -> str:
    """Return the token by which the reader of a message leaves its topic, or everything."""
    hashes = bytes.fromhex(address_hash) + bytes.fromhex(user_hash)
    return _sealed(b"U", bytes([_KINDS.index(topic)]) + message.bytes + hashes)


def read_leaving(token: str) -> Leaving | None:
    """Return what a leaving token says, or None where nobody here made it."""
    body = _opened(b"U", token)
    if body is None or len(body) not in (33, 49) or body[0] >= len(_KINDS):
        return None
    hashes = tuple(body[at : at + 16].hex() for at in range(17, len(body), 16))
    return Leaving(uuid.UUID(bytes=body[1:17]), _KINDS[body[0]], hashes)


def _sealed(purpose: bytes, body: bytes) -> str:
    return urlsafe_b64encode(_mac(purpose, body) + body).rstrip(b"=").decode()


def _opened(purpose: bytes, token: str) -> bytes | None:
    if not token.isascii() or len(token) > 200:
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Error, ValueError):
        return None
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    return body if hmac.compare_digest(mac, _mac(purpose, body)) else None


def _mac(purpose: bytes, body: bytes) -> bytes:
    key: str = settings.REEMIO_MAIL_KEY
    return hmac.new(key.encode(), b"token:" + purpose + body, hashlib.sha256).digest()[:MAC_BYTES]
