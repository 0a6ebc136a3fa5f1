"""What the catalogue's tests share: an encoder that counts, and rows."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from catalog import embedding
from catalog.rows import ProductRow


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Put a quick encoder in the model's place; the list of the batches that it was asked to encode."""
    batches: list[list[str]] = []

    def encode(texts: Sequence[str]) -> Any:
        batches.append(list(texts))
        return np.array([vector_of(text) for text in texts], dtype=np.float32)

    monkeypatch.setattr(embedding, "encode", encode)
    return batches


def vector_of(text: str) -> Any:
    """A unit vector that depends on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
    vector = np.random.default_rng(seed).standard_normal(384)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def row() -> Callable[..., ProductRow]:
    """Make a row of a source."""

    def make(product_id: str, title: str = "Lamp", **fields: Any) -> ProductRow:
        return ProductRow(product_id=product_id, title=title, **fields)

    return make
