"""The campaigns' pages in the admin: what they show, who may do what, and that looking changes nothing."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.mailbox import keep
from campaigns.models import Campaign, OutboxMessage, ReceivedMail, Suppression
from campaigns.sending.sender import send_due
from catalog.models import Product
from tests.campaigns.conftest import NOON, abandoned, campaign, did, now, outbox, person
from tests.campaigns.mailserver import Inbox

pytestmark = pytest.mark.django_db
BASE = "/admin/campaigns"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def staff(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def page(kind: str = Kind.CART_ABANDONMENT, name: str = "change") -> str:
    return f"{BASE}/campaign/{campaign(kind).pk}/{name}/"


def test_every_page_opens_empty_and_full(admin: Client, shop: list[Product], inbox: Inbox) -> None:
    def look() -> None:
        for name in ("campaign", "outboxmessage", "suppression", "topicchoice", "stockalert", "receivedmail"):
            assert admin.get(f"{BASE}/{name}/").status_code == 200, name
        for kind in Kind.values:
            for name in ("change", "dry-run", "preview"):
                assert admin.get(page(kind, name)).status_code == 200, name
            assert admin.get(page(kind, "switch") + "?mode=paused").status_code == 200

    look()
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    send_due(clock=lambda: NOON)
    keep("shop@example.com", ["akinyi@example.com"], inbox.only().as_bytes())
    look()
    mail = ReceivedMail.objects.get()
    shown = admin.get(f"{BASE}/receivedmail/{mail.pk}/change/")
    assert b"List-Unsubscribe-Post" in shown.content
    framed = admin.get(f"{BASE}/receivedmail/{mail.pk}/html/")
    assert b"your cart is saved" in framed.content
    assert "sandbox" in framed["Content-Security-Policy"]
    assert "script-src 'none'" in framed["Content-Security-Policy"]
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    message = OutboxMessage.objects.get()
    assert admin.get(f"{BASE}/outboxmessage/{message.pk}/change/").status_code == 200


def test_the_preview_shows_the_verdict_and_keeps_nothing(admin: Client, shop: list[Product], inbox: Inbox) -> None:
    person(marketing_consent=False)
    abandoned(now=now())
    shown = admin.get(page(name="preview") + "?user_id=akinyi").content.decode()
    assert "no, no_consent" in shown
    assert shown.count('class="passed"') + shown.count('class="failed"') == 24
    assert "iframe sandbox" in shown
    html = admin.get(page(name="preview-html") + "?user_id=akinyi")
    assert b"your cart is saved" in html.content
    assert not OutboxMessage.objects.exists()
    assert inbox.counts == {}


@pytest.mark.parametrize("user_id", ["nobody", ""])
def test_a_preview_for_nobody_says_so(admin: Client, shop: list[Product], user_id: str) -> None:
    assert admin.get(page(name="preview") + f"?user_id={user_id}").status_code == 200
    assert b"nothing to show" in admin.get(page(name="preview-html") + f"?user_id={user_id}").content


def test_a_test_goes_to_the_tester_and_counts_for_nobody(admin: Client, shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned(now=now())
    admin.post(page(name="test"), {"user_id": "akinyi", "to": "marketer@duka.example"})
    mail = inbox.only()
    assert inbox.counts == {"marketer@duka.example": 1}
    assert mail["Subject"].startswith("[Test] ")
    assert mail["List-Unsubscribe"] is None
    assert not OutboxMessage.objects.exists()


def test_a_dry_run_counts_by_reason_and_leaves_no_trace(admin: Client, shop: list[Product]) -> None:
    for number, consents in enumerate([True, True, False]):
        person(f"u{number}", marketing_consent=consents)
        abandoned(f"u{number}", now=now())
    Campaign.objects.update(mode="draft", changed_numbers={"quiet_from": 0, "quiet_until": 0})
    shown = admin.get(page(name="dry-run")).content.decode()
    assert "3 occasions" in shown
    assert "would be sent" in shown
    assert "no_consent" in shown
    assert not OutboxMessage.objects.exists()
    assert campaign().mode == "draft"


def test_the_mode_is_switched_after_a_question_only(admin: Client, shop: list[Product]) -> None:
    Campaign.objects.update(mode="draft", live_since=None)
    assert "Yes, switch it to live" in admin.get(page(name="switch") + "?mode=live").content.decode()
    assert campaign().mode == "draft"
    admin.post(page(name="switch"), {"mode": "live", "reason": "Launch"})
    switched = campaign()
    assert (switched.mode, switched.mode_reason) == ("live", "Launch")
    assert switched.live_since is not None
    assert admin.post(page(name="switch"), {"mode": "nonsense"}).status_code == 404


def test_resuming_a_paused_campaign_keeps_the_moment_it_went_live(admin: Client, shop: list[Product]) -> None:
    before = campaign().live_since
    for mode in ("paused", "live"):
        admin.post(page(name="switch"), {"mode": mode})
    assert campaign().live_since == before
    for mode in ("draft", "live"):
        admin.post(page(name="switch"), {"mode": mode})
    assert campaign().live_since != before


def numbers(kind: str = Kind.CART_ABANDONMENT) -> dict[str, object]:
    return {f"number_{name}": value for name, value in campaign(kind).numbers.items()} | {"compares_subjects": "on"}


def test_numbers_that_differ_are_kept_and_wrong_ones_refused(admin: Client, shop: list[Product]) -> None:
    assert admin.post(page(), numbers() | {"number_idle_hours": 4}).status_code == 302
    assert campaign().changed_numbers == {"idle_hours": 4}
    for wrong in ({"number_idle_hours": 30}, {"number_gap_hours": -1}, {"number_most_in_day": ""}):
        assert admin.post(page(), numbers() | wrong).status_code == 200
    assert campaign().changed_numbers == {"idle_hours": 4}


def test_the_outbox_is_searched_by_person_address_and_reason(admin: Client, shop: list[Product], inbox: Inbox) -> None:
    person()
    person("otieno", marketing_consent=False)
    abandoned("akinyi")
    abandoned("otieno")
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    send_due(clock=lambda: NOON)

    def found(query: str) -> set[str]:
        rows = admin.get(f"{BASE}/outboxmessage/?{query}").context["cl"].result_list
        return {row.user_id for row in rows}

    assert found("q=akinyi") == {"akinyi"}
    assert found("q=AKINYI@example.com") == {"akinyi"}
    assert found("q=no_consent") == {"otieno"}
    assert found("reason=no_consent") == {"otieno"}
    assert found("q=aki") == set()


def test_only_those_who_may_send_an_unknown_one_again(client: Client, shop: list[Product], inbox: Inbox) -> None:
    person()
    did("cart_add", "p1", at=NOON - timedelta(hours=3))
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    OutboxMessage.objects.update(state="unknown", handed_off_at=NOON)
    message = OutboxMessage.objects.get()
    chosen = {"action": "send_again", "_selected_action": [message.pk]}
    staff(client, "view_outboxmessage").post(f"{BASE}/outboxmessage/", chosen)
    assert outbox() == [("akinyi", "unknown", "")]
    User.objects.all().delete()
    staff(client, "view_outboxmessage", "resend_outboxmessage").post(f"{BASE}/outboxmessage/", chosen)
    assert outbox() == [("akinyi", "planned", "")]


@pytest.mark.parametrize("name", ["switch", "preview", "preview-html", "test", "dry-run", "advance"])
def test_whoever_only_looks_may_not_act(client: Client, shop: list[Product], inbox: Inbox, name: str) -> None:
    person()
    before = list(Campaign.objects.values_list("mode", flat=True))
    looker = staff(client, "view_campaign", "view_outboxmessage")
    assert looker.get(page()).status_code == 200
    for answer in (
        looker.get(page(name=name) + "?user_id=akinyi&mode=draft"),
        looker.post(page(name=name), {"user_id": "akinyi", "mode": "draft", "to": "a@example.com"}),
    ):
        assert answer.status_code == 403
    assert list(Campaign.objects.values_list("mode", flat=True)) == before
    assert not OutboxMessage.objects.exists()
    assert inbox.counts == {}


def test_the_demos_button_lets_it_happen_for_one_shopper(admin: Client, shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned(now=now())
    answer = admin.post(page(name="advance"), {"user_id": "akinyi"})
    message = OutboxMessage.objects.get()
    assert answer["Location"] == f"{BASE}/outboxmessage/{message.pk}/change/"
    send_due()
    assert outbox() == [("akinyi", "sent", "")]
    assert inbox.counts == {"akinyi@example.com": 1}


def test_a_suppression_is_lifted_by_those_who_may(admin: Client, shop: list[Product]) -> None:
    from campaigns.identities import address_hash

    row = Suppression.objects.create(subject_hash=address_hash("akinyi@example.com"), reason="complaint")
    found = admin.get(f"{BASE}/suppression/?q=akinyi@example.com").context["cl"].result_list
    assert [one.pk for one in found] == [row.pk]
    admin.post(f"{BASE}/suppression/{row.pk}/delete/", {"post": "yes"})
    assert not Suppression.objects.exists()
