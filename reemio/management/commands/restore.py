"""`manage.py restore FILE`: what `manage.py backup` wrote, into an empty database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reemio.database.dumps import DumpError, read_dump


class Command(BaseCommand):
    """Restore a backup."""

    help = "Restore FILE into a database that Reemio does not use yet; whole, or not at all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore it."""
        try:
            read_dump(options["file"])
        except DumpError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored. `manage.py migrate`, then start web, worker and beat.")
