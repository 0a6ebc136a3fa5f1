"""The pages about one shopper and one list, and the ways that lead there."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from analytics.why_not import why_not
from catalog.models import Product
from interactions.models import Shopper
from recommendations import pipeline
from recommendations.contracts import Filters, Placement, Query
from recommendations.models import MerchandisingRule, ServedList
from tests.dashboard.scene import paint

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
ADA = "ada-lovelace"


@pytest.fixture(autouse=True)
def _scene(db: None) -> None:
    paint()


def reason(product_id: str, placement: Placement = Placement.HOMEPAGE, **query: object) -> tuple[str, str]:
    """Return the stage and the reason why a product is not in a list."""
    found = why_not(pipeline.consider(Query(placement, 3, **query)), product_id)  # type: ignore[arg-type]  # fields
    return found.stage, found.reason


def test_a_shoppers_page_tells_what_they_did_and_would_be_shown(signed_in: SignIn) -> None:
    text = signed_in("marketer").get(reverse("admin:analytics_shopper"), {"user": ADA}).content.decode()
    for said in ("Ada Lovelace", "Sports &gt; Running", "“moon boots”", "place 2, homepage", "direct", "assisted"):
        assert said in text, said


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


def test_an_unknown_product_is_not_shown_because_nobody_knows_it() -> None:
    assert reason("moon") == ("Catalogue", "The catalogue has no product with this id.")


def test_a_sold_out_product_is_not_shown_because_it_is_sold_out() -> None:
    assert reason("p14") == ("Catalogue", "It is out of stock.")


def test_an_inactive_product_is_not_shown_because_it_is_not_sold() -> None:
    Product.objects.filter(product_id="p3").update(is_active=False)
    assert reason("p3") == ("Catalogue", "It is inactive: the shop no longer sells it.")


def test_what_was_bought_lately_is_not_shown_because_it_was_bought() -> None:
    assert reason("p2", user_id=ADA) == ("Query", "The shopper bought it in the last 30 days.")


def test_what_the_list_is_about_is_not_in_it() -> None:
    assert reason("p4", Placement.PRODUCT, anchors=("p4",)) == ("Query", "It is what the list is about.")


def test_what_the_caller_left_out_or_filtered_is_not_shown() -> None:
    assert reason("p5", exclude=frozenset({"p5"})) == ("Query", "The caller left it out.")
    outside = "It is outside of the category or the prices that were asked for."
    assert reason("p5", filters=Filters("Garden > Tools")) == ("Query", outside)


def test_a_hidden_product_is_not_shown_because_of_its_rule() -> None:
    rule = MerchandisingRule.objects.create(name="Not before spring", action="hide")
    rule.products.set(Product.objects.filter(product_id="p5"))
    assert reason("p5") == ("Merchandising", "The rule “Not before spring” hides it.")


def test_what_is_shown_is_said_to_be_shown() -> None:
    considered = pipeline.consider(Query(Placement.HOMEPAGE, 3))
    first = considered.facts[considered.shown[0].product].product_id
    found = why_not(considered, first)
    assert (found.shown, found.reason) == (True, "It is shown, at place 1.")


def test_every_candidate_that_is_not_shown_has_a_reason() -> None:
    considered = pipeline.consider(Query(Placement.HOMEPAGE, 3, user_id=ADA))
    shown = {one.product for one in considered.shown}
    left = [one.product for one in considered.reranked.ranked if one.product not in shown]
    stages = {why_not(considered, considered.facts[product].product_id).stage for product in left}
    assert left
    assert stages <= {"Query", "Diversity", "Ranking"}


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
