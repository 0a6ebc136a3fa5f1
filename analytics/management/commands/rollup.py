"""`manage.py rollup`: count what happened; with `--rebuild`, all of it anew."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analytics.experiments import count_due
from analytics.health import freshness
from analytics.rollups.run import Counted, roll_up, touch


class Command(BaseCommand):
    """Attribute purchases and bring the roll-ups up to date. Repeatable, and safe beside the worker's own ticks."""

    help = "Count what happened since the last time; --rebuild counts and attributes everything anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--rebuild", action="store_true", help="Note everything as due before counting.")

    def handle(self, *, rebuild: bool, verbosity: int, **options: Any) -> None:
        """Count, with a bar for the days, and say what was done."""
        console = Console(file=self.stdout, quiet=verbosity == 0)  # type: ignore[arg-type]  # it writes, and knows whether it is a terminal
        if rebuild:
            with console.status("Noting everything as due …"):
                touch(since=None)
        console.print(_told(_run(console, whole=rebuild)), highlight=False)
        count_due()
        if verbosity:
            console.print(f"[dim]Data as of {freshness().as_of:%Y-%m-%d %H:%M:%S %Z}.[/dim]", highlight=False)


def _run(console: Console, *, whole: bool) -> Counted:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Attributing", total=None)

        def step(day: date, left: int) -> None:
            done = bar.tasks[task].completed + 1
            bar.update(task, description=f"Counted {day}", completed=done, total=done + left)

        return roll_up(progress=step, whole=whole)


def _told(counted: Counted) -> str:
    if not (counted.hours or counted.attributed):
        return "[green]✓[/green] Nothing was due."
    return (
        f"[green]✓[/green] {counted.attributed:,} purchases and clicks attributed, {counted.hours:,} hours of "
        f"{counted.days:,} days counted [dim]{counted.seconds:.1f} s[/dim]"
    )
