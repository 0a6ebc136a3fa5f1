"""Merchandising rules in the admin: who may, what is refused and why, and the preview."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from recommendations.models import MerchandisingRule
from tests.recommendations.conftest import make_product

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/recommendations/merchandisingrule/"
PREVIEW = f"{LIST}preview/"


@pytest.fixture
def shop() -> None:
    for number in range(6):
        make_product(f"shoe-{number}", tilt=number / 20, category="Sports > Shoes", brand="Run")


@pytest.fixture
def merchant(client: Client, shop: None) -> Client:
    """A client signed in as somebody who may make and change rules, and nothing else."""
    user = User.objects.create_user("maria", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__model="merchandisingrule"))
    client.force_login(user)
    return client


def filled(**fields: Any) -> dict[str, Any]:
    form = {
        "name": "Summer", "enabled": "on", "action": "hide", "position": "", "factor": "", "category": "", "brand": "",
        "min_price": "", "max_price": "", "min_stock": "", "max_stock": "", "starts_at_0": "", "starts_at_1": "",
        "ends_at_0": "", "ends_at_1": "", "priority": "0",
    }  # fmt: skip
    return form | fields


def pk_of(product_id: str) -> int:
    return int(make_product(product_id, axis=90).pk)


def test_a_rule_is_made_and_remembers_by_whom(merchant: Client) -> None:
    answer = merchant.post(f"{LIST}add/", filled(category="Sports", placements=["homepage", "cart"], factor="2"))
    assert answer.status_code == 302, answer.context["errors"]
    made = MerchandisingRule.objects.get()
    assert (made.category, made.placements, str(made.created_by)) == ("Sports", ["homepage", "cart"], "maria")
    assert (made.factor, made.position) == (None, None)
    assert [entry.action_flag for entry in LogEntry.objects.all()] == [1]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Say which products"),
        ({"action": "pin", "position": "1", "category": "Sports"}, "Choose the products to pin"),
        ({"action": "pin", "category": "Sports"}, "Say to which place"),
        ({"action": "boost", "category": "Sports"}, "Say how strongly"),
        ({"action": "boost", "category": "Sports", "factor": "1"}, "greater than or equal to 1.01"),
        ({"action": "pin", "position": "51", "category": "Sports"}, "less than or equal to 50"),
        ({"category": "sports > shoe"}, "Did you mean “Sports &gt; Shoes”?"),
        ({"brand": "Rum"}, "Did you mean “Run”?"),
        ({"min_price": "5", "max_price": "4", "brand": "Run"}, "The price band is empty"),
        ({"min_stock": "5", "max_stock": "4", "brand": "Run"}, "The stock band is empty"),
        ({"max_stock": "-1"}, "greater than or equal to 0"),
        ({"brand": "Run"}, "This would hide every product"),
        (
            {
                "category": "Sports", "placements": ["cart"], "starts_at_0": "2099-01-02", "starts_at_1": "00:00",
                "ends_at_0": "2099-01-01", "ends_at_1": "00:00",
            },
            "would end before it starts",
        ),
        ({"category": "Sports", "ends_at_0": "2020-01-01", "ends_at_1": "00:00"}, "This moment has passed"),
        ({"category": "Sports", "placements": ["moon"]}, "Select a valid choice"),
        ({"name": "", "category": "Sports"}, "This field is required"),
        ({"action": "pin", "position": "1", "placements": ["search"]}, "Search results have no pins"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_saved(merchant: Client, fields: dict[str, Any], says: str) -> None:
    answer = merchant.post(f"{LIST}add/", filled(**fields))
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not MerchandisingRule.objects.exists()
    refused = merchant.post(PREVIEW, filled(**fields, preview_placement="homepage"))
    assert says in refused.content.decode()


def test_the_preview_marks_what_changes_and_saves_nothing(merchant: Client) -> None:
    pinned = pk_of("new-thing")
    form = filled(action="pin", position="1", products=[pinned], starts_at_0="2099-01-01", starts_at_1="00:00")
    asked = {"preview_placement": "product", "preview_products": "shoe-0"}
    page = merchant.post(PREVIEW, form | asked)
    assert page.status_code == 200
    text = page.content.decode()
    assert "<html" in text
    assert text.count('class="rule-up"') == 1
    assert "↑ 5" in text
    assert text.count('class="rule-down"') == 5
    fragment = merchant.post(PREVIEW, form | asked, headers={"X-Requested-With": "reemio-preview"}).content.decode()
    assert "<html" not in fragment
    assert "about <strong>1 product</strong>" in fragment
    elsewhere = merchant.post(PREVIEW, form | asked | {"placements": ["cart"]}).content.decode()
    assert "It is not set for this list" in elsewhere
    assert not MerchandisingRule.objects.exists()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"preview_placement": "product"}, "Name the product that the list is about"),
        ({"preview_placement": "product", "preview_products": "moon"}, "There is no product with the id moon"),
        ({"preview_placement": "product", "preview_products": "shoe-0,shoe-1"}, "This list is about one product"),
        ({"preview_placement": "moon"}, "Select a valid choice"),
        ({}, "This field is required"),
    ],
)
def test_a_preview_says_what_it_needs(merchant: Client, asked: dict[str, str], says: str) -> None:
    form = filled(placements=["cart"], brand="Run")
    assert says in merchant.post(PREVIEW, form | asked).content.decode()


def test_the_preview_of_a_stored_rule_needs_the_right_to_change_it(merchant: Client) -> None:
    stored = MerchandisingRule.objects.create(name="Old", action="bury", category="Sports")
    form = filled(action="bury", category="Sports > Shoes", preview_placement="homepage", rule=str(stored.pk))
    assert merchant.post(PREVIEW, form).status_code == 200
    assert merchant.get(PREVIEW).status_code == 405
    User.objects.get().user_permissions.set(Permission.objects.filter(codename="view_merchandisingrule"))
    assert merchant.post(PREVIEW, form).status_code == 403
    assert merchant.post(PREVIEW, form | {"rule": ""}).status_code == 403
    stored.refresh_from_db()
    assert stored.category == "Sports"


def test_the_list_shows_states_filters_and_switches(merchant: Client) -> None:
    MerchandisingRule.objects.create(name="Live one", action="boost", factor=1.5, brand="Run", max_stock=5)
    MerchandisingRule.objects.create(name="Ended one", action="bury", category="Sports", ends_at="2020-01-01T00:00Z")
    page = merchant.get(LIST).content.decode()
    for expected in ("rule-live", "rule-ended", "Boost × 1.5", "Run, stock up to 5", "everywhere"):
        assert expected in page
    only = merchant.get(LIST, {"state": "ended", "placement": "cart", "q": "sports"}).content.decode()
    assert "Ended one" in only
    assert "Live one" not in only
    chosen = MerchandisingRule.objects.get(name="Live one")
    merchant.post(LIST, {"action": "switch_off", "_selected_action": [chosen.pk]})
    chosen.refresh_from_db()
    assert chosen.enabled is False
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Switched off."]


def test_the_form_of_a_stored_rule_can_be_saved_again(merchant: Client) -> None:
    stored = MerchandisingRule.objects.create(
        name="Old", action="bury", category="Sports", starts_at="2020-01-01T00:00Z", ends_at="2020-02-01T00:00Z"
    )
    form = filled(
        action="bury", category="Sports > Shoes", starts_at_0="2020-01-01", starts_at_1="00:00:00",
        ends_at_0="2020-02-01", ends_at_1="00:00:00",
    )  # fmt: skip
    page = merchant.get(f"{LIST}{stored.pk}/change/")
    assert 'id="rule-preview-button"' in page.content.decode()
    assert merchant.post(f"{LIST}{stored.pk}/change/", form).status_code == 302
    stored.refresh_from_db()
    assert stored.category == "Sports > Shoes"
