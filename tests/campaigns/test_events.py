"""What providers tell: stored once, applied by a task, whatever order it comes in."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.identities import address_hash
from campaigns.models import Campaign, MessageEvent, OutboxMessage, Suppression
from campaigns.sending.claims import LEASE, claim
from campaigns.sending.hand_off import decide
from campaigns.sending.reaper import reap
from campaigns.sending.sender import send_due
from campaigns.services.apply_events import apply_events
from campaigns.services.watch import pause_the_harmful
from catalog.models import Product
from tests.campaigns.conftest import NOON, abandoned, campaign, outbox, person
from tests.campaigns.mailserver import Inbox

pytestmark = pytest.mark.django_db
HOOK = "/anymail/postmark/tracking/"
SECRET = "reemio:a-long-secret"
KINDS = {"delivered": "Delivery", "bounced": "Bounce", "complained": "SpamComplaint", "deferred": "Bounce"}


@pytest.fixture
def message(shop: list[Product], inbox: Inbox) -> OutboxMessage:
    """A reminder that was sent at noon."""
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    send_due(clock=lambda: NOON)
    return OutboxMessage.objects.get()


@pytest.fixture
def tell(settings: Settings, client: Client) -> Callable[..., int]:
    """The provider's call of our webhook; returns the status."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}

    def call(message: OutboxMessage, kind: str, *, at: datetime = NOON, secret: str = SECRET, number: int = 1) -> int:
        body: dict[str, Any] = {
            "RecordType": KINDS[kind],
            "MessageID": f"00000000-0000-0000-0000-{number:012}",
            "Recipient": "akinyi@example.com",
            "Email": "akinyi@example.com",
            "Metadata": {"reemio_message": str(message.public_id)},
            "DeliveredAt": at.isoformat(),
            "BouncedAt": at.isoformat(),
            "ID": number,
            "Type": {"bounced": "HardBounce", "complained": "SpamComplaint"}.get(kind, "Transient"),
        }
        sign = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
        return client.post(HOOK, json.dumps(body), content_type="application/json", **sign).status_code

    return call


@pytest.mark.parametrize("secret", ["", "reemio:guessed"])
def test_an_unsigned_event_is_refused(tell: Callable[..., int], message: OutboxMessage, secret: str) -> None:
    assert tell(message, "complained", secret=secret) == 400
    assert not MessageEvent.objects.exists()


def test_without_a_secret_of_ones_own_the_webhooks_are_closed(
    settings: Settings, client: Client, message: OutboxMessage
) -> None:
    assert settings.ANYMAIL["WEBHOOK_SECRET"].startswith("closed:")
    assert client.post(HOOK, "{}", content_type="application/json").status_code == 400


def test_the_receiver_only_stores_and_a_repeat_is_ignored(tell: Callable[..., int], message: OutboxMessage) -> None:
    assert [tell(message, "complained", number=7) for _ in range(3)] == [200, 200, 200]
    event = MessageEvent.objects.get()
    assert (event.kind, event.message_id, event.applied_at) == ("complained", message.pk, None)
    assert not Suppression.objects.exists(), "that is the task's to do"
    assert [apply_events(now=NOON), apply_events(now=NOON)] == [1, 0]
    assert Suppression.objects.get().reason == "complaint"
    assert "akinyi" not in json.dumps(list(MessageEvent.objects.values()), default=str)


@pytest.mark.parametrize(("kind", "reason"), [("bounced", "hard_bounce"), ("complained", "complaint")])
def test_a_bounce_and_a_complaint_suppress_the_address_at_once(
    tell: Callable[..., int], message: OutboxMessage, inbox: Inbox, kind: str, reason: str
) -> None:
    tell(message, kind)
    apply_events(now=NOON)
    assert list(Suppression.objects.values_list("subject_hash", "reason")) == [
        (address_hash("akinyi@example.com"), reason)
    ]
    later = NOON + timedelta(days=9)
    abandoned("akinyi", "p3", now=later)
    planners.plan(Kind.CART_ABANDONMENT, now=later)
    send_due(clock=lambda: later)
    assert outbox()[-1][2] == f"suppressed_{reason}"
    assert inbox.counts == {"akinyi@example.com": 1}


def test_the_end_is_the_same_in_whatever_order_events_come(tell: Callable[..., int], message: OutboxMessage) -> None:
    for number, kind in enumerate(("complained", "deferred", "delivered"), start=1):
        tell(message, kind, at=NOON - timedelta(minutes=number), number=number)
        apply_events(now=NOON)
    assert list(Suppression.objects.values_list("reason", flat=True)) == ["complaint"]
    assert outbox() == [("akinyi", "sent", "")]


def test_an_event_settles_a_message_whose_fate_was_unknown(tell: Callable[..., int], shop: list[Product]) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [number] = claim(now=NOON, most=1)
    decide(number, token=token, now=NOON)
    reap(now=NOON + LEASE)
    parked = OutboxMessage.objects.get()
    assert parked.state == "unknown"
    tell(parked, "delivered", at=NOON + timedelta(seconds=3))
    apply_events(now=NOON + LEASE)
    parked.refresh_from_db()
    assert (parked.state, parked.sent_at) == ("sent", NOON + timedelta(seconds=3))


def test_an_event_may_come_before_the_providers_answer_is_stored(tell: Callable[..., int], shop: list[Product]) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [number] = claim(now=NOON, most=1)
    decide(number, token=token, now=NOON)
    tell(OutboxMessage.objects.get(), "delivered")
    apply_events(now=NOON)
    assert outbox() == [("akinyi", "sent", "")]
    assert reap(now=NOON + LEASE).parked == 0


def deferred(count: int, *, delivered: int | None = None) -> None:
    """Let the address put off `count` messages in a row, the one numbered `delivered` excepted."""
    for number in range(count):
        message = OutboxMessage.objects.create(
            campaign=campaign(), user_id="akinyi", occasion=str(number), dedupe_key=f"d{number}", priority=2,
            state="sent", due_at=NOON, expires_at=NOON, handed_off_at=NOON + timedelta(days=number),
            address_hash=address_hash("akinyi@example.com"),
        )  # fmt: skip
        for kind in ["deferred", *(["delivered"] if number == delivered else [])]:
            MessageEvent.objects.create(
                message=message, message_ref=message.public_id, kind=kind, key=f"{kind}{number}", occurred_at=NOON
            )


@pytest.mark.parametrize(
    ("count", "delivered", "suppressed"), [(6, None, False), (7, None, True), (9, 4, False), (9, 1, True)]
)
def test_seven_soft_bounces_in_a_row_suppress(
    shop: list[Product], count: int, delivered: int | None, suppressed: bool
) -> None:
    deferred(count, delivered=delivered)
    apply_events(now=NOON)
    assert Suppression.objects.filter(reason="soft_bounces").exists() == suppressed


@pytest.mark.parametrize(
    ("bad", "kind", "paused"), [(1, "complained", True), (9, "bounced", False), (10, "bounced", True), (0, "", False)]
)
def test_a_campaign_that_does_harm_pauses_and_says_why(shop: list[Product], bad: int, kind: str, paused: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_outboxmessage (campaign_id, user_id, occasion, dedupe_key, trigger, priority, state,"
            " reason, detail, due_at, expires_at, handed_off_at) "
            "SELECT %s, 'u' || n, n::text, 'k' || n, '{}', 2, 'sent', '', '', %s, %s, %s "
            "FROM generate_series(1, 500) n",
            [campaign().pk, NOON, NOON, NOON + timedelta(hours=1)],
        )
    rows = list(OutboxMessage.objects.order_by("pk"))
    MessageEvent.objects.bulk_create(
        MessageEvent(
            message=row, message_ref=row.public_id, kind=kind if place < bad else "delivered", key=str(place),
            occurred_at=NOON, applied_at=NOON,
        )
        for place, row in enumerate(rows)
    )  # fmt: skip
    assert pause_the_harmful(now=NOON) == (["cart_abandonment"] if paused else [])
    assert Campaign.objects.get(kind="cart_abandonment").mode == ("paused" if paused else "live")
    if paused:
        assert f"{bad} of the last 500" in campaign().mode_reason
    assert pause_the_harmful(now=NOON) == []
