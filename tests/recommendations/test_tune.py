"""Tuning finds what a shop is like, changes only what is surely better, and can be taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from django.core.management import call_command
from django.core.management.base import CommandError

from interactions.models import Interaction
from recommendations.configuration import DEFAULT_PLACEMENTS, EngineSettings, from_json, to_json
from recommendations.contracts import Placement, Query
from recommendations.history import purchase_weight
from recommendations.learning.choosing import choose
from recommendations.learning.content import catalogue_of, read_embeddings
from recommendations.learning.cuts import Face
from recommendations.learning.fitting import Candidates, Task
from recommendations.learning.material import Material
from recommendations.learning.reading import read_events
from recommendations.learning.signal_tables import Shop, SignalTables, side_by_side
from recommendations.learning.train import train
from recommendations.learning.tuning import tune
from recommendations.models import ModelVersion
from recommendations.pipeline import recommend
from recommendations.selectors import event_weights
from recommendations.shelf import shelf
from recommendations.signals import ANCHORED, HOMEPAGE
from tests.recommendations.conftest import make_product

pytestmark = pytest.mark.django_db(transaction=True)

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
PRODUCTS = 24


def stock(orders: list[tuple[str, datetime, list[int]]]) -> None:
    """Store a shop of 24 unlike products, and these orders: who, when, what."""
    for number in range(PRODUCTS):
        make_product(f"p{number}", axis=number * 10, tilt=0.1, category="")
    Interaction.objects.bulk_create(
        [
            Interaction(
                interaction_type="purchase", user_id=who, product_id=f"p{product}", occurred_at=when,
                order_id=f"{who}-{when:%m%d%H}",
            )
            for who, when, products in orders
            for product in products
        ]
    )  # fmt: skip


def faithful(random: Random, shoppers: int = 60) -> list[tuple[str, datetime, list[int]]]:
    """Return shoppers who buy their own three products every ten days or so."""
    orders = []
    for number in range(shoppers):
        own = random.sample(range(PRODUCTS), 3)
        for visit in range(12):
            when = UNTIL - timedelta(days=10 * visit + random.uniform(0.1, 9.0))
            orders.append((f"shopper-{number}", when, own))
    return orders


def drifting(random: Random, shoppers: int = 40) -> list[tuple[str, datetime, list[int]]]:
    """Return shoppers who buy anything at all."""
    return [
        (who, when, random.sample(range(PRODUCTS), 3)) for who, when, _ in faithful(random, shoppers)
    ]  # fmt: skip


def taking_turns(random: Random, shoppers: int = 60) -> list[tuple[str, datetime, list[int]]]:
    """Return shoppers who have three products of their own and buy them in turn, one every ten days or so."""
    own = [random.sample(range(PRODUCTS), 3) for _ in range(shoppers)]
    return [
        (f"shopper-{number}", UNTIL - timedelta(days=10 * visit + random.uniform(1, 4)), [own[number][visit % 3]])
        for number in range(shoppers)
        for visit in range(12)
    ]


def test_a_shop_where_everybody_restocks_in_turn_gets_what_is_due() -> None:
    orders = taking_turns(Random(1))
    stock(orders)
    train(as_of=UNTIL)
    tuned = tune(faces=[Face.HOMEPAGE_REPEAT], as_of=UNTIL, minutes=1)
    assert tuned.adopted
    assert sum(abs(one) for code, one in tuned.choices[Face.HOMEPAGE_REPEAT].mix.items() if "own" in code) > 0.2
    assert tuned.version.evidence["faces"]["homepage_repeat"]["gain"]["low"] > 0
    assert ModelVersion.objects.get(state="active").pk == tuned.version.pk
    query = Query(Placement.HOMEPAGE, limit=3, user_id="shopper-1", as_of=UNTIL, include_purchased=True)
    (_, _, [due]) = [order for order in orders if order[0] == "shopper-1"][2]
    assert recommend(query).items[0].facts.product_id == f"p{due}"
    assert from_json(tuned.version.settings).of(Placement.CART) == DEFAULT_PLACEMENTS[Placement.CART]


def test_chance_keeps_the_defaults() -> None:
    rng = np.random.default_rng(0)

    def chance() -> Task:
        cases = 150
        case = np.repeat(np.arange(cases), 30)
        found = Candidates(
            case, np.tile(np.arange(30), cases), rng.random((len(case), 4), np.float32),
            ("ease", "taste", "popular", "alike"), cases,
        )  # fmt: skip
        targets = np.zeros((cases, 30))
        targets[np.arange(cases), rng.integers(0, 30, cases)] = 1
        return Task.of(found, sp.csr_matrix(targets))

    choice = choose(
        [chance(), chance()], chance(), default=lambda task: task.candidates.signals[:, 0], seed=0, enough=lambda: False
    )
    assert choice.mix == {}
    assert choice.why == "No mix was surely better than the default blend."


def test_luck_on_the_newest_cut_does_not_win_over_what_is_good_on_both() -> None:
    rng = np.random.default_rng(1)

    def task(hits: tuple[float, float]) -> Task:
        """Return 200 cases of 12 candidates: how often each of two signals puts the right one first."""
        signals = rng.uniform(0, 0.5, (200, 12, 2)).astype(np.float32)
        right = rng.integers(0, 12, 200)
        for column, share in enumerate(hits):
            hit = np.flatnonzero(rng.random(200) < share)
            signals[hit, right[hit], column] = 1.0
        case, product = np.repeat(np.arange(200), 12), np.tile(np.arange(12), 200)
        found = Candidates(case, product, signals.reshape(-1, 2), ("lucky", "steady"), 200)
        targets = np.zeros((200, 12))
        targets[np.arange(200), right] = 1
        return Task.of(found, sp.csr_matrix(targets))

    older = [task((0.0, 0.6)), task((0.0, 0.6))]
    newest = task((0.8, 0.6))
    choice = choose(
        older, newest, default=lambda task: np.zeros(len(task.right)), seed=0, enough=lambda: False
    )  # fmt: skip
    figures = choice.evidence["ndcg"]
    assert figures["steady"] > figures["lucky"]
    assert choice.evidence["judged"] == 400
    assert choice.evidence["winner"] != "lucky"
    assert choice.mix["steady"] > 0.5


def test_a_shop_with_little_data_keeps_the_defaults_and_says_how_much_it_had() -> None:
    stock(drifting(Random(2), shoppers=3))
    train(as_of=UNTIL)
    tuned = tune(faces=list(Face), as_of=UNTIL, minutes=1)
    assert not tuned.adopted
    assert {choice.why for choice in tuned.choices.values()} == {
        "Too little to learn from: 108 events, 0 windows with cases."
    } or all("Too little to learn from: 108 events" in choice.why for choice in tuned.choices.values())
    assert from_json(tuned.version.settings) == EngineSettings()


def test_tuning_twice_with_one_seed_gives_the_same_mix_and_can_be_taken_back(settings: Any) -> None:
    stock(taking_turns(Random(3)))
    first = train(as_of=UNTIL)
    settings.REEMIO_AUTO_TUNE = False
    one = tune(faces=[Face.HOMEPAGE_REPEAT], as_of=UNTIL, minutes=1, seed=4)
    assert (one.adopted, one.version.state, ModelVersion.objects.get(state="active").pk) == (False, "ready", first.pk)
    settings.REEMIO_AUTO_TUNE = True
    two = tune(faces=[Face.HOMEPAGE_REPEAT], as_of=UNTIL, minutes=1, seed=4)
    assert one.choices[Face.HOMEPAGE_REPEAT].mix == two.choices[Face.HOMEPAGE_REPEAT].mix
    assert ModelVersion.objects.get(state="active").pk == two.version.pk
    call_command("tune", "--revert")
    assert ModelVersion.objects.get(state="active").pk == first.pk


def test_there_is_nothing_to_take_back_in_a_new_shop() -> None:
    with pytest.raises(CommandError, match="no earlier version"):
        call_command("tune", "--revert")


def mixed(codes: list[str]) -> dict[str, float]:
    """Return unequal weights of both signs."""
    weights = {code: (1.0 + place) * (-0.3 if place % 5 == 4 else 1.0) for place, code in enumerate(codes)}
    size = sum(abs(weight) for weight in weights.values())
    return {code: weight / size for code, weight in weights.items()}


def version_with(mix: dict[str, float]) -> ModelVersion:
    stored = to_json(EngineSettings())
    for name in ("homepage", "cart"):
        known = ANCHORED if name == "cart" else HOMEPAGE
        codes = {code: weight for code, weight in mix.items() if code in known}
        stored[name] = stored[name] | {"mix": codes, "rescale": "root", "category_share": 1.0, "brand_share": 1.0}
    stored["homepage_repeat"] = stored["homepage"]
    return train(as_of=UNTIL, settings=stored)


@pytest.fixture
def tables() -> Callable[[], SignalTables]:
    def made() -> SignalTables:
        events = read_events(until=UNTIL, event_weights=event_weights())
        shelf.refresh()
        catalogue = catalogue_of(events.products, *read_embeddings())
        weight = purchase_weight(event_weights())
        material = Material(events, until=UNTIL.timestamp(), purchase_weight=weight, catalogue=catalogue)
        return SignalTables(Shop(material, catalogue.vectors, np.ones(len(events.products), bool)))

    return made


def ranking(
    found: dict[str, object], banned: sp.csr_matrix, mix: dict[str, float], made: SignalTables
) -> list[list[int]]:
    """Return the shop's ids of each case's candidates, best first, as the tables see it."""
    codes = [code for code in mix if code in found]
    table = side_by_side(found, banned, codes=codes, dead=made.dead)  # type: ignore[arg-type]
    score = table.signals.astype(float) @ np.array([mix[code] for code in codes])
    products = made.material.events.products[table.product]
    return [
        [int(product) for product, _ in sorted(
            ((p, s) for p, s, c in zip(products, score, table.case, strict=True) if c == case),
            key=lambda pair: (-round(pair[1], 5), pair[0]),
        )]
        for case in range(table.cases)
    ]  # fmt: skip


def test_tables_and_live_pipeline_order_a_cart_alike(tables: Callable[[], SignalTables]) -> None:
    stock([*faithful(Random(5), 20), *drifting(Random(6), 15)])
    mix = mixed(list(ANCHORED))
    version_with(mix)
    made = tables()
    shelf.refresh()
    products = made.material.events.products
    carts = [[0, 3], [5, 9, 11], [20, 21]]
    anchors = np.zeros((3, len(products)))
    for row, cart in enumerate(carts):
        places = np.searchsorted(products, shelf.ids_of([f"p{number}" for number in cart]))
        anchors[row, places] = 1
    given = sp.csr_matrix(anchors)
    expected = ranking(made.of_anchors(given), given, mix, made)
    for row, cart in enumerate(carts):
        names = tuple(f"p{number}" for number in cart)
        answer = recommend(Query(Placement.CART, limit=50, anchors=names, as_of=UNTIL))
        scores = {item.facts.id: item.scored.score for item in answer.items}
        assert [product for product in expected[row] if scores[product] > 0][:10] == [
            product for product in sorted(scores, key=lambda one: (-round(scores[one], 5), one)) if scores[product] > 0
        ][:10]


@pytest.mark.parametrize("repeats", [True, False])
def test_tables_and_live_pipeline_order_a_homepage_alike(tables: Callable[[], SignalTables], repeats: bool) -> None:
    stock([*faithful(Random(7), 20), *drifting(Random(8), 15)])
    codes = [code for code in HOMEPAGE if repeats or not code.startswith("own_")]
    mix = mixed([code for code in codes if code != "bought_before"])
    version_with(mix | ({} if repeats else {"bought_before": -1.0}))
    made = tables()
    hashes = {hashed: person for person, hashed in enumerate(made.material.events.persons.tolist())}
    users = ["shopper-2", "shopper-7", "shopper-16"]
    rows = [hashes[hash_of(user)] for user in users]
    found = made.of_persons(np.array(rows), repeats=repeats)
    bought = made.material.bought[rows]
    banned = sp.csr_matrix(bought.shape) if repeats else bought
    expected = ranking(found, banned, mix, made)
    for row, user in enumerate(users):
        query = Query(Placement.HOMEPAGE, limit=50, user_id=user, as_of=UNTIL, include_purchased=repeats)
        shown = [item.facts.id for item in recommend(query).items if item.reason.code != "time_to_restock"]
        assert shown[: len(expected[row])][:8] == expected[row][:8]


def hash_of(user: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT hashtextextended('u:' || %s, 0)", [user])
        return int(cursor.fetchone()[0])
