"""Renders one mail: three templates a campaign, one base layout, everything that a mail program asks for."""

import re
import uuid
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from campaigns.content.cards import Card, Composed
from campaigns.definitions import TOPICS, Kind
from campaigns.identities import bucket
from campaigns.links import Links, absolute, leaving_addresses
from campaigns.recipients import Recipient
from campaigns.rendering.money import money

# Mail programs cut a message off at 102 kB, and with it the link by which people leave.
LARGEST_HTML = 90 * 1024
LONGEST_SUBJECT = 150
METADATA = "reemio_message"


class RenderError(Exception):
    """The mail cannot be made; the text says why, and names nobody."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail, and what of it is kept."""

    subject: str
    text: str
    html: str
    arm: str
    headers: dict[str, str]
    content: dict[str, Any]

    @property
    def size(self) -> int:
        """Return the size of the HTML part in bytes."""
        return len(self.html.encode())


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, keep_style_tags=False, load_remote_stylesheets=False)


def arm_of(kind: str, who: Recipient, *, compares: bool) -> str:
    """Return which subject a person gets: the same at each attempt."""
    return "AB"[bucket(f"subject:{kind}", who.person, of=2)] if compares else "A"


def render(
    kind: str,
    who: Recipient,
    composed: Composed,
    *,
    message: uuid.UUID,
    request_id: uuid.UUID | None,
    arm: str,
    asked_for: bool = False,
) -> Mail:
    """Return the mail. Raises `RenderError` where it cannot be shown, or is too large."""
    links = Links(message, kind, arm, request_id)
    unsubscribe, preferences = leaving_addresses(message, kind, address_hash=who.address_hash, user_hash=who.user_hash)
    cards = _shown(composed, links)
    lead, picks = cards[: len(composed.lead)], cards[len(composed.lead) :]
    context = {
        "name": who.first_name,
        "arm": arm,
        "lead": lead,
        "picks": picks,
        "first": cards[0] if cards else None,
        "others": len(cards) - 1,
        "more": composed.more,
        "shop": settings.REEMIO_SHOP_NAME,
        "shop_address": settings.REEMIO_SHOP_ADDRESS,
        "home": links.to(settings.REEMIO_SHOP_URL),
        "button": links.to(
            settings.REEMIO_SHOP_CART_URL if kind == Kind.CART_ABANDONMENT else settings.REEMIO_SHOP_URL
        ),
        "honeypot": links.honeypot(),
        "unsubscribe": unsubscribe,
        "preferences": preferences,
        "topic": TOPICS[kind],
        "asked": asked_for,
    }
    subject = one_line(render_to_string(f"mails/{kind}.subject", context))[:LONGEST_SUBJECT]
    text = re.sub(r"\n{3,}", "\n\n", render_to_string(f"mails/{kind}.txt", context)).strip() + "\n"
    html = _inliner().inline(render_to_string(f"mails/{kind}.html", context | {"subject": subject}))
    mail = Mail(subject, text, html, arm, headers_of(kind, message, unsubscribe), _kept(composed, links, arm))
    if not subject:
        raise RenderError("The subject is empty.")
    if mail.size > LARGEST_HTML:
        raise RenderError(f"The HTML is {mail.size} bytes, more than {LARGEST_HTML}.")
    return mail


def as_email(mail: Mail, address: str, *, message: uuid.UUID, kind: str) -> EmailMultiAlternatives:
    """Return what is handed to the provider; our own id goes along, so that its events find the message."""
    email = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        reply_to=[settings.REEMIO_MAIL_REPLY_TO] if settings.REEMIO_MAIL_REPLY_TO else None,
        headers=mail.headers,
    )
    email.attach_alternative(mail.html, "text/html")
    email.metadata = {METADATA: str(message)}  # type: ignore[attr-defined]  # anymail's own attribute
    email.tags = [kind]  # type: ignore[attr-defined]  # anymail's own attribute
    return email


def headers_of(kind: str, message: uuid.UUID, unsubscribe: str) -> dict[str, str]:
    """Return the headers by which mail programs offer to leave (RFC 8058, RFC 2919), and the message's own id."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return {
        "Message-ID": f"<{message}@{domain}>",
        "List-ID": f"{one_line(settings.REEMIO_SHOP_NAME)} <{kind.replace('_', '-')}.{domain}>",
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": f"{kind}:reemio",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def one_line(text: str) -> str:
    """Return the text on one line: a header's value holds no line break, whatever a product is called."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _shown(composed: Composed, links: Links) -> list[dict[str, Any]]:
    """Return the cards as templates show them, with a link each."""
    return [_as_shown(card, links, position) for position, card in enumerate(composed.cards, start=1)]


def _as_shown(card: Card, links: Links, position: int) -> dict[str, Any]:
    return {
        "title": card.title,
        "category": card.narrowest,
        "price": money(card.price, card.currency),
        "was": money(card.was, card.currency),
        "reason": card.reason,
        "quantity": card.quantity,
        "image": absolute(card.image_url) if card.image_url else "",
        "link": links.to(card.url, product_id=card.product_id, position=position),
    }


def _kept(composed: Composed, links: Links, arm: str) -> dict[str, Any]:
    """Return what the message keeps: which products at which price, and where its links lead. Nothing personal."""
    return {
        "products": [
            {
                "product_id": card.product_id,
                "position": position,
                "price": None if card.price is None else str(card.price),
                "currency": card.currency,
                "recommended": position > len(composed.lead),
            }
            for position, card in enumerate(composed.cards, start=1)
        ],
        "strategy": composed.strategy,
        "arm": arm,
        "links": links.stored,
    }
