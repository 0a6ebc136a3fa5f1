"""Clears what is older than its time: what beat has done each night, by hand."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from reemio.retention.clearing import all_kinds, clear_all
from reemio.retention.models import Clearing


class Command(BaseCommand):
    """Print what each kind of data is kept for, and what has gone."""

    help = "Clear what is older than its time, as REEMIO_KEEP_… say; repeat it as you like."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the time limit."""
        parser.add_argument("--minutes", type=float, default=30.0, help="how long it may take (default: 30)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Clear, then tell."""
        cleared = clear_all(patience=timedelta(minutes=options["minutes"]))
        done = dict(Clearing.objects.values_list("kind", "finished_at"))
        for name, kind in all_kinds().items():
            kept = f"kept {kind.days} days" if kind.days else "kept for ever"
            rest = "" if not kind.days or done.get(name) else ", not finished"
            self.stdout.write(f"{name:<18} {kept:<16} {cleared.get(name, 0):>10,} cleared{rest}")
