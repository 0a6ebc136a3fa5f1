"""Progress of long commands, for people at a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def steps(out: Any) -> Iterator[Callable[[str], None]]:
    """Yield a function that announces a step; each step's seconds are printed when the next begins."""
    name, began = "", 0.0

    def finish() -> None:
        if name:
            out.write(f"  {name:<28}{time.perf_counter() - began:8.1f} s")

    def step(next_name: str) -> None:
        nonlocal name, began
        finish()
        name, began = next_name, time.perf_counter()

    yield step
    finish()


class Steps:
    """A bar for each step of the run, on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True), disable=quiet)

    def __enter__(self) -> "Steps":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()
        self._bars.stop()

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a bar; the one before it is full."""
        self._finish()
        self._bars.add_task(name, total=total)

    def tick(self) -> None:
        """Advance the latest bar."""
        self._bars.advance(self._bars.task_ids[-1])

    def _finish(self) -> None:
        if self._bars.task_ids:
            latest = self._bars.tasks[-1]
            self._bars.update(latest.id, total=latest.total or 1, completed=latest.total or 1)
