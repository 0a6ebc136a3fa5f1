"""Steps of a long command, shown as they go: a tick, what was done, and the seconds it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def step(console: Console, doing: str) -> Iterator[list[str]]:
    """Show `doing` while the block runs, then a tick (or a cross) and the time; texts put in the list are shown too."""
    notes: list[str] = []
    began = time.monotonic()
    try:
        with console.status(f"{doing} …"):
            yield notes
    except BaseException:
        console.print(f"[red]✗[/red] {doing}")
        raise
    note = f" [dim]({', '.join(notes)})[/dim]" if notes else ""
    console.print(f"[green]✓[/green] {doing}{note} [dim]{time.monotonic() - began:.1f} s[/dim]", highlight=False)
