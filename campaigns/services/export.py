"""What is held of a person for e-mail."""

from typing import Any

from django.db.models import Model, Q

from campaigns.identities import address_hash, subjects_of
from campaigns.models import MessageEvent, OutboxMessage, StockAlert, Suppression, TopicChoice


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
        "suppressions": [_fields(row) for row in Suppression.objects.filter(subject_hash__in=subjects).order_by("pk")],
    }


def _fields(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
