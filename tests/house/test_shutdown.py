"""Stopped in the middle of work, as each deployment does: what was accepted is done, once, and nobody is cut off."""

import os
import signal
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import Settings

from campaigns.models import Campaign, OutboxMessage
from campaigns.sending.sender import send_due
from interactions.models import FreshInteraction, Interaction, Shopper
from recommendations.models import ServedList, Taste
from recommendations.tasks import fold
from reemio.celery import app
from tests.campaigns.mailserver import smtp_server
from tests.conftest import ROOT, environment, free_port, wait_until
from tests.recommendations.conftest import did, make_product

CLIENTS = 4


@pytest.fixture
def shop(committed_database: None) -> None:
    for number in range(8):
        make_product(f"p{number}", axis=number, stock_quantity=9)


@contextmanager
def process(command: list[str], log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process as a deployment starts it; whatever is left of it at the end is killed."""
    with log.open("w") as output:
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment() | more, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def answers(url: str) -> Callable[[], bool]:
    def check() -> bool:
        try:
            return httpx.get(url, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    return check


def test_a_web_server_that_is_stopped_under_load_loses_no_accepted_event_and_no_served_list(
    shop: None, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    log = tmp_path / "web.log"
    accepted: list[str] = []
    served: list[str] = []
    unanswered: list[str] = []
    refused: Counter[int] = Counter()

    def shop_on() -> None:
        """Send event after event until the door is closed: from then on a load balancer sends nobody here."""
        with httpx.Client(base_url=url, timeout=30) as client:
            while True:
                event = {"user_id": "u", "product_id": "p1", "interaction_type": "view", "event_id": uuid.uuid4().hex}
                try:
                    posted = client.post("/api/v1/interactions", json=event)
                except httpx.TransportError:
                    unanswered.append(event["event_id"])
                    return
                if posted.status_code == 201:
                    accepted.append(event["event_id"])
                refused.update([posted.status_code])
                try:
                    served.append(client.get("/api/v1/recommendations/homepage?user_id=u").json()["request_id"])
                except httpx.TransportError:
                    return

    more = {"PORT": str(port), "TMPDIR": str(tmp_path), "REEMIO_STOP_SECONDS": "20", "REEMIO_WEB_WORKERS": "2"}
    with process(["deploy/start", "web"], log, **more) as web:
        wait_until(answers(f"{url}/healthz"), log.read_text)
        threads = [threading.Thread(target=shop_on) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(accepted) > 40, lambda: f"{len(accepted)} accepted\n{log.read_text()}")
        web.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert web.wait(30) == 0
    assert refused == Counter({201: len(accepted)})
    stored = set(Interaction.objects.values_list("event_id", flat=True))
    assert set(accepted) - stored == set()
    assert set(unanswered) & stored == set(), "what was begun was answered"
    assert set(served) - {str(pk) for pk in ServedList.objects.values_list("pk", flat=True)} == set()


@contextmanager
def worker(tmp_path: Path, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = tmp_path / f"worker-{uuid.uuid4().hex[:6]}.log"
    more = {"REEMIO_WORKER_PROCESSES": "1", "LOG_LEVEL": "INFO", "TMPDIR": str(tmp_path), **more}
    with process(["deploy/start", "worker"], log, **more) as started:
        wait_until(lambda: "celery@" in log.read_text() and "ready" in log.read_text(), log.read_text)
        yield started, log


def test_a_worker_that_is_stopped_in_a_fold_learns_each_event_once(shop: None, tmp_path: Path) -> None:
    now = timezone.now()
    events = Interaction.objects.bulk_create(
        Interaction(interaction_type="view", user_id=f"u{number % 50}", product_id=f"p{number % 8}", occurred_at=now)
        for number in range(5000)
    )
    FreshInteraction.objects.bulk_create(FreshInteraction(interaction=event) for event in events)
    with worker(tmp_path) as (first, log):
        app.send_task("recommendations.fold")
        wait_until(lambda: FreshInteraction.objects.count() < 5000, log.read_text)
        first.send_signal(signal.SIGTERM)
        assert first.wait(60) == 0
    # What it had begun it ended; whatever it had not taken up is there for the next.
    fold()
    assert sum(Taste.objects.values_list("events", flat=True)) == 5000


def test_a_worker_that_is_stopped_while_it_sends_mails_nobody_twice_and_leaves_nobody_out(
    shop: None, tmp_path: Path, settings: Settings
) -> None:
    people = 30
    _plan_mails(people)
    with smtp_server() as (inbox, port):
        mail = {"EMAIL_PROVIDER": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
        with worker(tmp_path, **mail) as (first, log):
            app.send_task("campaigns.send")
            wait_until(lambda: len(inbox.mails) >= 3, log.read_text)
            first.send_signal(signal.SIGTERM)
            assert first.wait(60) == 0
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        send_due()
    assert Counter(OutboxMessage.objects.values_list("state", flat=True)) == {"sent": people}
    assert set(inbox.counts.values()) == {1}
    assert len(inbox.counts) == people


def _plan_mails(people: int) -> None:
    now = timezone.now()
    campaign = Campaign.objects.get(kind="cart_abandonment")
    Campaign.objects.update(mode="live", live_since=now - timedelta(days=900))
    for number in range(people):
        user = f"user-{number}"
        Shopper.objects.create(user_id=user, email=f"{user}@example.com", marketing_consent=True, timezone="UTC")
        cart = did("cart_add", "p1", user=user, days_ago=0.2)
        OutboxMessage.objects.create(
            campaign=campaign, user_id=user, occasion=f"o-{number}", dedupe_key=f"k-{number}", priority=1,
            trigger={"episode": cart.occurred_at.isoformat()}, by_hand=True, due_at=now,
            expires_at=now + timedelta(days=2),
        )  # fmt: skip


def test_two_beats_beside_each_other_do_no_harm(shop: None, tmp_path: Path) -> None:
    soon, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    PeriodicTask.objects.exclude(task="recommendations.fold").update(enabled=False)
    PeriodicTask.objects.filter(task="recommendations.fold").update(interval=soon, crontab=None, last_run_at=None)
    with worker(tmp_path) as (_, log):
        beats = []
        for number in range(2):
            folder = tmp_path / f"beat-{number}"
            folder.mkdir()
            beats.append(process(["deploy/start", "beat"], folder / "log", TMPDIR=str(folder), LOG_LEVEL="INFO"))
        with beats[0], beats[1]:
            ticks = [tmp_path / f"beat-{number}" / "log" for number in range(2)]
            wait_until(lambda: all("Sending due task" in one.read_text() for one in ticks), log.read_text)
            for number in range(200):
                did("view", f"p{number % 8}", user=f"user-{number % 20}")
            wait_until(lambda: not FreshInteraction.objects.exists(), log.read_text)
    assert sum(Taste.objects.values_list("events", flat=True)) == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), failures FROM pulse_taskpulse GROUP BY failures")
        assert [failures for _, failures in cursor.fetchall()] in ([], [0])
