"""A person lives through everything that Reemio does: what is exported, and what is left of them once they are erased.

Every table is filled, or named as one that holds nothing of a person: a new table fails here until somebody decides.
What is left is looked for in a dump by `pg_dump`, in Redis, in the logs of the whole run and in the metrics.
"""

import hashlib
import io
import json
import logging
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from logging.config import DictConfigurator  # type: ignore[attr-defined]
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings
from rest_framework.test import APIClient

from analytics.models import TouchedPart
from analytics.rollups.run import roll_up
from analytics.tasks import count
from campaigns import planners
from campaigns.definitions import Kind
from campaigns.identities import address_hash, user_hash
from campaigns.mailbox import keep
from campaigns.models import Campaign, MessageEvent, OutboxMessage, Suppression, TopicChoice
from campaigns.sending.sender import send_due
from interactions.models import InboxEvent, Interaction, RewrittenHistory, Shopper
from interactions.services.inbox import take_in_inbox
from recommendations.learning.preferences import recount_rewritten
from recommendations.models import (
    Experiment,
    ExperimentVariant,
    KeptVariant,
    ModelVersion,
    ShopperNeighbourhood,
    Taste,
)
from recommendations.recorder import recorder
from recommendations.tasks import fold
from reemio.database.dumps import _address, _found
from reemio.logs import logging_config
from tests.campaigns.mailserver import Inbox, smtp_server
from tests.recommendations.conftest import make_product

USER, EMAIL, GUEST_EMAIL = "zawadi-2217", "zawadi.wambui@example.com", "Zawadi.Private@example.com"
NAMED, ANONYMOUS = "sess-zawadi-named", "sess-zawadi-guest"
ORDER, REFUND, EVENT, SEARCH = "order-zawadi-1", "refund-zawadi-1", "evt-zawadi-1", "gift for zawadi"
URL = f"/api/v1/users/{USER}"


def digest(text: str) -> str:
    return str(uuid.UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))


# Whatever leads to the person, in small letters. The digests are those by which visits are known.
MARKERS = {
    "zawadi", "wambui", "+254-700-zw", digest(f"s{NAMED}"), digest(f"s{ANONYMOUS}"), digest(f"u{USER}"),
    user_hash(USER), address_hash(EMAIL),
}  # fmt: skip
# The keyed hash of the address stays, so that nobody who was erased gets mail again; alone it leads to nobody.
KEPT = {"campaigns_contactstate": {address_hash(EMAIL)}, "campaigns_suppression": {address_hash(EMAIL)}}
# What each table is about, where it is not about shoppers.
NOTHING_PERSONAL = {
    **dict.fromkeys(("auth.Permission", "auth.Group", "auth.User", "sessions.Session", "access.ApiKey"), "staff"),
    **dict.fromkeys(
        ("axes.AccessFailureLog", "axes.AccessAttempt", "axes.AccessAttemptExpiration", "axes.AccessLog"),
        "empty: failed logins are counted in Redis",
    ),
    **dict.fromkeys(
        ("django_celery_beat.SolarSchedule", "django_celery_beat.IntervalSchedule", "django_celery_beat.PeriodicTask",
         "django_celery_beat.ClockedSchedule", "django_celery_beat.CrontabSchedule", "django_celery_beat.PeriodicTasks",
         "contenttypes.ContentType", "pulse.TaskPulse", "retention.Clearing"), "machinery",
    ),
    **dict.fromkeys(
        ("catalog.Product", "catalog.ProductEmbedding", "catalog.EmbeddingDue", "catalog.Restock", "catalog.SoldOut",
         "catalog.Unavailability", "catalog.CatalogSync", "catalog.SeenProduct"), "products",
    ),
    **dict.fromkeys(
        ("recommendations.Evaluation", "recommendations.ModelVersion", "recommendations.NeighbourList",
         "recommendations.ProductLevels", "recommendations.ProductPopularity", "recommendations.FreshPair",
         "recommendations.FreshPairsNumber", "recommendations.Reranker", "recommendations.PairScores"),
        "products, and counts of what many did",
    ),
    "recommendations.VisitIndex": "visits as rows of products, without who made them",
    **dict.fromkeys(
        ("recommendations.Experiment", "recommendations.ExperimentVariant", "recommendations.MerchandisingRule",
         "recommendations.RulesVersion", "recommendations.EventWeight", "recommendations.PlacementOverride",
         "recommendations.SettingsChange", "campaigns.Campaign", "audit.AuditEntry"), "what staff decides",
    ),
    "interactions.IntakeCount": "counts by hour",
    "interactions.FreshInteraction": "ids of events",
    "campaigns.MessageEvent": "ids of messages, and what became of them",
    "analytics.Dashboard": "no table",
    **dict.fromkeys(("analytics.TouchedEvent", "analytics.TouchedMail", "analytics.Conversion"), "ids and times"),
    **dict.fromkeys(
        ("analytics.RecommendationRollup", "analytics.EarningsRollup", "analytics.LatencyRollup",
         "analytics.ProductRollup", "analytics.SalesRollup", "analytics.SearchClickRollup", "analytics.EventRollup",
         "analytics.VisitRollup", "analytics.MailRollup", "analytics.MailReasonRollup", "analytics.MailEarningsRollup",
         "analytics.ProductDetailRollup", "analytics.SalesDetailRollup", "analytics.SearchClickDetailRollup",
         "analytics.RollupState", "analytics.ExperimentResult"), "counts",
    ),
}  # fmt: skip


@pytest.fixture
def inbox(settings: Settings) -> Iterator[Inbox]:
    with smtp_server() as (inbox, port):
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 2
        yield inbox


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that is logged, at the level DEBUG, as JSON; the test client's own lines left out."""
    config = logging_config(level="DEBUG", output="json")
    configurator = DictConfigurator(config)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(configurator.configure_formatter(config["formatters"]["structured"]))
    handler.addFilter(configurator.configure_filter(config["filters"]["once"]))
    root, structured = logging.getLogger(), logging.getLogger("django_structlog")
    before = root.level, structured.level
    root.setLevel(logging.DEBUG)
    structured.setLevel(logging.DEBUG)
    quiet = {name: logging.getLogger(name).level for name in ("django.db.backends", "mail.log", "asyncio")}
    for name in quiet:
        logging.getLogger(name).setLevel(logging.ERROR)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before[0])
    structured.setLevel(before[1])
    for name, level in quiet.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def lived(committed_database: None, inbox: Inbox, written: io.StringIO) -> io.StringIO:
    """Zawadi's life, through the doors that everybody comes through; the logs of it."""
    api = APIClient()
    api.default_format = "json"
    for number in range(6):
        make_product(f"p{number}", axis=number % 3, category=f"Things > Kind {number % 3}", stock_quantity=5)
    Campaign.objects.update(mode="live", live_since=timezone.now() - timedelta(days=900))
    _browse(api)
    _buy(api)
    _keep_what_training_made()
    _get_mail(api, inbox)
    _be_looked_at(Client())
    recorder.close()
    take_in_inbox()
    fold()
    count()
    Taste.objects.create(subject=f"s:{ANONYMOUS}", as_of=timezone.now(), vector=[0.5] * 384, weight=1)
    RewrittenHistory.objects.get_or_create(subject=f"u:{USER}")
    TouchedPart.objects.create(starts_at=timezone.now(), visit=uuid.UUID(digest(f"s{NAMED}")))
    return written


def _browse(api: APIClient) -> None:
    profile = {
        "email": EMAIL, "name": "Zawadi Wambui", "timezone": "Africa/Nairobi", "locale": "sw-KE",
        "marketing_consent": True, "attributes": {"phone": "+254-700-ZW"},
    }  # fmt: skip
    assert api.put(URL, profile).status_code == 201
    _tell(api, "view", session_id=ANONYMOUS, product_id="p1", extra_data={"sessionId": ANONYMOUS})
    assert api.post(f"{URL}/merge", {"session_id": ANONYMOUS}).json()["moved"] == 1
    who = {"user_id": USER, "session_id": NAMED}
    for placement in ("homepage", "product/p1", "frequently-bought-together/p1", "cart"):
        more = {"product_ids": "p2"} if placement == "cart" else {}
        assert api.get(f"/api/v1/recommendations/{placement}", {**who, **more}).status_code == 200
    assert api.get("/api/v1/search", {"q": SEARCH, **who}).status_code == 200
    _tell(api, "search", search_query=SEARCH.upper(), extra_data={"free": "zawadi’s own"}, **who)
    _tell(api, "view", product_id="p1", event_id=EVENT, **who)
    for payload in (
        {"userId": USER, "productId": "p1"},
        {"session_id": ANONYMOUS, "productId": "p2"},
        {"customer": {"id": USER, "mail": EMAIL}},
    ):
        InboxEvent.objects.create(event_type="view", payload=payload)


def _buy(api: APIClient) -> None:
    shown = api.get("/api/v1/recommendations/homepage", {"user_id": USER}).json()
    click = {"recommendation_request_id": shown["request_id"], "recommendation_context": "homepage"}
    product = shown["items"][0]["product_id"]
    _tell(api, "recommendation_click", user_id=USER, product_id=product, recommendation_position=1, **click)
    _tell(api, "purchase", user_id=USER, product_id=product, order_id=ORDER, unit_price="5.00", quantity=2)
    body = {"refund_id": REFUND, "items": [{"product_id": product, "quantity": 1}]}
    assert api.post(f"/api/v1/orders/{ORDER}/refunds", body).status_code in (200, 201)


def _tell(api: APIClient, kind: str, **fields: Any) -> None:
    assert api.post("/api/v1/interactions", {"interaction_type": kind, **fields}).status_code == 201


def _keep_what_training_made() -> None:
    version = ModelVersion.objects.create(as_of=timezone.now())
    ShopperNeighbourhood.objects.create(version=version, user_id=USER, products=[1], scores=[1.0], supports=[2])
    experiment = Experiment.objects.create(key="e", name="E", placement="homepage")
    ExperimentVariant.objects.create(experiment=experiment, name="a")
    KeptVariant.objects.create(experiment=experiment, user_id=USER, variant="a")


def _get_mail(api: APIClient, inbox: Inbox) -> None:
    now = timezone.now()
    _tell(api, "cart_add", user_id=USER, product_id="p2", occurred_at=(now - timedelta(hours=30)).isoformat())
    Interaction.objects.filter(interaction_type="cart_add").update(received_at=now - timedelta(hours=30))
    asleep = now + timedelta(hours=12)
    noon = asleep.replace(hour=9, minute=0) + timedelta(days=1)
    _tell(api, "cart_add", user_id=USER, product_id="p3")
    planners.plan(Kind.CART_ABANDONMENT, now=now + timedelta(hours=3))
    OutboxMessage.objects.update(due_at=now, expires_at=noon + timedelta(days=9))
    send_due(clock=lambda: noon)
    keep("shop@example.com", [EMAIL], f"Subject: Zawadi, your cart\r\nTo: {EMAIL}\r\n\r\nHello".encode())
    for address in ({"user_id": USER}, {"email": EMAIL}):
        assert api.post("/api/v1/products/p4/notify-me", address).status_code in (200, 201)
    for subject in (address_hash(EMAIL), user_hash(USER)):
        TopicChoice.objects.create(subject_hash=subject, topic="weekly", wanted=False)
    Suppression.objects.create(subject_hash=user_hash(USER), reason="unsubscribe")
    message = OutboxMessage.objects.filter(user_id=USER).first()
    assert message is not None
    MessageEvent.objects.create(
        message=message, message_ref=message.public_id, kind="delivered", key="k", occurred_at=now
    )


def _be_looked_at(browser: Client) -> None:
    boss = User.objects.create_superuser("boss")
    browser.force_login(boss)
    for page in (f"/admin/analytics/shopper/?user={USER}", f"/admin/interactions/shopper/?q={EMAIL}"):
        assert browser.get(page).status_code == 200
    shopper = Shopper.objects.get(user_id=USER)
    LogEntry.objects.create(
        user=boss, content_type=ContentType.objects.get_for_model(Shopper), object_id=str(shopper.pk),
        object_repr="Zawadi Wambui", action_flag=CHANGE,
    )  # fmt: skip


# --- Looking -----------------------------------------------------------------------------------------------------


def dumped() -> dict[str, str]:
    """Return what `pg_dump` writes of each table, in all schemas, in small letters."""
    command = [_found("pg_dump"), "--data-only", "--inserts", "--no-owner", _address()]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout.lower()
    found: dict[str, str] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("insert into "):
            table = line.split(" ", 3)[2].rpartition(".")[2].strip('"')
        if line and not line.startswith("--"):
            found[table] = found.get(table, "") + line + "\n"
    return found


def cached() -> str:
    """Return every key of Redis with what it holds, in small letters."""
    redis = get_redis_connection("default")
    read = {b"string": redis.get, b"list": lambda key: redis.lrange(key, 0, -1), b"hash": redis.hgetall,
            b"set": redis.smembers, b"zset": lambda key: redis.zrange(key, 0, -1)}  # fmt: skip
    return "\n".join(f"{key!r} {read[redis.type(key)](key)!r}" for key in redis.scan_iter()).lower()


def traces(text: str, *, allowed: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]
    return {marker for marker in MARKERS - set(allowed) if marker in text}


def left(tables: Mapping[str, str]) -> dict[str, set[str]]:
    found = {name: traces(text, allowed=KEPT.get(name, set())) for name, text in tables.items()}
    return {name: markers for name, markers in found.items() if markers}


# --- What must hold ----------------------------------------------------------------------------------------------


def test_every_table_holds_something_of_the_person_or_is_named_as_one_that_never_does(lived: io.StringIO) -> None:
    tables = dumped()
    models = {model._meta.label: model._meta.db_table.lower() for model in apps.get_models()}
    assert set(NOTHING_PERSONAL) - set(models) == set(), "named, and not there"
    personal = {label: table for label, table in models.items() if label not in NOTHING_PERSONAL}
    empty = {label for label, table in personal.items() if not traces(tables.get(table, ""))}
    assert empty == set(), "fill them in this file, or say why they hold nothing of a person"
    innocent = {models[label] for label in NOTHING_PERSONAL}
    assert {name: traces(tables.get(name, "")) for name in innocent if traces(tables.get(name, ""))} == {}


def test_an_erased_person_has_left_no_trace_anywhere(lived: io.StringIO) -> None:
    api = APIClient()
    products = set(Interaction.objects.values_list("interaction_type", "product_id"))
    assert len(left(dumped())) > 12
    assert api.delete(URL).status_code == 204
    count()
    fold()
    recount_rewritten()
    roll_up()
    recorder.close()
    assert left(dumped()) == {}
    assert traces(cached()) == set()
    assert traces(lived.getvalue().lower()) == set(), [
        line for line in lived.getvalue().lower().splitlines() if traces(line)
    ][:5]
    assert len(lived.getvalue().splitlines()) > 20
    assert traces(api.get("/metrics").content.decode().lower()) == set()
    assert set(Interaction.objects.values_list("interaction_type", "product_id")) == products
    assert api.get(f"{URL}/export").status_code == 404
    assert Suppression.objects.get().reason == "erased"


def test_an_export_holds_whatever_the_tables_hold_of_the_person(lived: io.StringIO) -> None:
    held = json.dumps(APIClient().get(f"{URL}/export").json()).lower()
    for own in (USER, EMAIL, "zawadi wambui", NAMED, ANONYMOUS, ORDER, REFUND, EVENT, SEARCH, "+254-700-zw"):
        assert own.lower() in held
    exported = {
        "interactions_shopper": "profile", "interactions_mergedsession": "sessions",
        "user_interactions": "interactions",
        "order_refunds": "refunds", "events": "inbox", "served_lists": "served_lists", "tastes": "taste",
        "campaigns_outboxmessage": "messages", "campaigns_stockalert": "stock_alerts",
        "campaigns_topicchoice": "topic_choices", "campaigns_suppression": "suppressions",
        "recommendations_keptvariant": "kept_variants", "recommendations_shopperneighbourhood": "neighbourhoods",
        "campaigns_receivedmail": "received_mails",
    }  # fmt: skip
    parts = APIClient().get(f"{URL}/export").json()
    assert [name for name in exported.values() if not parts[name]] == []
    # What else names the person: the admin's log of whoever looked at them, digests of visits, notes of what is due.
    others = {"django_admin_log", "campaigns_contactstate", "visits", "rewritten_histories", "analytics_searchrollup",
              "analytics_searchdetailrollup", "touched_parts"}  # fmt: skip
    assert set(left(dumped())) - set(exported) - others == set()


def test_without_consent_nothing_is_sent(committed_database: None, inbox: Inbox) -> None:
    api = APIClient()
    api.default_format = "json"
    make_product("p1", stock_quantity=4)
    Campaign.objects.update(mode="live", live_since=timezone.now() - timedelta(days=900))
    now = timezone.now()
    api.put(URL, {"email": EMAIL, "marketing_consent": False, "timezone": "UTC"})
    _tell(api, "cart_add", user_id=USER, product_id="p1")
    planners.plan(Kind.CART_ABANDONMENT, now=now + timedelta(hours=3))
    OutboxMessage.objects.update(due_at=now, expires_at=now + timedelta(days=9))
    send_due(clock=lambda: (now + timedelta(days=1)).replace(hour=12))
    assert inbox.mails == []
    assert list(OutboxMessage.objects.values_list("state", "reason")) == [("skipped", "no_consent")]
