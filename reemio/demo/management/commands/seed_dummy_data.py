"""`manage.py seed_dummy_data`: the brief's ten shoppers, a population around them, and what they all did."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rich.console import Console
from rich.table import Table

from reemio.demo.readback import Found, read_back
from reemio.demo.seeding import CatalogueMissingError, Seeded, SeededDifferentlyError, seed_demo

CATALOGUE = "reemio/demo/catalogue.csv"


def _moment(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"{text!r} is no time like 2026-03-01T12:00:00Z.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment, timezone.get_default_timezone())


class Command(BaseCommand):
    """Seed the demo. Repeatable: what is there stays as it is, and is not doubled."""

    help = "Add the demo's ten shoppers, a background population, 60 days of events, and rows for public.events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--seed", type=int, help="Which data to make up (default: 42).")
        parser.add_argument(
            "--now", type=_moment, metavar="T",
            help="The moment up to which everything happened (default: now, or what the first seeding settled).",
        )  # fmt: skip

    def handle(self, *, seed: int | None, now: datetime | None, verbosity: int, **options: Any) -> None:
        """Seed, and show the ten shoppers as they now are in the database."""
        console = Console(file=self.stdout, quiet=verbosity == 0, width=None if self.stdout.isatty() else 130)  # type: ignore[arg-type]  # it writes, and knows whether it is a terminal
        try:
            with console.status("Making up shoppers, events, lists and an inbox …"):
                seeded = seed_demo(now=timezone.now(), seed=seed, moment=now)
        except CatalogueMissingError as error:
            raise CommandError(
                f"The catalogue is not there. First run: manage.py sync_products --source file --path {CATALOGUE}"
            ) from error
        except SeededDifferentlyError as error:
            raise CommandError(f"{error} Nothing was changed; leave out --seed and --now to keep them.") from error
        if verbosity:
            console.print(f"[green]✓[/green] {_told(seeded)}", highlight=False)
            console.print(_table(read_back(until=seeded.anchor.now)))


def _told(seeded: Seeded) -> str:
    if not (seeded.shoppers or seeded.interactions or seeded.served_lists or seeded.inbox_rows):
        return "Everything was there already."
    return (
        f"{seeded.shoppers:,} shoppers, {seeded.interactions:,} interactions, {seeded.served_lists:,} lists served, "
        f"{seeded.inbox_rows:,} rows in public.events"
    )


def _table(found: list[Found]) -> Table:
    table = Table("Name", "Persona", "Top categories", "Price range", "Interactions", "As in the brief")
    for line in found:
        prices = "–" if line.price_min is None else f"${line.price_min:,.2f} – ${line.price_max:,.2f}"
        table.add_row(
            line.shopper.name,
            line.shopper.persona,
            ", ".join(line.top_categories),
            prices,
            str(line.interactions),
            "[green]✓[/green]" if line.as_described else "[red]✗[/red]",
        )
    return table
