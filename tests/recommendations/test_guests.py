"""The homepage of those without a history: strangers, and visitors of whom only a visit is known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from interactions.models import Interaction
from recommendations.configuration import (
    DEFAULT_PLACEMENTS,
    GUESTS,
    REPEATS,
    VISITORS,
    EngineSettings,
    from_json,
    overruled,
    to_json,
)
from recommendations.contracts import Placement, PlacementSettings, Query
from recommendations.explaining import explain
from recommendations.learning.choosing import Choice
from recommendations.learning.cuts import Face, newcomers
from recommendations.learning.events import between
from recommendations.learning.signal_tables import SignalTables
from recommendations.learning.train import train
from recommendations.learning.tuning import settings_with
from recommendations.pipeline import recommend
from recommendations.shelf import shelf
from recommendations.signals import GUEST, TRENDS, VISITOR
from tests.recommendations.test_shops import DAY, family, shares, shop, tuned
from tests.recommendations.test_tune import UNTIL, drifting, faithful, mixed, ranking, stock, tables

__all__ = ["tables"]
HOME = DEFAULT_PLACEMENTS[Placement.HOMEPAGE]


def mix_of(**weights: float) -> PlacementSettings:
    return replace(HOME, rescale="root", mix=weights)


def test_strangers_get_what_is_in_vogue_where_vogues_are_short() -> None:
    """200 products; every four weeks ten others are what newcomers take, while regulars go on with old ones."""
    rng = np.random.default_rng(5)
    lines = []
    for day in range(299):
        vogue = ((day + 22) // 28 * 10 + np.arange(10)) % 150
        for newcomer in range(6):
            number = 1000 + day * 6 + newcomer
            lines += [(number, int(one), day + 0.5, number) for one in rng.choice(vogue, 2, replace=False)]
        for regular in range(12):
            number = 100_000 + day * 12 + regular
            lines += [(regular, int(one), day + 0.1, number) for one in rng.integers(150, 200, 3)]
    past = shop(lines, rng.normal(size=(200, 16)))
    choice = tuned(Face.HOMEPAGE_GUEST, past)
    assert choice.evidence["gain"]["low"] > 0.1
    assert set(choice.mix) <= set(GUEST)
    assert sum(shares(choice).get(code, 0.0) for code in ("popular_3", *TRENDS)) > 0.5
    window = between(past.events, 280 * DAY, 290 * DAY)
    fresh = newcomers(between(past.events, -np.inf, 280 * DAY), window)
    assert set(fresh.person.tolist()) == {1000 + day * 6 + one for day in range(280, 290) for one in range(6)}


def test_visitors_get_what_goes_with_the_first_things_they_look_at() -> None:
    """200 products in 20 groups; a visit keeps to one group, and everybody also looks at what is popular."""
    rng = np.random.default_rng(6)
    lines = []
    for visit in range(1000):
        group, day = int(rng.integers(0, 20)), float(rng.uniform(0, 299))
        looked_at = [*(group * 10 + rng.choice(10, 4, replace=False)).tolist(), int(rng.integers(0, 5))]
        rng.shuffle(looked_at)
        lines += [(visit, one, day + step / 1440, visit) for step, one in enumerate(looked_at)]
    choice = tuned(Face.HOMEPAGE_VISIT, shop(lines, rng.normal(size=(200, 16)), bought=False, known=False))
    assert choice.evidence["gain"]["low"] > 0.05
    assert family(choice, "collaborative") > 0.5
    assert set(choice.mix) <= set(VISITOR)


def test_a_shop_without_newcomers_keeps_its_default_for_them() -> None:
    rng = np.random.default_rng(7)
    lines = [
        (person, int(rng.integers(0, 50)), float(day), person * 300 + day) for person in range(40) for day in range(299)
    ]
    choice = tuned(Face.HOMEPAGE_GUEST, shop(lines, rng.normal(size=(50, 16))))
    assert (choice.mix, choice.why[:24]) == ({}, "Too little to learn from")


def test_who_has_no_history_has_settings_of_their_own_or_the_usual_ones() -> None:
    query = Query(Placement.HOMEPAGE, limit=5)
    usual = EngineSettings({**DEFAULT_PLACEMENTS, Placement.HOMEPAGE: mix_of(ease=1.0)})
    assert usual.of_newcomer(query, stranger=True) == HOME
    assert usual.of_newcomer(query, stranger=False).mix == {"ease": 1.0}
    own = EngineSettings(usual.placements, {GUESTS: mix_of(popular_3=1.0), VISITORS: mix_of(visits=1.0)})
    assert from_json(to_json(own)) == own
    assert own.mixed == {"ease", "popular_3", "visits"}
    assert own.of_newcomer(query, stranger=True).mix == {"popular_3": 1.0}
    assert own.of_newcomer(query, stranger=False).mix == {"visits": 1.0}
    assert own.of_query(query).mix == {"ease": 1.0}
    changed = from_json(overruled(to_json(own), {"homepage": {"brand_share": 0.5}}))
    assert {one.brand_share for one in changed.homepages.values()} == {0.5}


def test_each_choice_changes_its_own_homepage_only() -> None:
    found, nothing = Choice({"popular_3": 1.0}, ""), Choice({}, "")
    after = settings_with(EngineSettings(), Face.HOMEPAGE_GUEST, found)
    assert (after.placements, set(after.homepages)) == (DEFAULT_PLACEMENTS, {GUESTS})
    assert settings_with(after, Face.HOMEPAGE_GUEST, nothing) == EngineSettings()
    both = settings_with(after, Face.HOMEPAGE, found)
    assert set(both.homepages) == {GUESTS, REPEATS}


@pytest.mark.parametrize("face", [Face.HOMEPAGE, Face.HOMEPAGE_REPEAT])
def test_repurchases_never_fall_back_to_a_mix_that_puts_them_last(face: Face) -> None:
    """Whether or not repeats got a mix of their own, in whichever order the choices came."""
    without = settings_with(EngineSettings(), Face.HOMEPAGE, Choice({"ease": 0.5, "bought_before": -1.0}, ""))
    after = settings_with(without, face, Choice({}, "") if face is Face.HOMEPAGE_REPEAT else Choice({"ease": 1.0}, ""))
    assert after.of_query(Query(Placement.HOMEPAGE, limit=5, include_purchased=True)) == HOME


@pytest.mark.django_db(transaction=True)
def test_tables_and_live_pipeline_order_newcomers_homepages_alike(tables: Callable[[], SignalTables]) -> None:
    stock([*faithful(Random(7), 20), *drifting(Random(8), 15)])
    look_around()
    guests, visitors = mixed(list(GUEST)), mixed(list(VISITOR))
    stored: dict[str, Any] = {
        name: {"weights": {}, "rescale": "root", "category_share": 1.0, "brand_share": 1.0, "rerank": False, "mix": mix}
        for name, mix in ((GUESTS, guests), (VISITORS, visitors))
    }
    train(as_of=UNTIL, settings=to_json(EngineSettings()) | stored)
    made = tables()
    shelf.refresh()
    products = made.material.events.products
    given = np.zeros((1, len(products)))
    given[0, np.searchsorted(products, shelf.ids_of(["p3", "p11"]))] = 1
    nothing = sp.csr_matrix(given.shape)
    for session, mix, found in (
        ("nobody", guests, made.of_nobody()),
        ("looking", visitors, made.of_visits(sp.csr_matrix(given))),
    ):
        (expected,) = ranking(found, nothing, mix, made)
        query = Query(Placement.HOMEPAGE, limit=50, session_id=session, as_of=UNTIL)
        shown = [item.facts.id for item in recommend(query).items]
        assert shown[:8] == expected[:8]
        told = explain(query)
        assert [one.product for one in told.considered.shown] == shown
        assert told.considered.settings.mix == mix


def look_around() -> None:
    """Let a session look at two products, and others at these and more."""
    visits = {"looking": [3, 11], "one": [3, 11, 7], "two": [3, 7, 9], "three": [11, 2]}
    Interaction.objects.bulk_create(
        [
            Interaction(
                interaction_type="view", session_id=session, product_id=f"p{product}",
                occurred_at=UNTIL - timedelta(minutes=30),
            )
            for session, looked_at in visits.items()
            for product in looked_at
        ]
    )  # fmt: skip
