"""`manage.py drift`: how far what is kept up event by event has come away from a full count."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from recommendations.learning.drift import COUNTS, measure


class Command(BaseCommand):
    """Measure, print, and end with status 1 where a deviation is not tolerated."""

    help = "Hold popularity, tastes and neighbours' counts, kept up event by event, against a full count."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many people and products to look at."""
        parser.add_argument("--sample", type=int, default=300, help="How many tastes, and products with neighbours.")
        parser.add_argument("--seed", type=int, default=0, help="Which ones.")
        parser.add_argument(
            "--tolerance", type=float, default=COUNTS, help="Largest mean deviation of neighbours' counts (0.05)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        if options["sample"] < 1 or options["tolerance"] < 0:
            raise CommandError("The sample is at least 1, and no tolerance is negative.")
        table = Table()
        for name in ("what", "compared", "mean", "largest", "tolerated", ""):
            table.add_column(name)
        failed = []
        for one in measure(
            now=timezone.now(), sample=options["sample"], seed=options["seed"], tolerance=options["tolerance"]
        ):
            tolerated = f"{one.tolerance:g} {'(mean)' if one.by_mean else '(largest)'}"
            figures = (f"{one.compared:,}", f"{one.mean:.2g}", f"{one.largest:.2g}", tolerated)
            table.add_row(one.what, *figures, "PASS" if one.passes else "FAIL")
            failed += [] if one.passes else [one.what]
        Console(file=self.stdout, width=120).print(table)  # type: ignore[arg-type]
        if failed:
            raise CommandError(f"Deviates more than is tolerated: {', '.join(failed)}. `manage.py train` counts anew.")
