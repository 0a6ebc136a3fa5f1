"""The cross-encoder that was trained here and is in use: where it lies, and what was shown of each placement."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from recommendations.models import Reranker
from reemio.bootstrap import state_dir

KEEP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Registered:
    """A trained cross-encoder. `placements` says for each what it may do there: see `Reranker.placements`."""

    id: int
    folder: Path
    digest: str
    as_of: datetime
    placements: Mapping[str, Any]


class _Kept:
    active: Registered | None = None
    read_at = float("-inf")


def active_reranker() -> Registered | None:
    """Return the trained cross-encoder in use, or None. Read at most every few seconds in each process."""
    if time.monotonic() - _Kept.read_at > KEEP_SECONDS:
        row = Reranker.objects.filter(state=Reranker.State.ACTIVE).first()
        _Kept.active = registered(row) if row else None
        _Kept.read_at = time.monotonic()
    return _Kept.active


def registered(row: Reranker) -> Registered:
    """Return a row as the stage needs it."""
    return Registered(row.pk, folder_of(row), row.digest, row.as_of, row.placements)


def folder_of(row: Reranker) -> Path:
    """Return where a cross-encoder's files lie on every machine that has them: the name tells the content."""
    return models_dir() / f"reranker-{row.digest[:16]}"


def models_dir() -> Path:
    """Return the folder of trained models: REEMIO_MODELS_DIR, or `models` beside the private servers' data."""
    return Path(settings.REEMIO_MODELS_DIR or state_dir() / "models")


def forget() -> None:
    """Read again at the next question."""
    _Kept.read_at = float("-inf")
