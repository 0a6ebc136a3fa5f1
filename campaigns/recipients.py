"""Who a message is for: read from the profile, or from the alert of a visitor who left an address."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

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
    return recipient_of_user(message.user_id) if message.user_id else _visitor(message.alert_id)


def recipients_of(messages: Sequence[int]) -> dict[int, Recipient]:
    """Return who each of these messages is for, as of now, in two queries and one more for each visitor's alert."""
    rows = OutboxMessage.objects.filter(pk__in=messages).values_list("pk", "user_id", "alert_id")
    known = {one.user_id: one for one in _profiles().filter(user_id__in={user for _, user, _ in rows if user})}
    return {
        message: _user(user, known.get(user)) if user else _visitor(alert)
        for message, user, alert in rows
    }  # fmt: skip


def recipient_of_user(user_id: str) -> Recipient:
    """Return the user as of now; one that is not known has no address."""
    return _user(user_id, _profiles().filter(user_id=user_id).first())


def _profiles() -> QuerySet[Shopper]:
    return Shopper.objects.only("user_id", "email", "name", "timezone", "marketing_consent")


def _user(user_id: str, shopper: Shopper | None) -> Recipient:
    if shopper is None:
        return Recipient(user_id, "", "", zone_of(settings.REEMIO_SHOP_TIME_ZONE), consents=False)
    zone = zone_of(shopper.timezone, settings.REEMIO_SHOP_TIME_ZONE)
    return Recipient(user_id, shopper.email, shopper.name, zone, consents=shopper.marketing_consent)


def _visitor(alert_id: int | None) -> Recipient:
    """Return the visitor who left an address with an alert."""
    alert = StockAlert.objects.filter(pk=alert_id).first() if alert_id else None
    zone = zone_of(settings.REEMIO_SHOP_TIME_ZONE)
    return Recipient("", alert.email if alert else "", "", zone, consents=False)
