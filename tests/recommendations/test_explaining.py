"""Explain: the same list as the live one, with every stage's word on it; and why something is not in it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from catalog.models import Product
from recommendations import experiments
from recommendations.contracts import Filters, Placement, Query
from recommendations.explaining import explain
from recommendations.hindrances import WhyNot
from recommendations.learning.train import train
from recommendations.models import Experiment, ExperimentVariant, MerchandisingRule, ModelVersion
from tests.recommendations.conftest import did, make_product

HOME = Query(Placement.HOMEPAGE, limit=4, user_id="amina")


@pytest.fixture
def shop(db: None) -> dict[str, Product]:
    """Thirty products in six categories; Amina looked at two, others bought pairs."""
    products = {
        f"p{n}": make_product(f"p{n}", axis=n, tilt=0.8, category=f"C{n % 6}", price=Decimal(n + 1), brand=f"B{n % 10}")
        for n in range(30)
    }
    for buyer in range(4):
        for name in ("p1", "p2", "p7"):
            did("purchase", name, user=f"buyer-{buyer}", order=f"o{buyer}", days_ago=3)
    did("view", "p1", user="amina", days_ago=2)
    did("view", "p13", user="amina", days_ago=2)
    did("purchase", "p20", user="amina", order="mine", days_ago=5)
    train()
    return products


def why_not(product_id: str, query: Query = HOME) -> WhyNot:
    return explain(query).why_not(product_id)


def codes(product_id: str, query: Query = HOME) -> list[str]:
    return [one.code for one in why_not(product_id, query).hindrances]


@pytest.mark.parametrize(
    ("path", "parameters", "query"),
    [
        ("homepage", {"user_id": "amina"}, HOME),
        ("homepage", {}, Query(Placement.HOMEPAGE, limit=4)),
        ("product/p1", {}, Query(Placement.PRODUCT, limit=4, anchors=("p1",))),
        ("cart", {"product_ids": "p1,p2"}, Query(Placement.CART, limit=4, anchors=("p1", "p2"))),
        ("frequently-bought-together/p1", {}, Query(Placement.BOUGHT_TOGETHER, limit=4, anchors=("p1",))),
    ],
)
@pytest.mark.parametrize("tuned", [False, True])
@pytest.mark.django_db(transaction=True)
def test_the_list_is_the_live_list_and_its_voices_add_up_to_its_scores(
    api: APIClient, shop: Mapping[str, Product], path: str, parameters: dict[str, Any], query: Query, tuned: bool
) -> None:
    if tuned:
        mix = {"mix": {"near_anchors": 0.5, "popular": 0.5}, "weights": {}, "rescale": "root"}
        ModelVersion.objects.update(settings={"homepage": mix | {"mix": {"taste": 0.7, "popular": 0.3}}, "cart": mix})
    live = api.get(f"/api/v1/recommendations/{path}", {**parameters, "limit": 4}).json()
    found = explain(query)
    assert [
        (one.product.product_id, one.position, round(one.score, 6), one.reason.text if one.reason else "")
        for one in found.shown
    ] == [(item["product_id"], item["position"], item["score"], item["reason"]["text"]) for item in live["items"]]
    assert (found.strategy, found.model_version, found.rerank) == (
        live["strategy"], live["model_version"], live["rerank"]
    )  # fmt: skip
    assert [one.scored_place for one in found.candidates] != []
    added = [one for one in found.candidates if not any(voice.floor for voice in one.voices)]
    assert len(added) >= 4
    for one in added:
        total = sum(voice.weight * voice.value for voice in one.voices)
        assert one.scored == pytest.approx(min(max(total, 0.0), 1.0), abs=1e-9)


def test_a_voice_names_what_stands_behind_it(shop: Mapping[str, Product]) -> None:
    found = explain(Query(Placement.CART, limit=4, anchors=("p1",)))
    first = found.shown[0]
    together = next(voice for voice in first.voices if voice.code == "together")
    assert first.product.product_id in ("p2", "p7")
    assert together.because is not None
    assert (together.because.product_id, together.support, together.signal) == ("p1", 4, "collaborative")
    assert [one.product_id for one in found.asked.anchors] == ["p1"]
    assert {one.code: one.weight for one in found.sources}["near"] == 0.5


def test_whoever_is_in_an_experiment_meets_its_variant_here_too(shop: Mapping[str, Product]) -> None:
    running = Experiment.objects.create(key="texts", name="Texts alone", placement="homepage", state="running")
    for name in ("a", "b"):
        ExperimentVariant.objects.create(experiment=running, name=name, settings={"weights": {"content": 1.0}})
    experiments.forget()
    found = explain(HOME)
    experiments.forget()
    assert found.variant in ("texts:a", "texts:b")
    assert found.weights == {"content": 1.0}


def test_what_is_known_of_the_shopper_is_told(shop: Mapping[str, Product]) -> None:
    asked = explain(HOME).asked
    assert {one.product_id for one in asked.recent} == {"p1", "p13", "p20"}
    assert asked.bought_lately == 1
    assert sum(asked.categories.values()) == pytest.approx(1, abs=0.001)


# --- why not --------------------------------------------------------------------------------------------------------


def test_what_is_shown_has_no_hindrance(shop: Mapping[str, Product]) -> None:
    name = explain(HOME).shown[1].product.product_id
    found = why_not(name)
    assert (found.position, found.hindrances, found.in_words) == (2, (), "It is shown, at position 2.")


def test_a_product_that_nobody_knows(shop: Mapping[str, Product]) -> None:
    assert codes("p999") == ["unknown"]


# What is written within a transaction, the shelf of that very transaction may not see.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "code"), [({"is_active": False}, "inactive"), ({"stock_quantity": 0}, "out_of_stock")]
)
def test_what_is_not_available(shop: Mapping[str, Product], change: dict[str, Any], code: str) -> None:
    Product.objects.filter(product_id="p2").update(**change)
    assert codes("p2") == [code]


def test_what_the_shopper_bought_with_its_date(shop: Mapping[str, Product]) -> None:
    found = why_not("p20")
    day = datetime.now(UTC) - timedelta(days=5)
    assert [one.code for one in found.hindrances] == ["bought"]
    assert f"bought it on {day:%Y-%m-%d}" in found.in_words


def test_what_the_list_is_about_what_is_in_the_cart_and_what_is_excluded(shop: Mapping[str, Product]) -> None:
    assert codes("p1", Query(Placement.PRODUCT, limit=4, anchors=("p1",))) == ["asked_about"]
    assert codes("p1", Query(Placement.CART, limit=4, anchors=("p1",))) == ["in_cart"]
    assert codes("p2", Query(Placement.HOMEPAGE, limit=4, exclude=frozenset({"p2"}))) == ["excluded"]


def test_what_the_filters_leave_out_each_of_them_named(shop: Mapping[str, Product]) -> None:
    filters = Filters("C0", Decimal(5), Decimal(20))
    query = Query(Placement.HOMEPAGE, limit=4, filters=filters)
    assert codes("p1", query) == ["category", "price"]
    assert codes("p0", query) == ["price"]
    assert codes("p7", query) == ["category"]
    assert "prices from 5 to 20, and it costs 2.00" in why_not("p1", query).in_words


def test_what_a_rule_hides_or_buries_by_its_name(shop: Mapping[str, Product]) -> None:
    for action, name in (("hide", "p2"), ("bury", "p7")):
        MerchandisingRule.objects.create(name=f"No {name}, please", action=action, enabled=True).products.set(
            [shop[name]]
        )
    assert why_not("p2").in_words == "The merchandising rule “No p2, please” hides it."
    assert "“No p7, please” buries it" in why_not("p7").in_words
    assert explain(HOME).rules == ("No p2, please", "No p7, please")


def test_what_variety_turned_away(shop: Mapping[str, Product]) -> None:
    for name in ("p0", "p6", "p12", "p18"):
        for _ in range(9):
            did("purchase", name, user="crowd")
    train()
    query = Query(Placement.HOMEPAGE, limit=4)
    told = [codes(name, query) for name in ("p0", "p6", "p12", "p18")]
    assert sorted(told) == [[], [], ["category_share"], ["category_share"]]


def test_what_scored_too_low_with_both_scores(shop: Mapping[str, Product]) -> None:
    explanation = explain(HOME)
    below = next(
        one for one in explanation.candidates if one.position is None and codes(one.product.product_id) == ["score"]
    )
    found = explanation.why_not(below.product.product_id)
    assert found.score == below.ranked
    assert found.last_score is not None
    assert below.ranked <= found.last_score
    assert (
        f"Its score, {below.ranked:.3f}, is below that of the last one shown, {found.last_score:.3f}" in found.in_words
    )


def test_what_pins_took_the_place_of(shop: Mapping[str, Product]) -> None:
    last = explain(HOME).shown[-1].product.product_id
    other = next(name for name in shop if why_not(name).position is None and name != "p20")
    rule = MerchandisingRule.objects.create(name="Ours first", action="pin", position=1, enabled=True)
    rule.products.set([shop[other]])
    assert codes(last) == ["pinned_over"]
    pinned = explain(HOME).shown[0]
    assert (pinned.product.product_id, pinned.rule) == (other, "Ours first")


def test_what_was_never_bought_together(shop: Mapping[str, Product]) -> None:
    query = Query(Placement.BOUGHT_TOGETHER, limit=2, anchors=("p1",))
    assert [one.product.product_id for one in explain(query).shown] == ["p2", "p7"]
    assert codes("p3", query) == ["not_together", "score"]


def test_what_no_source_proposed_with_the_signals_it_would_have_had(
    shop: Mapping[str, Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (
        "recommendations.candidates",
        "recommendations.candidates.content",
        "recommendations.candidates.popularity",
    ):
        monkeypatch.setattr(f"{module}.DEPTH", 5)
    # Of products that are equally near and equally unpopular, which ones are proposed is nobody's promise.
    found = next(one for one in map(why_not, shop) if [it.code for it in one.hindrances] == ["not_proposed"])
    assert found.would_be["collaborative"] == 0.0
    assert found.would_be["score"] == pytest.approx(
        0.5 * found.would_be["content"] + 0.2 * found.would_be["popularity"], abs=1e-6
    )


def test_what_fell_behind_the_depth_of_stage_2(shop: Mapping[str, Product], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.scoring.DEPTH", 10)
    assert codes("p29") == ["depth"]


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_shows_the_list_and_says_why_not(shop: Mapping[str, Product]) -> None:
    out = StringIO()
    call_command("explain", "homepage", "--user", "amina", "--limit", "4", "--why-not", "p20", stdout=out)
    assert "strategy personalized" in out.getvalue()
    assert "P20: The shopper bought it on" in out.getvalue()


def test_the_command_speaks_json(shop: Mapping[str, Product]) -> None:
    out = StringIO()
    call_command("explain", "cart", "p1", "--json", "--why-not", "p1", stdout=out)
    told = json.loads(out.getvalue())
    assert told["asked"]["placement"] == "cart"
    assert told["candidates"][0]["position"] == 1
    assert told["why_not"][0]["hindrances"][0]["code"] == "in_cart"


def test_a_product_page_needs_a_product(shop: Mapping[str, Product]) -> None:
    with pytest.raises(CommandError, match="Name a product"):
        call_command("explain", "product", "p999")
