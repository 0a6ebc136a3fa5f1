"""Offline evaluation: the figures are right, the future stays unknown, and few events are no accident."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from recommendations.configuration import from_json
from recommendations.contracts import Source
from recommendations.evaluation.baselines import Baselines
from recommendations.evaluation.cases import Task, cases_of
from recommendations.evaluation.evaluate import Plan, VersionGoneError, evaluate
from recommendations.evaluation.intervals import intervals
from recommendations.evaluation.metrics import EMPTY, METRICS, Surprise, measured, padded, shown
from recommendations.evaluation.pipelines import with_one_signal
from recommendations.evaluation.split import NothingToEvaluateError, split_at
from recommendations.learning import versions
from recommendations.learning.train import train
from recommendations.models import Evaluation, ModelVersion
from recommendations.shelf import ActiveVersion, shelf
from tests.recommendations.conftest import did, make_product

MOMENT = datetime(2026, 5, 1, tzinfo=UTC)
LOG3 = 1 / math.log2(3)
EVALUATIONS = "/admin/recommendations/evaluation/"
VERSIONS = "/admin/recommendations/modelversion/"


class Silent:
    """Progress that nobody watches."""

    def step(self, name: str, total: int | None = None) -> None:
        pass

    def tick(self) -> None:
        pass


def figures(lists: Sequence[Sequence[int]], targets: Sequence[set[int]], k: int = 10) -> list[dict[str, float]]:
    nothing = Surprise(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return [dict(zip(METRICS, row, strict=True)) for row in measured(padded(lists, k), targets, nothing).tolist()]


def test_the_figures_of_a_list_are_those_computed_by_hand() -> None:
    """Hits at ranks 2 and 3 of two wanted: (1/log₂3 + 1/log₂4) of the ideal (1 + 1/log₂3)."""
    (found,) = figures([[9, 1, 2, 8]], [{1, 2}])
    assert found["ndcg"] == pytest.approx((LOG3 + 0.5) / (1 + LOG3))
    assert found["ndcg"] == pytest.approx(0.6934264036)
    assert (found["hr"], found["recall"], found["mrr"]) == (1.0, 1.0, 0.5)


def test_the_ideal_list_is_no_longer_than_the_list_or_the_targets() -> None:
    (whole,) = figures([[1, 2, 3]], [{1, 2, 3, 4, 5}], k=3)
    assert (whole["ndcg"], whole["recall"], whole["mrr"]) == (1.0, 0.6, 1.0)
    (one,) = figures([[7, 8, 1]], [{1}], k=3)
    assert (one["ndcg"], one["mrr"]) == (0.5, pytest.approx(1 / 3))


def test_a_case_without_a_list_or_without_a_hit_scores_nothing_but_counts() -> None:
    assert [found["ndcg"] for found in figures([[], [5], [1]], [{1}, {1}, {1}])] == [0.0, 0.0, 1.0]
    assert figures([], []) == []


def test_what_stands_behind_the_tenth_place_does_not_count() -> None:
    (found,) = figures([[*range(10, 20), 1]], [{1}])
    assert found == {"hr": 0.0, "recall": 0.0, "ndcg": 0.0, "mrr": 0.0, "novelty": 0.0}


def test_surprise_is_the_bits_of_a_products_share_and_an_unknown_product_has_one() -> None:
    """Counts 0, 1, 5 and one more for each: 1, 2 and 6 of 9."""
    surprise = Surprise(np.array([3, 5, 8]), np.array([0, 1, 5]))
    found = surprise.of(np.array([[3, 5], [8, EMPTY], [EMPTY, EMPTY]]))
    assert found.tolist() == pytest.approx([(math.log2(9) + math.log2(4.5)) / 2, math.log2(1.5), 0.0])


def test_different_products_are_counted_once() -> None:
    assert shown(padded([[1, 2], [2, 3], []], 2)) == 3


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 30), unique=True), st.sets(st.integers(1, 30), min_size=1)), min_size=1)
)
def test_every_figure_lies_between_nothing_and_one_and_agrees_with_the_others(cases: list[Any]) -> None:
    for found in figures([one for one, _ in cases], [wanted for _, wanted in cases]):
        assert all(0 <= found[name] <= 1 + 1e-12 for name in ("hr", "recall", "ndcg", "mrr"))
        assert (found["hr"] > 0) == (found["recall"] > 0) == (found["ndcg"] > 0) == (found["mrr"] > 0)
        assert found["mrr"] >= found["ndcg"] * found["recall"] / 30


def test_an_interval_holds_its_mean_and_is_as_wide_as_theory_says() -> None:
    values = np.repeat([[0.0], [1.0]], 200, axis=0)
    (found,) = intervals(values, seed=1)
    assert found.mean == 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(400), rel=0.12)
    assert intervals(values, seed=1) == [found]


def test_intervals_compare_in_pairs_and_take_one_case_and_none() -> None:
    values = np.random.default_rng(0).random((50, 1))
    (ahead,) = intervals((values + 0.1) - values, seed=0)
    assert (round(ahead.low, 9), round(ahead.high, 9)) == (0.1, 0.1)
    assert intervals(np.array([[0.25]]), seed=0)[0].low == 0.25
    assert intervals(np.zeros((0, 2)), seed=0)[1].mean == 0.0


# --- With a shop ---------------------------------------------------------------------------------------------------


def bought(user: str, order: str, products: Sequence[str], days: float) -> None:
    for product in products:
        did("purchase", product, user=user, order=order, at=MOMENT + timedelta(days=days), fresh=False)


@pytest.fixture
def shop(db: None) -> None:
    """Eight products; three shoppers who buy tents with stoves before the moment, and something else after it."""
    for number, name in enumerate(["tent", "stove", "lamp", "mug", "rope", "map", "axe", "gone"]):
        make_product(name, axis=number * 10, category=f"Category {number}", is_active=name != "gone")
    for number in range(3):
        bought(f"camper-{number}", f"before-{number}", ["tent", "stove"], -10 - number)
        bought(f"camper-{number}", f"after-{number}", ["tent", "lamp", "gone"], 1 + number)
        bought(f"camper-{number}", f"later-{number}", ["axe", "map"], 20 + number)
    bought("stranger", "after-9", ["mug", "rope"], 2)
    shelf.refresh()


def product(name: str) -> int:
    found = shelf.id_of(name)
    assert found is not None
    return found


def names(products: Any) -> set[str]:
    return {shelf.facts(one).product_id for one in products}


def test_the_next_order_of_a_known_shopper_is_wanted_and_only_what_can_be_shown(shop: None) -> None:
    found = cases_of(Task.HOMEPAGE_ALL, split_at(MOMENT), most=None, seed=0)
    assert sorted(case.query.user_id for case in found.drawn) == ["camper-0", "camper-1", "camper-2"]
    assert [names(case.targets) for case in found.drawn] == [{"tent", "lamp"}] * 3
    assert {(case.query.as_of, case.query.include_purchased, case.barred) for case in found.drawn} == {
        (MOMENT, True, frozenset())
    }


def test_what_the_shopper_had_before_is_not_new(shop: None) -> None:
    found = cases_of(Task.HOMEPAGE_NEW, split_at(MOMENT), most=None, seed=0)
    assert [names(case.targets) for case in found.drawn] == [{"lamp"}] * 3
    assert {case.query.exclude for case in found.drawn} == {frozenset({"tent", "stove"})}


def test_a_carts_hidden_product_is_not_in_the_cart(shop: None) -> None:
    found = cases_of(Task.CART, split_at(MOMENT), most=None, seed=0)
    assert (len(found.drawn), found.available) == (7, 7)
    for case in found.drawn:
        assert len(case.targets) == 1
        assert not names(case.targets) & {*case.query.anchors, "gone"}


def test_bought_together_gives_one_product_and_wants_one(shop: None) -> None:
    for case in cases_of(Task.BOUGHT_TOGETHER, split_at(MOMENT), most=None, seed=0).drawn:
        assert (len(case.query.anchors), len(case.targets)) == (1, 1)
        assert not names(case.targets) & set(case.query.anchors)


def test_without_visits_the_product_page_is_asked_what_was_bought_next(shop: None) -> None:
    found = cases_of(Task.PRODUCT, split_at(MOMENT), most=None, seed=0)
    assert found.asked == "What the same shopper bought in their next order."
    assert all(case.query.anchors[0] in {"tent", "stove"} for case in found.drawn)


def test_with_visits_the_product_page_is_asked_what_was_viewed_next(shop: None) -> None:
    for minute, name in enumerate(["mug", "mug", "rope"]):
        did("view", name, session="visit", at=MOMENT + timedelta(minutes=minute))
    (case,) = cases_of(Task.PRODUCT, split_at(MOMENT), most=None, seed=0).drawn
    assert (case.query.anchors, names(case.targets)) == (("mug",), {"rope"})


def test_the_seed_decides_what_is_hidden_and_the_limit_how_much_is_asked(shop: None) -> None:
    split = split_at(MOMENT)
    assert cases_of(Task.CART, split, most=None, seed=1) == cases_of(Task.CART, split, most=None, seed=1)
    seeds = {
        tuple(case.targets for case in cases_of(Task.CART, split, most=None, seed=seed).drawn) for seed in range(9)
    }
    assert len(seeds) > 1
    few = cases_of(Task.CART, split, most=2, seed=1)
    assert (len(few.drawn), few.available) == (2, 7)


def test_a_moment_is_found_that_leaves_about_a_tenth_to_foretell(db: None) -> None:
    make_product("tent")
    for day in range(100):
        did("purchase", "tent", user="a", at=MOMENT + timedelta(days=day, hours=5))
    found = split_at(None)
    assert (found.as_of, found.before, found.after) == (MOMENT + timedelta(days=89), 89, 11)


def test_without_purchases_views_are_foretold(db: None) -> None:
    make_product("tent")
    for day in range(10):
        did("view", "tent", session="s", at=MOMENT + timedelta(days=day))
    assert split_at(MOMENT + timedelta(days=5)).deed == "view"
    found = split_at(None)
    assert (found.as_of, found.before, found.after) == (MOMENT + timedelta(days=8), 8, 2)


def test_the_baselines_rank_what_they_say(shop: None) -> None:
    bought("camper-1", "lately", ["mug"], -1)
    split = split_at(MOMENT)
    baselines = Baselines(split)
    cases = cases_of(Task.HOMEPAGE_ALL, split, most=None, seed=0).drawn
    by_user = {case.query.user_id: place for place, case in enumerate(cases)}
    first = [shelf.facts(one).product_id for one in baselines.recent_popular(cases, 3)[0].tolist()]
    assert first == ["mug", "tent", "stove"]
    first = [shelf.facts(one).product_id for one in baselines.popular(cases, 3)[0].tolist()]
    assert first == ["tent", "stove", "mug"]
    own = baselines.own_repeat(cases, 4)[by_user["camper-1"]].tolist()
    assert [shelf.facts(one).product_id for one in own[:3]] == ["mug", "tent", "stove"]
    assert len(set(own)) == 4
    drawn = baselines.random(cases, 10, seed=3)
    assert [len(set(row) - {EMPTY}) for row in drawn.tolist()] == [7, 7, 7]
    assert "gone" not in names(set(drawn.ravel().tolist()) - {EMPTY})


def test_baselines_leave_out_what_a_list_may_not_hold(shop: None) -> None:
    split = split_at(MOMENT)
    cases = cases_of(Task.HOMEPAGE_NEW, split, most=None, seed=0).drawn
    baselines = Baselines(split)
    for lists in (baselines.popular(cases, 5), baselines.recent_popular(cases, 5), baselines.random(cases, 5, seed=0)):
        assert not names(set(lists.ravel().tolist()) - {EMPTY}) & {"tent", "stove"}


def test_one_signal_has_all_the_weight_on_every_placement_whatever_was_tuned() -> None:
    tuned = {"cart": {"weights": {"popularity": 1.0}, "mix": {"similar": 1.0}, "rerank": True}}
    only = from_json(with_one_signal(ActiveVersion(7, tuned), Source.CONTENT).settings)
    found = {(tuple(one.weights.items()), tuple(one.mix), one.rerank) for one in only.placements.values()}
    assert (len(only.placements), found) == (4, {((("content", 1.0),), (), False)})


@pytest.fixture
def done(shop: None) -> Evaluation:
    return evaluate(Plan(as_of=MOMENT), Silent())


def test_an_evaluation_measures_every_task_against_the_baselines(done: Evaluation) -> None:
    tasks = {task["task"]: task for task in done.results["tasks"]}
    assert list(tasks) == ["homepage_all", "homepage_new", "cart", "product", "bought_together"]
    methods = [found["method"] for found in tasks["homepage_all"]["methods"]]
    assert methods == [
        "reemio", "content_only", "item_knn_only", "own_repeat", "recent_popular", "popular", "random",
    ]  # fmt: skip
    assert {task["few"] for task in tasks.values()} == {True}
    popular = next(found for found in tasks["cart"]["methods"] if found["method"] == "popular")
    assert (popular["shown"], popular["coverage"]) == (7, 1.0)
    assert popular["hr"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert popular["engine_ahead"]["low"] <= popular["engine_ahead"]["mean"] <= popular["engine_ahead"]["high"]


def test_an_evaluation_leaves_the_version_that_answers_alone(shop: None) -> None:
    active = train()
    found = evaluate(Plan(as_of=MOMENT), Silent())
    active.refresh_from_db()
    assert active.state == "active"
    measured_version = ModelVersion.objects.get(pk=found.model_version)
    assert (measured_version.state, measured_version.as_of, measured_version.figures["events"]) == ("ready", MOMENT, 6)


def test_a_version_of_the_moment_is_used_again_unless_it_is_to_be_trained_anew(done: Evaluation) -> None:
    again = evaluate(Plan(as_of=MOMENT), Silent())
    assert again.model_version == done.model_version
    assert again.results["tasks"] == done.results["tasks"]
    assert evaluate(Plan(as_of=MOMENT, train_anew=True), Silent()).model_version != done.model_version


def test_other_settings_are_not_measured_by_a_version_of_the_old_ones(done: Evaluation) -> None:
    other = {"homepage": {"weights": {"popularity": 1.0}}}
    versions.activate(ModelVersion.objects.create(as_of=MOMENT + timedelta(days=50), state="ready", settings=other))
    found = evaluate(Plan(as_of=MOMENT), Silent())
    assert found.model_version != done.model_version
    assert found.settings == other


def test_a_version_that_is_pruned_during_the_run_spoils_it(shop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pruning(Silent):
        def step(self, name: str, total: int | None = None) -> None:
            if name.startswith("cart"):
                ModelVersion.objects.all().delete()

    with pytest.raises(VersionGoneError):
        evaluate(Plan(as_of=MOMENT), Pruning())
    assert not Evaluation.objects.exists()


def test_nothing_before_or_after_is_said_and_stores_nothing(shop: None) -> None:
    for moment, side in ((MOMENT - timedelta(days=99), "before"), (MOMENT + timedelta(days=99), "after")):
        with pytest.raises(NothingToEvaluateError, match=f"no purchase lies {side}"):
            evaluate(Plan(as_of=moment), Silent())
    assert not Evaluation.objects.exists()
    assert not ModelVersion.objects.exists()


def test_a_shop_without_events_gets_a_sentence(db: None) -> None:
    out = StringIO()
    call_command("evaluate", stdout=out, verbosity=0)
    assert out.getvalue().strip() == "There is nothing to evaluate yet: no purchase and no view has been recorded."
    assert not Evaluation.objects.exists()


def test_the_command_prints_tables_and_writes_both_reports(shop: None, tmp_path: Path) -> None:
    out = StringIO()
    call_command(
        "evaluate", as_of=MOMENT, placement=["cart", "homepage"], seed=5, out=tmp_path / "runs", stdout=out, verbosity=0
    )
    found = Evaluation.objects.get()
    markdown = (tmp_path / "runs" / f"evaluation-{found.pk}.md").read_text()
    figures = json.loads((tmp_path / "runs" / f"evaluation-{found.pk}.json").read_text())
    assert figures == found.results
    assert [task["task"] for task in figures["tasks"]] == ["homepage_all", "homepage_new", "cart"]
    assert "3 cases: too few to conclude from." in markdown
    assert "| popular, ever |" in markdown
    assert "item-kNN only" in out.getvalue()
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        f"evaluation-{found.pk}.json",
        f"evaluation-{found.pk}.md",
    ]


def test_views_alone_are_enough(db: None, tmp_path: Path) -> None:
    for number, name in enumerate(["tent", "stove", "lamp"]):
        make_product(name, axis=number)
    for day in range(4):
        for minute, name in enumerate(["tent", "stove", "lamp"]):
            at = MOMENT + timedelta(days=day, minutes=minute)
            did("view", name, user="a", session=f"visit-{day}", at=at, fresh=False)
    found = evaluate(Plan(as_of=MOMENT + timedelta(days=2)), Silent())
    cases = {task["task"]: task["cases"] for task in found.results["tasks"]}
    assert cases == {"homepage_all": 1, "homepage_new": 0, "cart": 0, "product": 2, "bought_together": 0}


# --- In the admin --------------------------------------------------------------------------------------------------


def test_runs_are_shown_side_by_side_with_the_best_named_in_words(admin_client: Client, done: Evaluation) -> None:
    other = Evaluation.objects.get(pk=done.pk)
    other.pk, other.seed = None, 9
    other.results["tasks"][2]["methods"][0]["ndcg"] = {"mean": 0.99, "low": 0.9, "high": 1.0}
    other.save()
    answer = admin_client.post(EVALUATIONS, {"action": "compare", "_selected_action": [done.pk, other.pk]}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(f"{EVALUATIONS}compare/?run={done.pk}&run={other.pk}", 302)]
    assert "<strong>0.9900 [0.9000, 1.0000] ★ best</strong>" in page
    assert "These runs differ in their seed: compare with care." in page


def test_one_run_alone_is_not_compared_and_nonsense_in_the_address_is_passed_over(
    admin_client: Client, done: Evaluation
) -> None:
    answer = admin_client.post(EVALUATIONS, {"action": "compare", "_selected_action": [done.pk]}, follow=True)
    assert "Choose two to 6 evaluations." in answer.content.decode()
    answer = admin_client.get(f"{EVALUATIONS}compare/?run=x&run=99999999999999999999&run=²")
    assert (answer.status_code, "Nothing to compare" in answer.content.decode()) == (200, True)


def test_the_pages_of_the_engine_open_and_hold_no_inline_script(admin_client: Client, done: Evaluation) -> None:
    addresses = [EVALUATIONS, f"{EVALUATIONS}{done.pk}/change/", VERSIONS, f"{VERSIONS}{done.model_version}/change/"]
    addresses += ["/admin/recommendations/servedlist/", "/admin/recommendations/eventweight/"]
    for address in addresses:
        answer = admin_client.get(address)
        assert (address, answer.status_code) == (address, 200)
        assert "<script>" not in answer.content.decode()
    assert "Homepage, repeats counted" in admin_client.get(addresses[1]).content.decode()


def test_who_may_not_see_evaluations_does_not_compare_them(client: Client, done: Evaluation) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(f"{EVALUATIONS}compare/?run={done.pk}").status_code == 403


def test_a_version_is_adopted_and_the_one_before_it_brought_back_once(admin_client: Client, shop: None) -> None:
    oldest, first, second = train(), train(), train(activate=False)
    admin_client.post(VERSIONS, {"action": "adopt", "_selected_action": [second.pk]})
    assert states() == {oldest.pk: "retired", first.pk: "retired", second.pk: "active"}
    assert f"Revert to version {first.pk}" in admin_client.get(VERSIONS).content.decode()
    for _ in range(2):
        admin_client.post(f"{VERSIONS}revert/", {"answering": second.pk})
        assert states() == {oldest.pk: "retired", first.pk: "active", second.pk: "retired"}


def test_who_may_only_look_neither_adopts_nor_reverts(client: Client, shop: None) -> None:
    first, second = train(), train()
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_modelversion"))
    client.force_login(clerk)
    assert "Revert" not in client.get(VERSIONS).content.decode()
    assert client.post(f"{VERSIONS}revert/", {"answering": second.pk}).status_code == 403
    client.post(VERSIONS, {"action": "adopt", "_selected_action": [first.pk]})
    assert states() == {first.pk: "retired", second.pk: "active"}


def states() -> dict[int, str]:
    return dict(ModelVersion.objects.values_list("pk", "state"))
