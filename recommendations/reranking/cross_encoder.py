"""A cross-encoder in memory: pairs of texts in, scores in [0, 1] out."""

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recommendations.contracts import Scores

WEIGHTS = "model.safetensors"
# Tokens of a pair; texts beyond are cut.
LONGEST = 96
BATCH = 64


class RerankerError(Exception):
    """A cross-encoder cannot be used; the message says why in a few words."""


class CrossEncoder:
    """A sentence-transformers `CrossEncoder` on the CPU. Threads take turns."""

    def __init__(self, location: str, *, digest: str = "") -> None:
        """Load the model of a folder or of the hub's cache. Raises `RerankerError`.

        With a `digest`, the folder's weights must have this SHA-256.
        """
        if digest and digest_of(Path(location)) != digest:
            raise RerankerError("its weights are not those that were trained")
        # See catalog/embedding.py: torch's threads must not spin on cores that others use as well.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch
        from sentence_transformers import CrossEncoder as Loaded
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        # Measured on two cores: bfloat16 takes a third of the time where the processor multiplies it, and longer where
        # it does not.
        halves = has_bfloat16()
        try:
            self._model = Loaded(
                location, device="cpu", local_files_only=True, max_length=LONGEST,
                model_kwargs={"dtype": torch.bfloat16 if halves else torch.float32},
            )  # fmt: skip
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise RerankerError("could not be loaded") from error
        self._sigmoid = torch.nn.Sigmoid()
        self._lock = threading.Lock()

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Scores:
        """Return one score in [0, 1] for each pair of a context's and a candidate's text."""
        if not pairs:
            return np.zeros(0)
        with self._lock:
            found = self._model.predict(
                list(pairs), batch_size=BATCH, activation_fn=self._sigmoid, show_progress_bar=False,
                convert_to_tensor=True,
            )  # fmt: skip
        return np.asarray(found.float().numpy(), np.float64).reshape(len(pairs))


def has_bfloat16() -> bool:
    """Tell whether this processor multiplies bfloat16 itself."""
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def digest_of(folder: Path) -> str:
    """Return the SHA-256 of the weights in a folder. Raises `RerankerError` where they cannot be read."""
    try:
        with (folder / WEIGHTS).open("rb") as weights:
            return hashlib.file_digest(weights, "sha256").hexdigest()
    except OSError as error:
        raise RerankerError("its files are not on this machine") from error
