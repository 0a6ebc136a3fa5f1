"""The pages about one shopper and one list, and the ways that lead there."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Product
from interactions.models import Shopper
from recommendations.models import ServedList
from tests.dashboard.scene import paint

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
ADA = "ada-lovelace"


@pytest.fixture(autouse=True)
def _scene(db: None) -> None:
    paint()


def test_a_shoppers_page_tells_what_they_did_and_would_be_shown(signed_in: SignIn) -> None:
    text = signed_in("marketer").get(reverse("admin:analytics_shopper"), {"user": ADA}).content.decode()
    for said in ("Ada Lovelace", "Sports &gt; Running", "“moon boots”", "place 2, homepage", "direct", "assisted"):
        assert said in text, said


def test_a_shoppers_page_still_knows_who_looks(signed_in: SignIn) -> None:
    client = signed_in("admin")
    for address in ("?user=ada-lovelace", ""):
        text = client.get(reverse("admin:analytics_shopper") + address).content.decode()
        assert "Change password" in text


def test_a_stranger_has_an_empty_page(signed_in: SignIn) -> None:
    text = signed_in("marketer").get(reverse("admin:analytics_shopper"), {"user": "nobody"}).content.decode()
    assert "Nothing is known of them." in text


@pytest.mark.parametrize("table", ["events", "lists", "credited"])
def test_files_about_a_shopper_need_the_permission_for_people(table: str, signed_in: SignIn) -> None:
    address = reverse("admin:shopper_csv", args=[table]) + f"?user={ADA}"
    assert signed_in("analyst").get(address).status_code == 403
    assert signed_in("marketer").get(address).status_code == 200


def test_who_may_not_see_people_cannot_name_one_on_explain(signed_in: SignIn) -> None:
    response = signed_in("analyst").get(reverse("admin:analytics_explain"), {"user": ADA})
    assert (response.context["query"].user_id, response.context["answer"].strategy) == ("", "popular")


def test_looking_at_a_list_is_not_remembered(signed_in: SignIn) -> None:
    before = ServedList.objects.count()
    response = signed_in("marketer").get(reverse("admin:analytics_explain"), {"user": ADA})
    assert response.context["answer"].strategy == "personalized"
    assert ServedList.objects.count() == before


def test_a_list_about_a_product_has_to_name_one(signed_in: SignIn) -> None:
    analyst, address = signed_in("analyst"), reverse("admin:analytics_explain")
    assert "Name the product" in analyst.get(address, {"placement": "product"}).content.decode()
    text = analyst.get(address, {"placement": "product", "products": "moon"}).content.decode()
    assert "The catalogue knows none of these products." in text


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("p14", "It is out of stock."),
        ("moon", "The catalogue has no product with this id"),
        ("p2", "the homepage leaves out what was bought within 30 days."),
    ],
)
def test_the_page_says_why_a_product_is_not_in_the_list(missing: str, said: str, signed_in: SignIn) -> None:
    asked = {"user": ADA, "missing": missing}
    assert said in signed_in("marketer").get(reverse("admin:analytics_explain"), asked).content.decode()


def test_products_shoppers_and_lists_lead_to_their_pages(signed_in: SignIn) -> None:
    admin = signed_in("admin")
    product, shopper = Product.objects.get(product_id="p2"), Shopper.objects.get(user_id=ADA)
    served = ServedList.objects.filter(placement="homepage").first()
    pages = {
        reverse("admin:catalog_product_change", args=[product.pk]): "What is shown beside it",
        reverse("admin:interactions_shopper_change", args=[shopper.pk]): "Taste and timeline",
        reverse("admin:recommendations_servedlist_change", args=[served and served.pk]): "Explain this list",
    }
    for address, link in pages.items():
        assert link in admin.get(address).content.decode(), address
