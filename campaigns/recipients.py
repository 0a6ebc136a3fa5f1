"""Who a message is for: read from the profile, or from the alert of a visitor who left an address."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.clock import zone_of
from campaigns.identities import address_hash, user_hash
from campaigns.models import OutboxMessage, StockAlert
from interactions.models import Shopper


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person as a mail needs them. `address` is empty where none is known."""

    user_id: str
    address: str
    name: str
    zone: ZoneInfo
    consents: bool

    @property
    def address_hash(self) -> str:
        """Return the keyed hash of the address, or nothing."""
        return address_hash(self.address) if self.address else ""

    @property
    def user_hash(self) -> str:
        """Return the keyed hash of the user's id, or nothing."""
        return user_hash(self.user_id) if self.user_id else ""

    @property
    def person(self) -> str:
        """Return the name under which experiments know the person."""
        return f"u:{self.user_id}" if self.user_id else f"a:{self.address_hash}"

    @property
    def first_name(self) -> str:
        """Return how a mail greets them; empty where nobody knows."""
        return self.name.split()[0] if self.name.split() else ""

    @property
    def allowlisted(self) -> bool:
        """Tell whether this installation may write to the address."""
        address = self.address.lower()
        return any(
            one == "*" or address == one.lower() or (one.startswith("@") and address.endswith(one.lower()))
            for one in settings.REEMIO_MAIL_ALLOWLIST
        )


def recipient_of(message: OutboxMessage) -> Recipient:
    """Return who the message is for, as of now."""
    if message.user_id:
        return recipient_of_user(message.user_id)
    alert = StockAlert.objects.filter(pk=message.alert_id).first() if message.alert_id else None
    zone = zone_of(settings.REEMIO_SHOP_TIME_ZONE)
    return Recipient("", alert.email if alert else "", "", zone, consents=False)


def recipient_of_user(user_id: str) -> Recipient:
    """Return the user as of now; one that is not known has no address."""
    shopper = Shopper.objects.filter(user_id=user_id).only("email", "name", "timezone", "marketing_consent").first()
    if shopper is None:
        return Recipient(user_id, "", "", zone_of(settings.REEMIO_SHOP_TIME_ZONE), consents=False)
    zone = zone_of(shopper.timezone, settings.REEMIO_SHOP_TIME_ZONE)
    return Recipient(user_id, shopper.email, shopper.name, zone, consents=shopper.marketing_consent)
