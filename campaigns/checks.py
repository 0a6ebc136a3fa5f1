"""System checks of the e-mail settings: what would keep mails from arriving, or people from leaving."""

from email.utils import parseaddr
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

FREE_MAIL = (
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "outlook.com",
    "hotmail.com",
    "aol.com",
    "icloud.com",
    "gmx.net",
)


@register()
def provider_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a provider that neither Django nor anymail knows."""
    name = settings.EMAIL_PROVIDER
    if name in ("mailbox", "smtp") or (name.isidentifier() and find_spec(f"anymail.backends.{name}")):
        return []
    hint = "Use mailbox, smtp, or a provider of django-anymail such as mailgun, postmark, amazon_ses or brevo."
    return [Error(f"EMAIL_PROVIDER is {name!r}.", hint=hint, id="campaigns.E001")]


@register()
def sender_is_an_address(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a sender that is no address, where mails really leave."""
    _, address = parseaddr(settings.REEMIO_MAIL_FROM)
    if settings.EMAIL_PROVIDER == "mailbox" and not settings.REEMIO_MAIL_FROM:
        return []
    domain = address.rpartition("@")[2]
    if "." not in domain or "\n" in settings.REEMIO_MAIL_FROM:
        hint = "Write it like: Duka la Nairobi <hello@mail.duka.example>."
        return [Error("REEMIO_MAIL_FROM is missing or no address.", hint=hint, id="campaigns.E002")]
    if settings.PRODUCTION and domain.lower() in FREE_MAIL:
        hint = "Use a domain of the shop's own, with SPF, DKIM and DMARC: docs/deliverability.md."
        return [Error(f"REEMIO_MAIL_FROM is at {domain}, for which nobody can sign.", hint=hint, id="campaigns.E003")]
    return []


@register()
def both_kinds_of_encryption(**kwargs: Any) -> list[CheckMessage]:
    """Refuse STARTTLS and implicit TLS at once."""
    if settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL:
        hint = "EMAIL_USE_TLS is STARTTLS on port 587, EMAIL_USE_SSL is TLS from the start on port 465: choose one."
        return [Error("EMAIL_USE_TLS and EMAIL_USE_SSL are both on.", hint=hint, id="campaigns.E004")]
    return []


@register()
def production_really_sends(**kwargs: Any) -> list[CheckMessage]:
    """Warn where production keeps its mails to itself, or tells readers addresses that they cannot reach."""
    if not settings.PRODUCTION:
        return []
    messages: list[CheckMessage] = []
    if settings.EMAIL_PROVIDER == "mailbox":
        hint = "Set EMAIL_HOST for SMTP, or EMAIL_PROVIDER and its key."
        messages.append(Warning("Mails go to the local mailbox only.", hint=hint, id="campaigns.W001"))
    site = urlsplit(settings.REEMIO_SITE_URL)
    if site.scheme != "https" or site.hostname in ("localhost", "127.0.0.1", None):
        hint = "Set REEMIO_SITE_URL to the https address under which readers reach this installation."
        messages.append(Warning("Links in mails would not be reachable.", hint=hint, id="campaigns.W002"))
    if settings.REEMIO_SHOP_URL == "/" and not settings.REEMIO_DEMO_SHOP:
        hint = "Set REEMIO_SHOP_URL and REEMIO_SHOP_CART_URL to the shop's front page and its cart."
        messages.append(Warning("Buttons in mails would lead to no shop.", hint=hint, id="campaigns.W006"))
    if settings.REEMIO_MAIL_KEY == settings.SECRET_KEY:
        hint = "Set REEMIO_MAIL_KEY to random characters and keep it: rotating SECRET_KEY would bring back who left."
        messages.append(Warning("REEMIO_MAIL_KEY is not set.", hint=hint, id="campaigns.W003"))
    if not settings.REEMIO_SHOP_ADDRESS:
        hint = "Set REEMIO_SHOP_ADDRESS to the shop's postal address, which many countries ask for in mails."
        messages.append(Warning("Mails name no postal address.", hint=hint, id="campaigns.W004"))
    if settings.EMAIL_PROVIDER not in ("mailbox", "smtp") and settings.ANYMAIL["WEBHOOK_SECRET"].startswith("closed:"):
        hint = "Set ANYMAIL_WEBHOOK_SECRET to user:password and give it to the provider with the webhook's address."
        messages.append(Warning("Bounces and complaints cannot be told.", hint=hint, id="campaigns.W005"))
    return messages
