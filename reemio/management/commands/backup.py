"""`manage.py backup FILE`: everything that must be kept, in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reemio.database.dumps import DumpError, write_dump


class Command(BaseCommand):
    """Write the database to a file."""

    help = "Write the whole database to FILE, as it stands at one moment. Everything goes on meanwhile."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, and say how large it is."""
        try:
            size = write_dump(options["file"])
        except (DumpError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: {size / 1_000_000:.1f} MB. `manage.py restore` reads it.")
