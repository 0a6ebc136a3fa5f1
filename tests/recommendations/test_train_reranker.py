"""Training a cross-encoder: on the shop's own pairs, split by time, published whole or not at all."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Product, ProductEmbedding
from interactions.models import Interaction
from recommendations import reranking
from recommendations.learning.train import train
from recommendations.models import PairScores, Reranker, ServedList
from recommendations.rerankers import keeping, train_reranker
from recommendations.rerankers.fitting import Budget, Material, fit
from recommendations.rerankers.judging import SHARES, _held_out
from recommendations.rerankers.pair_scores import score_pairs
from recommendations.rerankers.pairs import Group, groups_before
from recommendations.rerankers.train_reranker import NothingToLearnError, Plan
from recommendations.reranking import registered, stored
from recommendations.reranking.cross_encoder import CrossEncoder, digest_of
from recommendations.reranking.texts import Relation
from recommendations.shelf import shelf
from tests.conftest import environment
from tests.recommendations.conftest import did, make_product

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WORDS = ("tea", "cup", "oil", "tyre", "rope", "lamp", "sofa", "drum")


class Silence:
    """Hears the progress and says nothing."""

    def step(self, name: str, total: int | None = None) -> None:
        """A step began."""

    def tick(self) -> None:
        """And went on."""


@pytest.fixture(autouse=True)
def models(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.REEMIO_MODELS_DIR = str(tmp_path / "models")
    settings.RERANKER_MODEL = reranking.DEFAULT_MODEL
    registered.forget()
    stored.forget()
    yield tmp_path / "models"
    registered.forget()


def at(days: float, minutes: float = 0) -> datetime:
    return NOW - timedelta(days=days) + timedelta(minutes=minutes)


@pytest.fixture
def shop(transactional_db: None) -> dict[str, int]:
    """Eight products, and fifty days of visits that go from each product to its neighbour in the list, and buy both."""
    ids = {word: make_product(word, axis=place, category="Things > Goods").pk for place, word in enumerate(WORDS)}
    Interaction.objects.bulk_create(
        Interaction(
            interaction_type=kind, product_id=product, session_id=f"{day}-{word}",
            occurred_at=at(51 - day, place + later),
            order_id=f"{day}-{word}" if kind == "purchase" else None,
        )
        for day in range(50)
        for place, word in enumerate(WORDS)
        for kind, product, later in (
            ("view", word, 0.0), ("view", WORDS[place ^ 1], 0.5),
            ("purchase", word, 0.7), ("purchase", WORDS[place ^ 1], 0.8),
        )
    )  # fmt: skip
    shelf.refresh()
    return ids


# --- what is learned from ------------------------------------------------------------------------------------------


def by_relation(groups: Sequence[Group], relation: Relation) -> dict[int, dict[int, int]]:
    return {one.product: dict(one.chosen) for one in groups if one.relation is relation}


@pytest.mark.django_db
class TestPairs:
    """What was chosen after a product, and what was shown and passed over."""

    def test_a_visit_goes_on_from_product_to_product_whatever_it_does_with_them(self) -> None:
        a, b, c = (make_product(name).pk for name in "abc")
        for kind, name, minute in (("view", "a", 0), ("cart_add", "a", 1), ("view", "b", 2), ("purchase", "c", 3)):
            did(kind, name, session="s", at=at(1, minute))
        did("view", "c", session="other", at=at(1, 4))
        assert by_relation(groups_before(NOW), Relation.NEXT) == {a: {b: 1}, b: {c: 1}}

    def test_orders_pair_all_their_products_and_those_of_resellers_none(self) -> None:
        a, b = (make_product(name).pk for name in "ab")
        for name in "ab":
            did("purchase", name, user="amina", order="o1", at=at(1))
        for number in range(31):
            make_product(f"r{number}")
            did("purchase", f"r{number}", user="reseller", order="o2", at=at(1))
        assert by_relation(groups_before(NOW), Relation.TOGETHER) == {a: {b: 1}, b: {a: 1}}

    def test_what_was_seen_beside_a_product_and_not_clicked_was_passed_over(self) -> None:
        a, b, _, d = (make_product(name).pk for name in "abcd")
        served = ServedList.objects.create(
            served_at=at(1), placement="product", context="product_page", strategy="similar", anchors=["a"],
            products=["b", "c", "d"], scores=[3, 2, 1], milliseconds=1,
        )  # fmt: skip
        for kind, name in (("view", "a"), ("view", "b"), ("recommendation_view", "d"), ("recommendation_view", "c")):
            event = did(kind, name, session="s", at=at(1, "abdc".index(name)))
            if kind == "recommendation_view":
                fields = {"recommendation_request_id": served.pk, "recommendation_context": "product_page"}
                Interaction.objects.filter(pk=event.pk).update(**fields)
                if name == "c":
                    click = did("recommendation_click", "c", session="s2", at=at(1, 9))
                    Interaction.objects.filter(pk=click.pk).update(**fields)
        (group,) = [one for one in groups_before(NOW) if one.product == a]
        assert (group.chosen, list(group.passed_over)) == ({b: 1}, [d])

    def test_nothing_is_learned_from_the_future(self) -> None:
        make_product("a"), make_product("b")
        for name in "ab":
            did("view", name, session="s", at=NOW)
            did("purchase", name, session="s", order="o", at=NOW)
        assert groups_before(NOW) == []
        assert groups_before(NOW + timedelta(seconds=1)) != []


# --- fitting ---------------------------------------------------------------------------------------------------


def material(partners: dict[int, int], texts: dict[int, str]) -> Material:
    groups = [Group(Relation.NEXT, product, {partner: 3}) for product, partner in partners.items()]
    return Material(
        groups=groups,
        proposed={},
        popular=[],
        everything=sorted(texts),
        question=lambda relation, product: f"after {texts[product]}",
        answer=lambda product: texts[product],
    )


def test_fitting_learns_writes_safetensors_and_repeats_with_its_seed(tmp_path: Path) -> None:
    texts = dict(enumerate(WORDS))
    heard: list[float] = []
    told = [
        fit(
            material({n: n ^ 1 for n in texts}, texts), tmp_path / name,
            budget=Budget(seconds=600, pairs=1200), seed=7, progress=lambda used, loss: heard.append(used),
        )
        for name in ("one", "two")
    ]  # fmt: skip
    assert told[0].pairs == 1200
    assert told[0].last_loss < told[0].first_loss
    assert heard[24] == heard[-1] == 1.0
    assert {path.name for path in (tmp_path / "one").iterdir()} >= {
        "model.safetensors",
        "config.json",
        "tokenizer.json",
    }
    assert not list((tmp_path / "one").glob("*.bin"))
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")
    assert len(CrossEncoder(str(tmp_path / "one")).scores([("after tea", "cup")])) == 1


# --- judging -------------------------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.integers(0, 5))
def test_a_share_is_measured_on_cases_that_did_not_choose_it(cases: int, lucky: int) -> None:
    gains = np.zeros((cases, len(SHARES)))
    gains[min(lucky, cases - 1), 2] = 1.0
    held = _held_out(gains)
    assert held[min(lucky, cases - 1)] == 0.0


def test_a_real_gain_is_measured_in_full() -> None:
    gains = np.zeros((50, len(SHARES)))
    gains[:, 1], gains[:, 3] = 0.1, -0.2
    assert _held_out(gains).tolist() == [pytest.approx(0.1)] * 50


# --- the whole -----------------------------------------------------------------------------------------------------

SMALL = Plan(as_of=NOW, minutes=5, pairs=480)


def test_a_run_ends_in_a_reranker_with_evidence_weights_and_scores(shop: dict[str, int], models: Path) -> None:
    row = train_reranker.train_reranker(SMALL, Silence())
    assert row.state == "active"
    assert row.as_of < NOW
    assert digest_of(registered.folder_of(row)) == row.digest
    assert row.placements.keys() == {"product", "cart", "bought_together", "homepage"}
    assert row.evidence["product"]["cases"] >= 30
    assert row.figures["pairs"] == 480
    assert PairScores.objects.filter(reranker=row, relation="next").count() == len(WORDS)
    assert [path.name for path in models.iterdir()] == [f"reranker-{row.digest[:16]}"]
    assert reranking.standing()["product"].split(":")[0] in ("on", "shadow")


class Killed(Silence):
    """Ends the run when a step begins, as a signal would."""

    def __init__(self, name: str) -> None:
        self.name = name

    def step(self, name: str, total: int | None = None) -> None:
        """Stop here."""
        if name.startswith(self.name):
            raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["candidates", "judging: cart", "scoring pairs"])
def test_killed_anywhere_the_old_one_stays_in_use_and_nothing_is_left(
    shop: dict[str, int], models: Path, step: str
) -> None:
    old = Reranker.objects.create(as_of=at(9), digest="o" * 64)
    keeping.activate(old)
    with pytest.raises(KeyboardInterrupt):
        train_reranker.train_reranker(Plan(as_of=NOW, minutes=5, pairs=48), Killed(step))
    assert [(row.pk, row.state) for row in Reranker.objects.filter(state="active")] == [(old.pk, "active")]
    assert Reranker.objects.latest("pk").state == "failed"
    assert not list(models.glob("unfinished-*"))
    keeping.prune()
    assert Reranker.objects.count() == 2


def test_two_trainings_do_not_run_at_once(shop: dict[str, int]) -> None:
    with psycopg.connect(environment()["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [keeping.TRAINING_LOCK])
        with pytest.raises(CommandError, match="Another process is training"):
            call_command("train_reranker", verbosity=0)
    assert not Reranker.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_history_it_says_so_and_nothing_is_made(capsys: Any) -> None:
    with pytest.raises(NothingToLearnError, match="too little happened"):
        train_reranker.train_reranker(Plan(), Silence())
    call_command("train_reranker", verbosity=0)
    assert "too little happened" in capsys.readouterr().out
    assert not Reranker.objects.exists()


def test_one_that_helps_nowhere_does_not_take_over_from_one_that_does(db: None) -> None:
    helps = {"product": {"helps": True}}
    old = Reranker.objects.create(as_of=at(9), placements=helps)
    keeping.activate(old)
    useless = Reranker.objects.create(as_of=at(1), placements={"product": {"helps": False}})
    better = Reranker.objects.create(as_of=at(1), placements=helps)
    assert (train_reranker._may_answer(useless), train_reranker._may_answer(better)) == (False, True)
    keeping.retire(old)
    assert train_reranker._may_answer(useless)


# --- scores computed beforehand ------------------------------------------------------------------------------------


@pytest.fixture
def in_use(shop: dict[str, int]) -> Reranker:
    train(as_of=NOW)
    row = Reranker.objects.create(as_of=at(9), placements={"product": {"helps": False}})
    keeping.activate(row)
    return row


def lengths(texts: Sequence[tuple[str, str]]) -> list[float]:
    return [1 / (len(question) + len(answer)) for question, answer in texts]


def never() -> bool:
    return False


class After:
    """Says that time is over from the n-th question on."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def score(row: Reranker, late: Callable[[], bool] = never) -> tuple[int, int, bool]:
    done = score_pairs(row, lengths, late=late, tick=lambda: None)
    return done.products, done.pairs, done.finished


def test_scoring_stops_in_time_goes_on_where_it_stopped_and_does_nothing_twice(
    in_use: Reranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommendations.rerankers.pair_scores.CHUNK", 3)
    assert score(in_use, After(1)) == (3, 21, False)
    assert score(in_use) == (5, 35, True)
    assert score(in_use) == (0, 0, True)


def test_a_text_that_changed_is_scored_again_and_what_depends_on_it(in_use: Reranker, shop: dict[str, int]) -> None:
    score(in_use)
    Product.objects.filter(pk=shop["tea"]).update(title="Green tea of the highlands")
    ProductEmbedding.objects.filter(pk=shop["tea"]).update(updated_at=datetime.now(UTC) + timedelta(seconds=1))
    products, pairs, _ = score(in_use, After(1))
    assert (products, pairs) == (8, 14)
    cup = PairScores.objects.get(product_id=shop["cup"])
    told = dict(zip(cup.candidates, cup.scores, strict=True))
    assert told[shop["tea"]] == pytest.approx(1 / len("after Cup, GoodsGreen tea of the highlands, Goods"), abs=1e-6)


def test_a_later_version_may_propose_others_and_only_those_are_scored(in_use: Reranker) -> None:
    score(in_use)
    make_product("kettle", axis=0, tilt=0.2)
    train(as_of=NOW)
    products, pairs, finished = score(in_use)
    assert (products, pairs, finished) == (9, 16, True)


def test_scores_of_a_reranker_that_is_gone_are_not_stored(in_use: Reranker) -> None:
    Reranker.objects.filter(pk=in_use.pk).delete()
    in_use.pk = 999
    score_pairs(in_use, lengths, late=After(1), tick=lambda: None)
    assert not PairScores.objects.exists()
