"""Merchandising rules: in every list, at once, and never at the price of a short list."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.models import Product
from recommendations.contracts import Filters, Placement, Query, Rule, RuleAction, Target
from recommendations.filtering import conditions
from recommendations.learning.train import train
from recommendations.matching import match_products
from recommendations.merchandising import forget, in_order, verdicts_of
from recommendations.models import MerchandisingRule
from recommendations.pipeline import recommend
from recommendations.previews import effect_of
from recommendations.querysets import RULE_STATES
from recommendations.shelf import Shelf, shelf
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = {
    "homepage": "/api/v1/recommendations/homepage?limit=6",
    "product": "/api/v1/recommendations/product/shoe-0?limit=6",
    "cart": "/api/v1/recommendations/cart?product_ids=shoe-0&limit=6",
    "bought_together": "/api/v1/recommendations/frequently-bought-together/shoe-0?limit=6",
}


@pytest.fixture
def shop() -> None:
    """Ten shoes, near to each other and popular, and ten hats, each in a category of its own."""
    for number in range(10):
        make_product(f"shoe-{number}", tilt=number / 20, category="Shoes", brand="Run", price=Decimal(10 + number))
        make_product(f"hat-{number}", axis=100 + number, category=f"Hats > {number}", stock_quantity=number + 1)
        did("view", f"shoe-{number}", user=f"viewer-{number}", days_ago=number)
    train()


def rule(action: str, *products: str, **fields: Any) -> MerchandisingRule:
    needed = {"pin": {"position": 1}, "boost": {"factor": 3.0}}.get(action, {})
    made = MerchandisingRule.objects.create(name=f"{action} {products}", action=action, **(needed | fields))
    made.products.set(Product.objects.filter(product_id__in=products))
    return made


def ids(api: APIClient, path: str) -> list[str]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.content
    return [item["product_id"] for item in answer.json()["items"]]


@pytest.mark.parametrize("place", LISTS)
def test_a_pin_shows_what_no_signal_proposed_at_its_place(api: APIClient, shop: None, place: str) -> None:
    before = ids(api, LISTS[place])
    pinned = next(f"hat-{number}" for number in range(9, -1, -1) if f"hat-{number}" not in before)
    rule("pin", pinned, position=2)
    after = ids(api, LISTS[place])
    assert after == [before[0], pinned, *before[1:5]]
    item = api.get(LISTS[place]).json()["items"][1]
    assert item["reason"] == {"code": "featured", "text": "Picked by the shop", "product_id": None}
    assert item["position"] == 2


def test_a_pin_is_not_shown_where_it_may_not_be(api: APIClient, shop: None) -> None:
    rule("pin", "hat-3")
    homepage = LISTS["homepage"]
    assert ids(api, homepage)[0] == "hat-3"
    assert "hat-3" not in ids(api, f"{homepage}&exclude=hat-3")
    assert "hat-3" not in ids(api, f"{homepage}&category=Shoes")
    assert "hat-3" not in ids(api, "/api/v1/recommendations/cart?product_ids=hat-3,shoe-1")
    did("purchase", "hat-3", user="buyer", order="o1", days_ago=29)
    did("purchase", "hat-3", user="former", order="o2", days_ago=31)
    for place in ("homepage", "product", "cart"):
        assert "hat-3" not in ids(api, f"{LISTS[place]}&user_id=buyer"), place
        assert ids(api, f"{LISTS[place]}&user_id=former")[0] == "hat-3", place
    Product.objects.filter(product_id="hat-3").update(stock_quantity=0)
    assert "hat-3" not in ids(api, homepage)


@pytest.mark.parametrize("place", LISTS)
def test_hiding_never_leaves_a_list_short(api: APIClient, shop: None, place: str) -> None:
    rule("hide", category="Shoes")
    shown = ids(api, LISTS[place])
    assert len(shown) == 6
    assert all(name.startswith("hat") for name in shown)
    with CaptureQueriesContext(connection) as captured:
        ids(api, LISTS[place])
    assert [query["sql"] for query in captured if "merchandisingrule" in query["sql"]] == []


def test_what_is_buried_comes_after_everything_else_and_still_fills_up(api: APIClient, shop: None) -> None:
    rule("bury", category="Shoes")
    shown = ids(api, "/api/v1/recommendations/homepage?limit=20")
    assert sorted(shown[:10]) == sorted(f"hat-{number}" for number in range(10))
    assert len(shown) == 20
    assert all(name.startswith("shoe") for name in shown[10:])


def test_a_boost_multiplies_the_score_and_moves_up(api: APIClient, shop: None) -> None:
    path = LISTS["product"]
    before = api.get(path).json()["items"]
    last = before[-1]
    rule("boost", last["product_id"], factor=5)
    after = api.get(path).json()["items"]
    assert after[0]["product_id"] == last["product_id"]
    assert after[0]["score"] == pytest.approx(5 * last["score"], abs=1e-5)
    assert [item["product_id"] for item in after[1:]] == [item["product_id"] for item in before[:-1]]


def test_a_rule_has_its_say_from_the_next_request_between_its_dates_and_where_it_is_set(
    api: APIClient, shop: None
) -> None:
    now = datetime.now(UTC)
    made = rule("hide", "shoe-1", placements=["product"], starts_at=now + timedelta(hours=1))
    assert "shoe-1" in ids(api, LISTS["product"])
    MerchandisingRule.objects.filter(pk=made.pk).update(starts_at=now - timedelta(hours=1))
    assert "shoe-1" not in ids(api, LISTS["product"])
    assert "shoe-1" in ids(api, LISTS["homepage"] + "&category=Shoes&limit=10")
    MerchandisingRule.objects.filter(pk=made.pk).update(ends_at=now)
    assert "shoe-1" in ids(api, LISTS["product"])
    MerchandisingRule.objects.filter(pk=made.pk).update(ends_at=None, enabled=False)
    assert "shoe-1" in ids(api, LISTS["product"])


def test_lists_of_the_past_know_nothing_of_a_rule_made_later(shop: None) -> None:
    rule("hide", category="Shoes")
    past = Query(Placement.PRODUCT, 6, anchors=("shoe-0",), as_of=datetime.now(UTC) - timedelta(days=1))
    assert recommend(past).items[0].facts.category == "Shoes"


def test_the_highest_priority_decides_and_of_equals_hiding(api: APIClient, shop: None) -> None:
    rule("hide", category="Shoes")
    rule("pin", "shoe-5", priority=0)
    assert "shoe-5" not in ids(api, LISTS["homepage"])
    rule("pin", "shoe-6", priority=1)
    assert ids(api, LISTS["homepage"])[0] == "shoe-6"
    rule("boost", "shoe-7", priority=1)
    shown = ids(api, LISTS["product"])
    assert {"shoe-6", "shoe-7"} < set(shown)
    assert sum(name.startswith("shoe") for name in shown) == 2


def test_a_rule_follows_the_stock_it_was_made_for(api: APIClient, shop: None) -> None:
    rule("hide", category="Hats", max_stock=3)
    path = "/api/v1/recommendations/homepage?limit=20"
    assert {"hat-0", "hat-1", "hat-2"} & set(ids(api, path)) == set()
    Product.objects.filter(product_id="hat-1").update(stock_quantity=50)
    Product.objects.filter(product_id="hat-9").update(stock_quantity=2)
    shown = set(ids(api, path))
    assert "hat-1" in shown
    assert "hat-9" not in shown


def test_what_matches_a_person_for_a_mail_obeys_the_rules_of_the_placement(shop: None) -> None:
    did("view", "shoe-0", user="amina")
    shelf.refresh()
    some = shelf.ids_of(["shoe-1", "shoe-2", "shoe-3", "hat-1"])

    def matching() -> list[str]:
        query = Query(Placement.HOMEPAGE, 4, user_id="amina")
        return [item.facts.product_id for item in match_products(query, some, least_similarity=0.5).items]

    before = matching()
    assert sorted(before) == ["shoe-1", "shoe-2", "shoe-3"]
    rule("hide", "shoe-2")
    rule("bury", before[0] if before[0] != "shoe-2" else before[1])
    buried = before[0] if before[0] != "shoe-2" else before[1]
    assert matching() == [*(name for name in before if name not in ("shoe-2", buried)), buried]


def test_a_rule_that_lost_its_products_concerns_nothing(api: APIClient, shop: None) -> None:
    made = rule("hide", "shoe-1")
    made.products.clear()
    assert len(ids(api, "/api/v1/recommendations/homepage?limit=20")) == 20


def test_the_database_holds_what_makes_a_rule_sound(shop: None) -> None:
    now = datetime.now(UTC)
    for wrong in ({"action": "pin"}, {"action": "boost"}, {"action": "hide", "starts_at": now, "ends_at": now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            MerchandisingRule.objects.create(name="wrong", **wrong)
    assert MerchandisingRule.objects.count() == 0


TARGETS = [
    Target(category="Hats"), Target(category="Hats > 1"), Target(category="Hat"), Target(brand="Run"),
    Target(brand="run"), Target(min_price=Decimal(12)), Target(max_price=Decimal("12.00")),
    Target(min_price=Decimal(11), max_price=Decimal(13)), Target(min_stock=4), Target(max_stock=4),
    Target(brand="Run", max_price=Decimal(11)), Target(max_stock=0),
]  # fmt: skip


def test_the_shelf_and_the_database_agree_on_what_is_hidden(shop: None) -> None:
    make_product("bare", axis=50, category="", brand="", price=None, stock_quantity=None)
    shelf.refresh()
    some = Target(frozenset(shelf.ids_of(["shoe-2", "hat-4", "bare"])))
    sizes = set()
    for target in TARGETS:
        for action in RuleAction:
            rules = in_order([Rule(1, RuleAction.HIDE, target), Rule(2, action, some, priority=1)])
            held = shelf.ids[shelf.eligible(Filters()) & ~verdicts_of(rules, shelf).hidden(len(shelf))]
            condition, parameters = conditions(Filters(), rules)
            with connection.cursor() as cursor:
                statement = f"SELECT p.id FROM catalog_product p WHERE {condition}"  # noqa: S608  our own words
                cursor.execute(statement, parameters)
                assert sorted(held.tolist()) == sorted(row[0] for row in cursor.fetchall()), (target, action)
            sizes.add(len(held))
    assert len(sizes) > 5


def test_verdicts_of_a_shelf_that_has_grown_since_say_nothing_of_what_is_new(shop: None) -> None:
    own = Shelf()
    own.refresh()
    verdicts = verdicts_of((Rule(1, RuleAction.HIDE, Target(category="Shoes")),), own)
    make_product("boot", axis=60, category="Shoes")
    own.refresh()
    assert verdicts.hidden(len(own)).tolist().count(True) == 10
    assert verdicts.of([own.ids_of(["boot"])[0]], own) == {}
    assert verdicts.at(np.array([-1, len(own) - 1])).tolist() == [-1, -1]


def test_a_rule_is_in_exactly_one_state() -> None:
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    for starts in (None, now - hour, now + hour):
        for ends in (None, now - hour / 2, now, now + 2 * hour):
            for enabled in (True, False):
                if starts is None or ends is None or ends > starts:
                    rule("hide", category="Shoes", starts_at=starts, ends_at=ends, enabled=enabled)
    every = list(MerchandisingRule.objects.all())
    for state in RULE_STATES:
        found = set(MerchandisingRule.objects.in_state(state, now))
        assert found == {one for one in every if one.state_at(now) == state}
        assert found


def test_a_preview_shows_before_and_after_and_saves_nothing(shop: None) -> None:
    shelf.refresh()
    query = Query(Placement.PRODUCT, 4, anchors=("shoe-0",))
    [pinned, hidden] = shelf.ids_of(["hat-5", "shoe-1"])
    effect = effect_of(Rule(0, RuleAction.PIN, Target(frozenset([pinned])), position=2), query)
    assert [entry.change for entry in effect.before] == ["", "", "", "removed"]
    assert [(entry.change, entry.steps) for entry in effect.after] == [("", 0), ("added", 0), ("down", 1), ("down", 1)]
    assert (effect.concerned, effect.changes) == (1, True)
    ahead = datetime.now(UTC) + timedelta(days=9)
    later = Rule(0, RuleAction.HIDE, Target(frozenset([hidden])), placements=frozenset(["cart"]), starts_at=ahead)
    effect = effect_of(later, query)
    assert [entry.change for entry in effect.before] == ["removed", "", "", ""]
    assert [entry.change for entry in effect.after] == ["up", "up", "up", "added"]
    assert MerchandisingRule.objects.count() == 0
    assert [entry.change for entry in effect_of(later, query).before] == ["removed", "", "", ""]


def test_a_preview_of_a_stored_rule_replaces_it(shop: None) -> None:
    made = rule("hide", "shoe-1")
    shelf.refresh()
    query = Query(Placement.PRODUCT, 4, anchors=("shoe-0",))
    other = Rule(made.pk, RuleAction.HIDE, Target(frozenset(shelf.ids_of(["shoe-2"]))))
    effect = effect_of(other, query)
    assert [entry.item.facts.product_id for entry in effect.before if entry.change == "removed"] == ["shoe-2"]
    assert [entry.item.facts.product_id for entry in effect.after if entry.change == "added"] == ["shoe-1"]


def test_a_process_that_forgot_its_rules_reads_them_again(api: APIClient, shop: None) -> None:
    rule("hide", "shoe-1")
    assert "shoe-1" not in ids(api, LISTS["product"])
    forget()
    assert "shoe-1" not in ids(api, LISTS["product"])
