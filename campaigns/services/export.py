"""What is held of a person for e-mail."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, Q

from campaigns.identities import address_hash, subjects_of
from campaigns.models import MessageEvent, OutboxMessage, ReceivedMail, StockAlert, Suppression, TopicChoice


def export_mail(*, user_id: str, email: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row that is about the person, as its columns: messages and their events, alerts, choices."""
    address = address_hash(email) if email else ""
    alerts = StockAlert.objects.filter(Q(user_id=user_id) | Q(user_id="", address_hash=address or None))
    messages = OutboxMessage.objects.filter(Q(user_id=user_id) | Q(alert__in=alerts)).order_by("pk")
    subjects = subjects_of(user_id=user_id, address=email)
    return {
        "messages": [_fields(row) for row in messages],
        "message_events": [_fields(row) for row in MessageEvent.objects.filter(message__in=messages).order_by("pk")],
        "stock_alerts": [_fields(row) for row in alerts.order_by("pk")],
        "topic_choices": [_fields(row) for row in TopicChoice.objects.filter(subject_hash__in=subjects).order_by("pk")],
        "received_mails": [_mail(row) for row in _received(email)],
        "suppressions": [_fields(row) for row in Suppression.objects.filter(subject_hash__in=subjects).order_by("pk")],
    }


def _received(email: str) -> Iterable[ReceivedMail]:
    """Return the person's mails in the local mailbox."""
    return ReceivedMail.objects.filter(recipients__contains=[email]).order_by("pk") if email else []


def _mail(row: ReceivedMail) -> dict[str, Any]:
    return {**_fields(row), "raw": bytes(row.raw).decode("utf-8", "replace")}


def _fields(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
