"""The links in mails: leaving, choosing, clicking; who is a person and who a machine; and what tokens give away."""

import re
import uuid
from base64 import urlsafe_b64decode
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.identities import address_hash, user_hash
from campaigns.models import MessageEvent, OutboxMessage, Suppression, TopicChoice
from campaigns.sending.sender import send_due
from campaigns.services.clicks import SETTLED, note_click, settle_clicks
from campaigns.tokens import HONEYPOT, leaving_token, link_token, read_leaving, read_link
from catalog.models import Product
from interactions.models import Interaction, Shopper
from tests.campaigns.conftest import NOON, abandoned, outbox, person
from tests.campaigns.mailserver import Inbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(shop: list[Product], inbox: Inbox) -> EmailMessage:
    """A reminder that Akinyi got at noon."""
    person()
    abandoned("akinyi", "p1", "p2")
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    assert send_due(clock=lambda: NOON) == 1
    return inbox.only()


@pytest.fixture
def stranger() -> Client:
    """Somebody without a cookie, whose forged requests Django would refuse."""
    return Client(enforce_csrf_checks=True)


def leaving_path(mail: EmailMessage) -> str:
    return urlsplit(mail["List-Unsubscribe"].strip(" <>")).path


def click_paths(mail: EmailMessage) -> list[str]:
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    return list(dict.fromkeys(urlsplit(link).path for link in re.findall(r'href="([^"]*/mail/c/[^"]+)"', html)))


# --- Leaving ------------------------------------------------------------------------------------------------------


def test_looking_at_the_page_changes_nothing(mail: EmailMessage, stranger: Client) -> None:
    path = leaving_path(mail)
    for method in ("get", "head", "get"):
        assert getattr(stranger, method)(path).status_code == 200
        assert getattr(stranger, method)(path.replace("/u/", "/p/")).status_code == 200
    assert not Suppression.objects.exists()
    assert not TopicChoice.objects.exists()
    assert not MessageEvent.objects.exists()


def test_one_click_leaves_at_once_without_cookie_login_or_csrf_and_twice_without_harm(
    mail: EmailMessage, stranger: Client
) -> None:
    for _ in range(2):
        answer = stranger.post(leaving_path(mail), {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.cookies) == (200, {})
    assert set(Suppression.objects.values_list("subject_hash", "reason")) == {
        (address_hash("akinyi@example.com"), "unsubscribe"),
        (user_hash("akinyi"), "unsubscribe"),
    }
    assert MessageEvent.objects.filter(kind="unsubscribed").count() == 1


def test_whoever_left_is_never_written_to_again_under_another_address_either(
    mail: EmailMessage, stranger: Client, inbox: Inbox
) -> None:
    stranger.post(leaving_path(mail), {"List-Unsubscribe": "One-Click"})
    Shopper.objects.update(email="akinyi.new@example.com")
    sunday = NOON + timedelta(days=5)
    planners.plan(Kind.WEEKLY_DIGEST, now=sunday)
    send_due(clock=lambda: sunday)
    assert outbox()[-1] == ("akinyi", "skipped", "suppressed_unsubscribe")
    assert inbox.counts == {"akinyi@example.com": 1}


def test_the_token_works_after_the_account_and_the_message_are_gone(mail: EmailMessage, stranger: Client) -> None:
    path = leaving_path(mail)
    Shopper.objects.all().delete()
    OutboxMessage.objects.all().delete()
    assert stranger.post(path).status_code == 200
    assert Suppression.objects.filter(reason="unsubscribe").count() == 2


def test_one_topic_can_be_left_alone(mail: EmailMessage, stranger: Client) -> None:
    stranger.post(leaving_path(mail), {"what": "topic"})
    assert not Suppression.objects.exists()
    assert set(TopicChoice.objects.values_list("topic", "wanted")) == {("cart_abandonment", False)}
    later = NOON + timedelta(days=9)
    abandoned("akinyi", "p3", now=later)
    planners.plan(Kind.CART_ABANDONMENT, now=later)
    send_due(clock=lambda: later)
    assert outbox()[-1] == ("akinyi", "skipped", "topic_off")


def test_the_preference_page_sets_each_topic_and_all(mail: EmailMessage, stranger: Client) -> None:
    path = leaving_path(mail).replace("/u/", "/p/")
    stranger.post(path, {"what": "save", "topic": ["weekly_digest", "nonsense"]})
    wanted = dict(TopicChoice.objects.filter(subject_hash=user_hash("akinyi")).values_list("topic", "wanted"))
    assert wanted == {
        "cart_abandonment": False, "new_products": False, "weekly_digest": True, "back_in_stock": False,
    }  # fmt: skip
    stranger.post(path, {"what": "everything"})
    assert Suppression.objects.filter(reason="unsubscribe").count() == 2
    assert "checked" not in stranger.get(path).content.decode()
    stranger.post(path, {"what": "save", "topic": ["weekly_digest"]})
    assert not Suppression.objects.exists()
    assert stranger.get(path).content.decode().count("checked") == 1


def test_coming_back_does_not_lift_what_the_address_is_suppressed_for(mail: EmailMessage, stranger: Client) -> None:
    Suppression.objects.create(subject_hash=address_hash("akinyi@example.com"), reason="complaint")
    stranger.post(leaving_path(mail).replace("/u/", "/p/"), {"what": "save", "topic": ["weekly_digest"]})
    assert list(Suppression.objects.values_list("reason", flat=True)) == ["complaint"]


@pytest.mark.parametrize("token", ["", "x", "A" * 78, "%00", "ü", "." * 300])
def test_an_unknown_token_leaves_nothing_and_leads_home(stranger: Client, token: str) -> None:
    for page in ("u", "p"):
        for method in (stranger.get, stranger.post):
            assert method(f"/mail/{page}/{token}").status_code == 404
    if token:
        answer = stranger.get(f"/mail/c/{token}")
        assert (answer.status_code, answer["Location"].rstrip("/")) == (302, "http://localhost:8000")
    assert not Suppression.objects.exists()


# --- Tokens -------------------------------------------------------------------------------------------------------


@given(message=st.uuids(), link=st.integers(0, 255), at=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_token_says_what_went_in_and_a_changed_one_nothing(message: uuid.UUID, link: int, at: int, bit: int) -> None:
    token = link_token(message, link)
    assert read_link(token) == (message, link)
    assert read_leaving(token) is None
    place = at % len(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = token[:place] + alphabet[(alphabet.index(token[place]) + 1 + bit) % 64] + token[place + 1 :]
    assert read_link(changed) in (None, (message, link)), "the last character has bits that nobody reads"


def test_tokens_hold_no_address_no_name_and_no_id() -> None:
    token = leaving_token(
        uuid.uuid4(), Kind.WEEKLY_DIGEST, address_hash=address_hash("akinyi@example.com"),
        user_hash=user_hash("akinyi"),
    )  # fmt: skip
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"akinyi" not in raw
    assert b"example" not in raw
    leaving = read_leaving(token)
    assert leaving is not None
    assert leaving.subjects == (address_hash("AKINYI@example.com"), user_hash("akinyi"))
    assert leaving.topic == "weekly_digest"


def test_no_url_of_a_mail_names_the_person(mail: EmailMessage) -> None:
    parts = [part.get_content() for part in mail.iter_parts()] + [mail["List-Unsubscribe"]]
    links = re.findall(r"https?://[^\s\"<>]+", " ".join(parts))
    stored = [link["target"] for link in OutboxMessage.objects.get().content["links"]]
    assert len(links) > 10
    assert [link for link in links + stored if "akinyi" in link.lower() or "example.com" in link] == []


# --- Clicks -------------------------------------------------------------------------------------------------------


def test_a_click_leads_to_the_stored_target_only(mail: EmailMessage, stranger: Client) -> None:
    message = OutboxMessage.objects.get()
    targets = {stranger.get(path)["Location"] for path in click_paths(mail)[:-1]}
    assert targets == {link["target"] for link in message.content["links"]}
    product = next(target for target in targets if "/shop/products/p2" in target)
    said = parse_qs(urlsplit(product).query)
    assert said["utm_source"] == ["reemio"]
    assert said["utm_medium"] == ["email"]
    assert said["utm_campaign"] == ["cart_abandonment"]
    assert said["recommendation_request_id"] == [str(message.request_id)]
    assert stranger.get(f"/mail/c/{link_token(message.public_id, 99)}")["Location"] == "http://localhost:8000/"


def clicked(message: OutboxMessage, *clicks: tuple[int, float], by_head: bool = False) -> list[str]:
    """Click links at seconds after noon + 1 h; return why each was a machine's, in order."""
    start = NOON + timedelta(hours=1)
    for link, seconds in clicks:
        note_click(message.public_id, link, by_head=by_head, now=start + timedelta(seconds=seconds))
    settle_clicks(now=start + timedelta(hours=1))
    return list(
        MessageEvent.objects.filter(kind="clicked").order_by("occurred_at", "pk").values_list("machine", flat=True)
    )


def product_link(message: OutboxMessage, product_id: str) -> int:
    return next(n for n, link in enumerate(message.content["links"]) if link["product_id"] == product_id)


def test_a_persons_click_is_told_to_the_engine_once(mail: EmailMessage) -> None:
    message = OutboxMessage.objects.get()
    link = product_link(message, "p1")
    assert clicked(message, (link, 0), (link, 30)) == ["", ""]
    event = Interaction.objects.get(interaction_type="recommendation_click")
    assert (event.user_id, event.product_id, event.recommendation_context) == ("akinyi", "p1", "email")
    assert (event.recommendation_request_id, event.recommendation_position) == (message.request_id, 2)
    assert event.occurred_at == NOON + timedelta(hours=1)


def test_a_click_is_judged_only_when_no_later_one_can_change_it(mail: EmailMessage) -> None:
    message = OutboxMessage.objects.get()
    link = product_link(message, "p1")
    moment = NOON + timedelta(hours=1)
    note_click(message.public_id, link, by_head=False, now=moment)
    assert settle_clicks(now=moment + SETTLED - timedelta(seconds=1)) == 0
    assert settle_clicks(now=moment + SETTLED) == 1


def test_a_scanner_that_fetches_every_link_is_flagged_back_in_time(mail: EmailMessage) -> None:
    message = OutboxMessage.objects.get()
    assert clicked(message, *((link, 3.0 * place) for place, link in enumerate(range(8)))) == ["burst"] * 8
    assert not Interaction.objects.filter(interaction_type="recommendation_click").exists()


def test_two_links_within_ten_seconds_are_a_quick_person(mail: EmailMessage) -> None:
    message = OutboxMessage.objects.get()
    assert clicked(message, (0, 0), (1, 4), (1, 5), (2, 14)) == [""] * 4


def test_the_link_that_nobody_sees_gives_a_machine_away(mail: EmailMessage) -> None:
    message = OutboxMessage.objects.get()
    assert clicked(message, (1, 0), (HONEYPOT, 2)) == ["honeypot", "honeypot"]


def test_head_and_clicks_right_after_delivery_are_machines(mail: EmailMessage) -> None:
    message = OutboxMessage.objects.get()
    assert clicked(message, (1, 0), by_head=True) == ["head"]
    MessageEvent.objects.all().delete()
    MessageEvent.objects.create(
        message=message, message_ref=message.public_id, kind="delivered", key="d",
        occurred_at=NOON + timedelta(hours=1, seconds=-4), applied_at=NOON,
    )  # fmt: skip
    assert clicked(message, (1, 0), (1, 30)) == ["too_soon", ""]


def test_a_head_request_leads_there_and_counts_for_nobody(mail: EmailMessage, stranger: Client) -> None:
    path = click_paths(mail)[1]
    assert stranger.head(path).status_code == 302
    assert MessageEvent.objects.get().machine == "head"
    assert isinstance(MessageEvent.objects.get().occurred_at, datetime)
