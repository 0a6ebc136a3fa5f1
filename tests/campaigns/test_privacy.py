"""Erasure, export, retention, and that nothing personal is written to logs or handed to tasks."""

import inspect
import json
import logging
from datetime import timedelta

import pytest
import structlog
from django.apps import apps
from rest_framework.test import APIClient

from campaigns import planners, tasks
from campaigns.definitions import Kind
from campaigns.identities import address_hash, user_hash
from campaigns.mailbox import keep
from campaigns.models import MessageEvent, OutboxMessage, ReceivedMail, StockAlert, Suppression
from campaigns.sending.claims import claim
from campaigns.sending.hand_off import decide
from campaigns.sending.sender import send_due
from campaigns.services.ask import ask_to_be_told
from campaigns.services.forget import USED_ALERTS, forget_old
from catalog.models import Product
from reemio.celery import app
from tests.campaigns.conftest import NOON, abandoned, outbox, person
from tests.campaigns.mailserver import Inbox

pytestmark = pytest.mark.django_db


def everything() -> str:
    """Return all that this app has stored, as text."""
    rows = [list(model.objects.values()) for model in apps.get_app_config("campaigns").get_models()]
    return json.dumps(
        rows, default=lambda value: bytes(value).decode() if isinstance(value, memoryview | bytes) else str(value)
    )


@pytest.fixture
def lived(shop: list[Product], inbox: Inbox) -> None:
    """Akinyi got a reminder, waits for a product, and has a mail that is planned."""
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    send_due(clock=lambda: NOON)
    keep("shop@example.com", ["akinyi@example.com"], inbox.only().as_bytes())
    ask_to_be_told(product_id="p3", user_id="akinyi")
    ask_to_be_told(product_id="p4", email="akinyi@example.com")
    later = NOON + timedelta(hours=9)
    abandoned("akinyi", "p5", now=later)
    planners.plan(Kind.CART_ABANDONMENT, now=later)


def test_erasure_leaves_no_trace_and_nothing_is_sent_any_more(lived: None, api: APIClient, inbox: Inbox) -> None:
    assert "akinyi" in everything()
    assert api.delete("/api/v1/users/akinyi").status_code == 204
    left = everything().lower()
    assert "akinyi" not in left
    assert user_hash("akinyi") not in left
    assert not StockAlert.objects.exists()
    assert list(Suppression.objects.values_list("subject_hash", "reason")) == [
        (address_hash("akinyi@example.com"), "erased")
    ]
    assert sorted(row[1:] for row in outbox()) == [("sent", ""), ("skipped", "suppressed_erased")]
    send_due(clock=lambda: NOON + timedelta(hours=10))
    assert inbox.counts == {"akinyi@example.com": 1}
    person("akinyi2", email="akinyi@example.com")
    later = NOON + timedelta(days=20)
    abandoned("akinyi2", now=later)
    planners.plan(Kind.CART_ABANDONMENT, now=later)
    send_due(clock=lambda: later)
    assert outbox(user_id="akinyi2") == [("akinyi2", "skipped", "suppressed_erased")]


def test_a_mail_that_was_claimed_when_the_person_was_erased_is_not_sent(
    shop: list[Product], api: APIClient, inbox: Inbox
) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [message] = claim(now=NOON, most=1)
    api.delete("/api/v1/users/akinyi")
    assert decide(message, token=token, now=NOON) is None
    assert outbox() == [("", "skipped", "suppressed_erased")]


def test_an_export_has_messages_reasons_alerts_and_choices(lived: None, api: APIClient) -> None:
    held = api.get("/api/v1/users/akinyi/export").json()
    assert [row["state"] for row in held["messages"]] == ["sent", "planned"]
    assert len(held["stock_alerts"]) == 2
    assert (held["topic_choices"], held["suppressions"]) == ([], [])


def test_no_log_line_names_a_person_or_a_token(
    shop: list[Product], inbox: Inbox, api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything that can go wrong, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    for logger in ("mail.log", "faker"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    with structlog.testing.capture_logs() as said:
        for number, behaviour in enumerate(("accept", "busy", "no_such_user", "blocked", "accept_then_drop")):
            person(f"u{number}")
            abandoned(f"u{number}")
            planners.plan(Kind.CART_ABANDONMENT, now=NOON)
            inbox.behaviour = behaviour
            send_due(clock=lambda: NOON)
        path = inbox.mails[0][1]["List-Unsubscribe"].strip(" <>").partition("8000")[2]
        api.post(path)
        api.get(path.replace("/u/", "/c/"))
    lines = " ".join([*(record.getMessage() for record in caplog.records), json.dumps(said, default=str)])
    assert "mail_put_off" in lines
    token = path.rpartition("/")[2]
    shown = [line for line in caplog.records if line.name.startswith(("campaigns", "reemio", "django.request"))]
    for secret in ("example.com", "Adhiambo", token):
        assert [line.getMessage() for line in shown if secret in line.getMessage()] == []
        assert secret not in json.dumps(said, default=str)


def test_no_task_takes_an_argument() -> None:
    ours = [task for name, task in app.tasks.items() if name.startswith("campaigns.")]
    assert len(ours) == 8
    assert [list(inspect.signature(task.run).parameters) for task in ours] == [[]] * 8
    assert tasks.send.name == "campaigns.send"


def test_what_is_old_is_forgotten_and_suppressions_stay(lived: None) -> None:
    message = OutboxMessage.objects.get(state="sent")
    MessageEvent.objects.create(
        message=message, message_ref=message.public_id, kind="delivered", key="d", occurred_at=NOON, applied_at=NOON
    )
    Suppression.objects.create(subject_hash="0" * 32, reason="complaint")
    OutboxMessage.objects.filter(state="planned").update(state="skipped", reason="purchased", finished_at=NOON)
    StockAlert.objects.filter(user_id="akinyi").update(used_at=NOON)
    assert forget_old(now=NOON + timedelta(days=1)).messages == 0
    assert forget_old(now=NOON + timedelta(hours=9) + timedelta(days=90) + timedelta(minutes=1)).messages == 1
    assert forget_old(now=NOON + USED_ALERTS + timedelta(minutes=1)).alerts == 0, "gone with the first"
    assert forget_old(now=NOON + timedelta(days=400) + timedelta(minutes=1)).messages == 1
    assert not MessageEvent.objects.exists()
    assert not ReceivedMail.objects.exists()
    assert Suppression.objects.count() == 1
