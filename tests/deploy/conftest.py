"""Fixtures of the tests that run servers as other users."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass: pytest closes its own again whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="reemio-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
