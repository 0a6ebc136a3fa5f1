"""What must never happen, tried: processes killed at every point, senders and planners side by side, mail servers that
misbehave. Whatever happens, a real SMTP server counts what each person got.

`REEMIO_ENDURANCE=1` (`make endurance`) makes it longer.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django_redis import get_redis_connection
from pytest_django import Settings

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.models import Campaign, OutboxMessage, StockAlert, Suppression
from campaigns.sending.claims import LEASE, claim
from campaigns.sending.hand_off import decide
from campaigns.sending.outcomes import note
from campaigns.sending.provider import Provider
from campaigns.sending.reaper import reap
from campaigns.sending.sender import send_due
from campaigns.services.ask import ask_to_be_told
from campaigns.services.resend import send_again
from catalog.models import Product, Restock
from catalog.services.set_inventory import set_inventory
from interactions.models import Interaction
from reemio.bootstrap import BASE_DIR
from reemio.celery import app
from tests.campaigns.conftest import NOON, abandoned, campaign, did, now, outbox, person
from tests.campaigns.mailserver import Inbox
from tests.conftest import environment, running, wait_until

ENDURANCE = bool(os.environ.get("REEMIO_ENDURANCE"))
POINTS = ["claimed", "rendered", "intended", "calling", "accepted", "noted"]
State = OutboxMessage.State


@pytest.fixture
def crowd(committed_database: None, shop: list[Product]) -> int:
    """People who left a cart, planned."""
    size = 200 if ENDURANCE else 12
    for number in range(size):
        person(f"u{number:03}")
        abandoned(f"u{number:03}", "p1", "p2")
    assert planners.plan(Kind.CART_ABANDONMENT, now=NOON) == size
    return size


def in_threads(work: Callable[[int], Any], count: int) -> None:
    """Do the work `count` times at once, each with a connection of its own."""
    barrier, errors = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def kill_a_sender(point: str, after: int, inbox: Inbox, moment: Any) -> None:
    """Run a sender in a process of its own until it kills itself."""
    address = environment() | {
        "EMAIL_PROVIDER": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(inbox.port), "APP_ENV": "test",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.campaigns.dying_sender", point, str(after), moment.isoformat()]
    done = subprocess.run(command, cwd=BASE_DIR, env=address, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr


# --- SIGKILL ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sender_killed_at_every_point_mails_nobody_twice(crowd: int, inbox: Inbox) -> None:
    """One after the other at each point, the third mail each time; then a healthy one finishes."""
    moment = NOON
    killed = 0
    for _ in range(5 if ENDURANCE else 1):
        for point in POINTS:
            kill_a_sender(point, 2, inbox, moment)
            killed += 1
            moment += LEASE + timedelta(seconds=1)
            reap(now=moment)
    send_due(clock=lambda: moment)
    states = {state: OutboxMessage.objects.filter(state=state).count() for state in State.values}
    assert max(inbox.counts.values()) == 1
    # Only those whose sender died between the intent and the outcome may be missing, and they are kept for a person.
    intended = [point for point in POINTS if point in ("intended", "calling", "accepted")]
    assert states["unknown"] == len(intended) * (killed // len(POINTS))
    assert states["sent"] + states["unknown"] == crowd
    not_arrived = crowd - len(inbox.counts)
    assert not_arrived == 2 * (killed // len(POINTS)), "killed before the call, after the intent"
    assert send_due(clock=lambda: moment + timedelta(hours=1)) == 0


# --- Side by side -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_eight_planners_at_once_make_one_row_each(committed_database: None, shop: list[Product]) -> None:
    size = 500 if ENDURANCE else 100
    for number in range(size):
        person(f"u{number:03}")
        abandoned(f"u{number:03}")
    in_threads(lambda _: planners.plan(Kind.CART_ABANDONMENT, now=NOON), 8)
    assert OutboxMessage.objects.count() == size


@pytest.mark.django_db(transaction=True)
def test_four_senders_at_once_send_each_mail_once(crowd: int, inbox: Inbox) -> None:
    in_threads(lambda _: send_due(clock=lambda: NOON), 4)
    assert set(inbox.counts.values()) == {1}
    assert len(inbox.counts) == crowd


@pytest.mark.django_db(transaction=True)
def test_senders_at_once_never_break_a_cap(committed_database: None, shop: list[Product], inbox: Inbox) -> None:
    """Six mails to one person are due at once: two may go out on one day, whoever decides about them."""
    person()
    for number in range(6):
        set_inventory(product_id=f"p{number}", stock_quantity=0)
        ask_to_be_told(product_id=f"p{number}", user_id="akinyi")
        set_inventory(product_id=f"p{number}", stock_quantity=3)
    moment = now() + timedelta(minutes=11)
    Campaign.objects.update(changed_numbers={"quiet_from": 0, "quiet_until": 0})
    StockAlert.objects.update(created_at=moment - timedelta(days=1))
    assert planners.plan(Kind.BACK_IN_STOCK, now=moment) == 6
    in_threads(lambda _: send_due(clock=lambda: moment), 6)
    assert inbox.counts == {"akinyi@example.com": 2}
    assert sorted(outbox()) == [("akinyi", "sent", "")] * 2 + [("akinyi", "skipped", "frequency_cap")] * 4


@pytest.mark.django_db(transaction=True)
def test_two_accounts_with_one_address_get_one_mail(
    committed_database: None, shop: list[Product], inbox: Inbox
) -> None:
    sunday = NOON.replace(day=29)
    for user in ("work", "home"):
        person(user, email="Both@Example.com")
        did("view", "p1", at=sunday - timedelta(days=2), user=user)
    assert planners.plan(Kind.WEEKLY_DIGEST, now=sunday) == 2
    in_threads(lambda _: send_due(clock=lambda: sunday), 2)
    assert sum(inbox.counts.values()) == 1
    assert sorted(state for _, state, _ in outbox()) == ["sent", "skipped"]


# --- Late workers and parked rows ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_worker_that_slept_through_its_lease_does_nothing(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [message] = claim(now=NOON, most=5)
    later = NOON + LEASE + timedelta(seconds=1)
    assert reap(now=later).freed == 1
    assert send_due(clock=lambda: later) == 1
    assert decide(message, token=token, now=later) is None
    assert decide(message, token=token, now=NOON) is None
    assert inbox.counts == {"akinyi@example.com": 1}


@pytest.mark.django_db
def test_a_lease_that_ran_out_is_no_claim_even_before_the_reaper_comes(shop: list[Product]) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [message] = claim(now=NOON, most=5)
    assert decide(message, token=token, now=NOON + LEASE) is None
    assert outbox() == [("akinyi", "claimed", "")]


@pytest.mark.django_db
def test_a_slow_sender_settles_what_the_reaper_parked(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [message] = claim(now=NOON, most=5)
    handed = decide(message, token=token, now=NOON)
    assert handed is not None
    assert reap(now=NOON + LEASE).parked == 1
    assert outbox() == [("akinyi", "unknown", "")]
    provider = Provider()
    note(handed, provider.send(handed.email), now=NOON + LEASE)
    provider.close()
    assert outbox() == [("akinyi", "sent", "")]
    assert inbox.counts == {"akinyi@example.com": 1}


@pytest.mark.django_db
def test_a_parked_row_is_sent_again_by_a_person_only(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [message] = claim(now=NOON, most=5)
    decide(message, token=token, now=NOON)
    reap(now=NOON + LEASE)
    tomorrow = NOON + timedelta(hours=25)
    reap(now=tomorrow)
    assert send_due(clock=lambda: tomorrow) == 0
    assert outbox() == [("akinyi", "unknown", "")]
    assert send_again([message], now=tomorrow) == 1
    assert send_due(clock=lambda: tomorrow) == 1
    assert outbox() == [("akinyi", "sent", "")]


@pytest.mark.django_db
def test_an_occasion_that_passed_is_expired(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    late = NOON + timedelta(hours=24)
    assert send_due(clock=lambda: late) == 0
    assert reap(now=late).expired == 1
    assert outbox() == [("akinyi", "expired", "expired")]


# --- Mail servers that misbehave ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("behaviour", "state", "arrived"),
    [
        ("accept_then_hang", "unknown", 1),
        ("accept_then_drop", "unknown", 1),
        ("garbage", "unknown", 1),
        ("busy", "planned", 0),
        ("full", "planned", 0),
        ("blocked", "failed", 0),
        ("no_such_user", "failed", 0),
    ],
)
def test_a_mail_server_that_misbehaves(
    shop: list[Product], inbox: Inbox, settings: Settings, behaviour: str, state: str, arrived: int
) -> None:
    settings.EMAIL_TIMEOUT = 1
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    inbox.behaviour = behaviour
    send_due(clock=lambda: NOON)
    assert outbox() == [("akinyi", state, "")]
    inbox.behaviour = "accept"
    later = NOON + timedelta(minutes=5)
    reap(now=later)
    send_due(clock=lambda: later)
    expected = 1 if state == "planned" else arrived
    assert sum(inbox.counts.values()) == expected
    assert Suppression.objects.filter(reason="hard_bounce").exists() == (behaviour == "no_such_user")


@pytest.mark.django_db
def test_a_server_that_keeps_refusing_is_asked_five_times(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    inbox.behaviour = "busy"
    asked = [minute for minute in range(120) if send_due(clock=lambda at=minute: NOON + timedelta(minutes=at))]
    assert asked == [0, 1, 3, 11, 43]
    assert outbox() == [("akinyi", "failed", "")]
    assert OutboxMessage.objects.get().attempts == 5


@pytest.mark.django_db
def test_a_server_that_cannot_be_reached_costs_no_attempt(shop: list[Product], settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    assert send_due(clock=lambda: NOON) == 0
    assert OutboxMessage.objects.get().attempts == 0
    assert outbox() == [("akinyi", "planned", "")]


# --- What people and shops do meanwhile ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_purchase_while_the_row_is_claimed_is_seen(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    token, [message] = claim(now=NOON, most=5)
    # By a server whose clock is behind: it arrived after the cart, though it claims to be older.
    did("purchase", "p7", at=NOON - timedelta(hours=3, minutes=1))
    Interaction.objects.filter(interaction_type="purchase").update(received_at=NOON)
    assert decide(message, token=token, now=NOON) is None
    assert outbox() == [("akinyi", "skipped", "purchased")]
    assert inbox.counts == {}


@pytest.mark.django_db
def test_pausing_skips_what_is_planned_and_resuming_does_not_bring_it_back(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    Campaign.objects.update(mode="paused")
    assert send_due(clock=lambda: NOON) == 0
    assert planners.plan(Kind.CART_ABANDONMENT, now=NOON) == 0
    Campaign.objects.update(mode="live")
    assert planners.plan(Kind.CART_ABANDONMENT, now=NOON) == 0
    assert send_due(clock=lambda: NOON) == 0
    assert outbox() == [("akinyi", "skipped", "campaign_not_live")]
    assert inbox.counts == {}


@pytest.mark.django_db
def test_a_hundred_flaps_of_a_stock_in_an_hour_make_one_mail_at_most(shop: list[Product], inbox: Inbox) -> None:
    person("asked")
    person("wished")
    did("wishlist_add", "p1", at=NOON - timedelta(days=3), user="wished")
    set_inventory(product_id="p1", stock_quantity=0)
    ask_to_be_told(product_id="p1", user_id="asked")
    StockAlert.objects.update(created_at=NOON - timedelta(days=1))
    moment = NOON
    for flap in range(100):
        moment = NOON + timedelta(seconds=36 * flap)
        set_inventory(product_id="p1", stock_quantity=4)
        Restock.objects.filter(pk=Restock.objects.latest("pk").pk).update(restocked_at=moment)
        planners.plan(Kind.BACK_IN_STOCK, now=moment + timedelta(seconds=20))
        send_due(clock=lambda at=moment: at + timedelta(seconds=20))
        if flap < 99:
            set_inventory(product_id="p1", stock_quantity=0)
    assert inbox.counts == {}
    for minute in range(0, 180, 5):
        later = moment + timedelta(minutes=minute)
        planners.plan(Kind.BACK_IN_STOCK, now=later)
        send_due(clock=lambda at=later: at)
    assert inbox.counts == {"asked@example.com": 1, "wished@example.com": 1}


# --- Real workers -------------------------------------------------------------------------------------------------


@pytest.fixture
def mailing_worker(
    committed_database: None, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Two Celery workers' processes that send through the inbox; the path of their log."""
    for name, value in {
        "EMAIL_PROVIDER": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(inbox.port), "LOG_LEVEL": "INFO",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    log = tmp_path / "worker.log"
    command = [
        "celery",
        "-A",
        "reemio.celery",
        "worker",
        "--concurrency",
        "2",
        "--without-gossip",
        "--loglevel",
        "INFO",
    ]
    with running(command, log, until=lambda: " ready." in log.read_text()):
        yield log


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_task_delivered_twice_and_redis_flushed_in_mid_run(
    committed_database: None, shop: list[Product], inbox: Inbox, mailing_worker: Path
) -> None:
    """Two beats send each tick twice; then Redis loses everything; then the ticks come again."""
    size = 60 if ENDURANCE else 16
    moment = now()
    Campaign.objects.update(changed_numbers={"quiet_from": 0, "quiet_until": 0})
    for number in range(size):
        person(f"u{number:03}")
        abandoned(f"u{number:03}", "p1", now=moment)
    tasks = ["campaigns.plan_abandoned_carts", "campaigns.send", "campaigns.reap", "campaigns.apply_events"]
    for task in tasks * 2:
        app.send_task(task)
    wait_until(lambda: len(inbox.mails) >= 3, mailing_worker.read_text)
    get_redis_connection("default").flushdb()
    for _ in range(3):
        for task in tasks:
            app.send_task(task)

    def done() -> bool:
        return not OutboxMessage.objects.exclude(state="sent").exists() and OutboxMessage.objects.count() == size

    wait_until(done, lambda: f"{outbox()}\n{mailing_worker.read_text()[-3000:]}")
    assert len(inbox.counts) == size
    assert set(inbox.counts.values()) == {1}
    # Nothing personal is written by the worker, whatever it did.
    log = mailing_worker.read_text()
    assert "campaigns.send" in log
    for secret in ("example.com", "Adhiambo", "u000", "/mail/u/", "/mail/c/"):
        assert secret not in log, secret
    assert campaign().mode == "live"
