"""The thin thread through all layers: a cart is left, a mail arrives, once."""

from datetime import timedelta

import pytest

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.models import OutboxMessage
from campaigns.sending.sender import send_due
from catalog.models import Product
from recommendations.models import ServedList
from tests.campaigns.conftest import NOON, abandoned, did, outbox, person
from tests.campaigns.mailserver import Inbox

pytestmark = pytest.mark.django_db


def test_a_cart_that_was_left_is_reminded_of_once(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned("akinyi", "p1", "p2")
    assert [planners.plan(Kind.CART_ABANDONMENT, now=NOON) for _ in range(3)] == [1, 0, 0]
    assert [send_due(clock=lambda: NOON) for _ in range(3)] == [1, 0, 0]
    assert outbox() == [("akinyi", "sent", "")]
    mail = inbox.only()
    assert mail["To"] == "akinyi@example.com"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    message = OutboxMessage.objects.get()
    assert [shown["product_id"] for shown in message.content["products"][:2]] == ["p2", "p1"]
    assert len(message.content["products"]) == 6
    served = ServedList.objects.get(request_id=message.request_id)
    assert (served.context, served.placement, served.user_id) == ("email", "email", "akinyi")
    assert served.products == [shown["product_id"] for shown in message.content["products"]]


def test_whoever_bought_since_is_not_even_planned(shop: list[Product]) -> None:
    person()
    abandoned()
    did("purchase", "p9", at=NOON - timedelta(hours=2.5))
    assert planners.plan(Kind.CART_ABANDONMENT, now=NOON) == 0


def test_a_purchase_after_the_plan_keeps_the_mail_back(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    did("purchase", "p1", at=NOON + timedelta(seconds=1))
    assert send_due(clock=lambda: NOON + timedelta(seconds=5)) == 0
    assert outbox() == [("akinyi", "skipped", "purchased")]
    assert inbox.counts == {}
