"""What the campaigns keep, one file per concern."""

from campaigns.models.alerts import StockAlert
from campaigns.models.campaign import Campaign
from campaigns.models.contacts import ContactState, Suppression, TopicChoice
from campaigns.models.events import MessageEvent
from campaigns.models.mailbox import ReceivedMail
from campaigns.models.outbox import OutboxMessage

__all__ = [
    "Campaign",
    "ContactState",
    "MessageEvent",
    "OutboxMessage",
    "ReceivedMail",
    "StockAlert",
    "Suppression",
    "TopicChoice",
]
