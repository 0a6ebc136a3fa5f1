"""`manage.py update_preferences`: recount every shopper's taste from the raw events."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recommendations.learning.preferences import recount_everybody, recount_rewritten


class Command(BaseCommand):
    """Recount tastes. The engine keeps them up with each event; this counts them anew, from nothing."""

    help = "Recount the tastes of all shoppers and sessions from their events."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which people are meant."""
        parser.add_argument("--rewritten", action="store_true", help="Only those whose past was imported or merged.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recount, with a running count."""
        if options["rewritten"]:
            counted = recount_rewritten(most=10_000_000)
        else:
            columns = (TextColumn("Tastes recounted"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            with Progress(*columns, console=Console(stderr=True), disable=options["verbosity"] == 0) as progress:
                task = progress.add_task("", total=None)
                counted = recount_everybody(progress=lambda count: progress.advance(task, count))
        self.stdout.write(self.style.SUCCESS(f"{counted:,} tastes recounted."))
