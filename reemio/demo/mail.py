"""The demo's e-mails: campaigns that are live from the start, and occasions for the ten shoppers, a left cart first."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from campaigns import clock, planners
from campaigns.definitions import Kind, Priority
from campaigns.models import Campaign, OutboxMessage, StockAlert
from campaigns.services.advance import advance
from campaigns.services.ask import ask_to_be_told
from catalog.models import Restock
from catalog.services.set_inventory import set_inventory
from interactions.models import Shopper
from reemio.demo.personas import SHOPPERS

BACK = "electronics-thermostat-dial"
ARRIVALS = 48
# Whose digest comes at once, for a look; everybody's comes on Sunday.
AT_ONCE = ("wanjiku-muthoni", "otieno-ochieng", "chebet-jepkosgei")
# The bundled catalogue arrives whole at the first start; most of it has been in the shop for a while.
SPREAD = """
UPDATE catalog_product SET created_at = CASE
    WHEN product_id IN (SELECT product_id FROM catalog_product ORDER BY md5(product_id) LIMIT %(arrivals)s)
    THEN %(now)s::timestamptz - interval '6 days' * random() ELSE %(now)s::timestamptz - interval '90 days' END
"""


def prepare_mail(*, now: datetime) -> int:
    """Switch the campaigns on and set their first occasions off; return how many messages were planned.

    Only once: where a campaign is no draft any more, everything is left as it is.
    """
    if Campaign.objects.exclude(mode=Campaign.Mode.DRAFT).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(SPREAD, {"now": now, "arrivals": ARRIVALS})
    _bring_back(now)
    Campaign.objects.update(mode=Campaign.Mode.LIVE, live_since=now - timedelta(days=60), mode_changed_at=now)
    planned = sum(planners.plan(kind, now=now) for kind in Kind.values)
    # The one that everybody looks for first shall not wait for the morning in Nairobi.
    OutboxMessage.objects.filter(campaign__kind=Kind.CART_ABANDONMENT).update(by_hand=True)
    return planned + _arrivals(now) + _digests(now)


def _bring_back(now: datetime) -> None:
    """Let a product come back that two people asked for, a quarter of an hour ago."""
    ask_to_be_told(product_id=BACK, user_id="kipchoge-korir")
    ask_to_be_told(product_id=BACK, email="visitor@example.com")
    StockAlert.objects.update(created_at=now - timedelta(days=2))
    set_inventory(product_id=BACK, stock_quantity=6)
    Restock.objects.filter(product__product_id=BACK).update(restocked_at=now - timedelta(minutes=15))


def _arrivals(now: datetime) -> int:
    campaign = Campaign.objects.get(kind=Kind.NEW_PRODUCTS)
    for shopper in SHOPPERS:
        advance(campaign, shopper.user_id, now=now)
    return len(SHOPPERS)


def _digests(now: datetime) -> int:
    """Plan everybody's digest for the coming Sunday, as the planner would then, and a few at once."""
    campaign = Campaign.objects.get(kind=Kind.WEEKLY_DIGEST)
    for user_id in AT_ONCE:
        advance(campaign, user_id, now=now)
    rows = [_on_sunday(campaign, shopper, now) for shopper in Shopper.objects.order_by("pk")]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) + len(AT_ONCE)


def _on_sunday(campaign: Campaign, shopper: Shopper, now: datetime) -> OutboxMessage:
    zone = clock.zone_of(shopper.timezone, settings.REEMIO_SHOP_TIME_ZONE)
    today = clock.local_day(now, zone)
    sunday = today + timedelta(days=(clock.SUNDAY - today.weekday()) % 7 or 7)
    week = clock.week_of(sunday)
    return OutboxMessage(
        campaign=campaign,
        user_id=shopper.user_id,
        occasion=week,
        dedupe_key=f"{campaign.kind}:{week}:u:{shopper.user_id}",
        priority=Priority.WEEKLY,
        due_at=clock.at_hour(sunday, campaign.numbers["send_hour"], zone),
        expires_at=clock.at_hour(sunday, campaign.numbers["expire_hour"], zone),
    )
