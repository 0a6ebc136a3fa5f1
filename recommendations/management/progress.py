"""Progress of long commands, for people at a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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
