"""Links in mails: each goes through a token of ours to a target that is stored with the message."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from django.conf import settings
from django.urls import reverse

from campaigns.tokens import HONEYPOT, leaving_token, link_token


def absolute(address: str) -> str:
    """Return an address of the shop in full; a relative one is below this installation's."""
    return urljoin(f"{settings.REEMIO_SITE_URL.rstrip('/')}/", address) if address else home()


def home() -> str:
    """Return where an unknown token leads: the shop's front page."""
    return urljoin(f"{settings.REEMIO_SITE_URL.rstrip('/')}/", settings.REEMIO_SHOP_URL)


def target_of(address: str, *, kind: str, arm: str, request_id: uuid.UUID | None, position: int | None) -> str:
    """Return the target of a link: the shop's page, with `utm_*` and what the storefront needs for attribution."""
    parts = urlsplit(absolute(address))
    if parts.scheme not in ("http", "https"):
        return home()
    added = {"utm_source": "reemio", "utm_medium": "email", "utm_campaign": kind, "utm_content": arm.lower()}
    if request_id is not None:
        added["recommendation_request_id"] = str(request_id)
    if position is not None:
        added["recommendation_position"] = str(position)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in added]
    return urlunsplit(parts._replace(query=urlencode([*query, *added.items()])))


@dataclass
class Links:
    """The links of one message while it is rendered; `stored` is what the message keeps."""

    message: uuid.UUID
    kind: str
    arm: str
    request_id: uuid.UUID | None
    stored: list[dict[str, Any]] = field(default_factory=list)

    def to(self, address: str, *, product_id: str = "", position: int | None = None) -> str:
        """Store a target and return the address that leads to it."""
        target = target_of(address, kind=self.kind, arm=self.arm, request_id=self.request_id, position=position)
        self.stored.append({"target": target, "product_id": product_id, "position": position})
        return click_address(self.message, len(self.stored) - 1)

    def honeypot(self) -> str:
        """Return the address that no person sees."""
        return click_address(self.message, HONEYPOT)


def click_address(message: uuid.UUID, link: int) -> str:
    """Return the address of a message's link."""
    return absolute(reverse("mail:click", args=[link_token(message, link)]))


def leaving_addresses(message: uuid.UUID, kind: str, *, address_hash: str, user_hash: str) -> tuple[str, str]:
    """Return the addresses by which a reader unsubscribes, and of their preferences."""
    token = leaving_token(message, kind, address_hash=address_hash, user_hash=user_hash)
    return absolute(reverse("mail:unsubscribe", args=[token])), absolute(reverse("mail:preferences", args=[token]))
