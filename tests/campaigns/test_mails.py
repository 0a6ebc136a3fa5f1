"""What the mails are made of: parts, headers, size, escaping, and that nothing breaks them."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from campaigns import planners
from campaigns.clock import zone_of
from campaigns.content.cards import Card, Composed
from campaigns.definitions import Kind
from campaigns.gate import Substance
from campaigns.identities import bucket
from campaigns.models import OutboxMessage
from campaigns.recipients import Recipient
from campaigns.rendering.mail import LARGEST_HTML, RenderError, arm_of, one_line, render
from campaigns.rendering.money import money
from campaigns.sending.sender import send_due
from catalog.models import Product
from tests.campaigns.conftest import NOON, abandoned, outbox, person
from tests.campaigns.mailserver import Inbox

WHO = Recipient("akinyi", "akinyi@example.com", "Akinyi Adhiambo", zone_of("Africa/Nairobi"), consents=True)
SUBJECTS = {
    ("cart_abandonment", "A"): "You left Lamp in your cart",
    ("cart_abandonment", "B"): "Your cart is saved, Akinyi",
    ("new_products", "A"): "New in Lamps: Lamp and 3 more",
    ("new_products", "B"): "4 new arrivals picked for you",
    ("weekly_digest", "A"): "Your picks for the week, Akinyi",
    ("weekly_digest", "B"): "Lamp and 3 more for you",
    ("back_in_stock", "A"): "Lamp is back",
    ("back_in_stock", "B"): "Back in stock: Lamp",
}


def card(title: str = "Lamp", **fields: object) -> Card:
    told: dict[str, object] = {
        "product_id": "lamp", "title": title, "category": "Home > Lamps", "price": Decimal("1186.00"),
        "currency": "USD", "image_url": "/lamp.svg", "url": "/lamp", "reason": "Because you viewed Desk",
    }  # fmt: skip
    return Card(**(told | fields))  # type: ignore[arg-type]


def composed(kind: str, *cards: Card) -> Composed:
    shown = cards or (card(),) * 4
    lead = shown[:1] if kind in ("cart_abandonment", "back_in_stock") else ()
    return Composed(Substance(items=4), lead=lead, picks=shown[len(lead) :])


def mail_of(kind: str, arm: str = "A", *cards: Card, who: Recipient = WHO) -> object:
    message = OutboxMessage().public_id
    return render(kind, who, composed(kind, *cards), message=message, request_id=message, arm=arm)


@pytest.mark.parametrize(("kind", "arm"), SUBJECTS)
def test_each_campaign_has_its_two_subjects_and_three_parts(kind: str, arm: str) -> None:
    mail = mail_of(kind, arm)
    assert mail.subject == SUBJECTS[kind, arm]  # type: ignore[attr-defined]
    for part in (mail.text, mail.html):  # type: ignore[attr-defined]
        assert "Lamp" in part
        assert "$1,186.00" in part
        assert "Because you viewed Desk" in part
        assert "/mail/u/" in part
        assert "/mail/p/" in part
    assert mail.size < 30_000  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", Kind.values)
def test_styles_stand_in_the_tags_and_dark_mode_survives(kind: str) -> None:
    html = mail_of(kind).html  # type: ignore[attr-defined]
    assert 'class="button" style="' in html or 'style="' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "@media (max-width: 620px)" in html
    assert 'name="color-scheme" content="light dark"' in html
    assert not re.search(r"<(script|form|iframe|object|link)\b", html)
    assert "javascript:" not in html
    assert all("alt=" in tag for tag in re.findall(r"<img[^>]*>", html))


@pytest.mark.parametrize("kind", Kind.values)
def test_a_mail_without_pictures_prices_and_names_is_a_mail(kind: str) -> None:
    bare = card(image_url="", price=None, currency="", reason="", category="")
    stranger = Recipient("", "guest@example.com", "", zone_of("UTC"), consents=False)
    mail = mail_of(kind, "B", *(bare,) * 4, who=stranger)
    assert "<img" not in mail.html  # type: ignore[attr-defined]
    assert "None" not in mail.text + mail.html + mail.subject  # type: ignore[attr-defined]
    assert mail.subject  # type: ignore[attr-defined]


def test_product_texts_are_escaped_in_html_and_plain_in_text() -> None:
    mail = mail_of("cart_abandonment", "A", card("<b>Tom & Jerry</b>"), *(card(),) * 3)
    assert "&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;" in mail.html  # type: ignore[attr-defined]
    assert "<b>Tom" not in re.sub(r'alt="[^"]*"', "", mail.html)  # type: ignore[attr-defined]
    assert "<b>Tom & Jerry</b>" in mail.text  # type: ignore[attr-defined]


@pytest.mark.parametrize("title", ["Lamp\r\nBcc: all@example.com", "Lamp\nX", "Lamp\u2028X", "Lamp\x0bX"])
def test_no_title_breaks_a_header(title: str) -> None:
    subject = mail_of("cart_abandonment", "A", card(title)).subject  # type: ignore[attr-defined]
    assert subject.splitlines() == [subject]
    assert one_line(title) in subject


def test_a_mail_that_mail_programs_would_cut_off_is_not_sent() -> None:
    with pytest.raises(RenderError, match=f"more than {LARGEST_HTML}"):
        mail_of("weekly_digest", "A", *(card("x" * 500, reason="y" * 12_000),) * 8)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://x/y"])
def test_a_link_leads_to_the_web_or_home(url: str) -> None:
    mail = mail_of("weekly_digest", "A", *(card(url=url),) * 4)
    targets = {link["target"] for link in mail.content["links"]}  # type: ignore[attr-defined]
    assert all(target.startswith("http://localhost:8000/") for target in targets)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("1186"), "USD", "$1,186.00"),
        (Decimal("0.5"), "EUR", "€0.50"),
        (Decimal("1500"), "KES", "KSh 1,500.00"),
        (Decimal("1500"), "JPY", "¥1,500"),
        (Decimal("9.9"), "XYZ", "XYZ 9.90"),
        (Decimal("9.9"), "", "9.90"),
        (None, "USD", ""),
    ],
)
def test_prices_have_their_currency(amount: Decimal | None, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_an_arm_is_kept_at_each_attempt_and_arms_are_about_even() -> None:
    arms = [bucket("subject:weekly_digest", f"u:{number}", of=2) for number in range(2000)]
    assert arms == [bucket("subject:weekly_digest", f"u:{number}", of=2) for number in range(2000)]
    assert 900 < sum(arms) < 1100
    other = [bucket("subject:new_products", f"u:{number}", of=2) for number in range(2000)]
    assert 900 < sum(a == b for a, b in zip(arms, other, strict=True)) < 1100, "experiments are independent"
    assert arm_of("weekly_digest", WHO, compares=False) == "A"


@pytest.mark.django_db
def test_the_headers_that_mail_programs_ask_for(shop: list[Product], inbox: Inbox, settings: Settings) -> None:
    settings.REEMIO_MAIL_REPLY_TO = "help@duka.example"
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    send_due(clock=lambda: NOON)
    mail = inbox.only()
    message = OutboxMessage.objects.get()
    assert mail["List-ID"] == "Reemio demo shop <cart-abandonment.example.com>"
    assert re.fullmatch(r"<http://localhost:8000/mail/u/[\w-]+>", mail["List-Unsubscribe"].strip())
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"] == f"<{message.public_id}@example.com>"
    assert mail["Reply-To"] == "help@duka.example"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.django_db
def test_a_mail_that_cannot_be_made_is_skipped_with_the_reason(
    shop: list[Product], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.rendering.mail.LARGEST_HTML", 1000)
    person()
    abandoned()
    planners.plan(Kind.CART_ABANDONMENT, now=NOON)
    assert send_due(clock=lambda: NOON + timedelta(seconds=1)) == 0
    assert outbox() == [("akinyi", "skipped", "render_error")]
    assert inbox.counts == {}
