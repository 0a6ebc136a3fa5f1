"""`manage.py import_interactions FILE`: events from a CSV or JSON lines file, at the speed of COPY."""

from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from interactions.importing.files import EventFile, UnreadableFileError
from interactions.importing.run import ImportReport, import_interactions

SHOWN_REASONS = 20


class Command(BaseCommand):
    """Import events. Importing the same file again adds nothing, so an import may be stopped and started anew."""

    help = (
        "Import interactions from a CSV file with a header or from JSON lines (gzip is understood). "
        "Importing the same file again adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path, help="The file; its columns are described in docs/interactions.md.")
        parser.add_argument(
            "--refused-to", type=Path, metavar="FILE",
            help="Where refused rows go, with line and reasons (default: beside you, named after the file).",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="Only check the rows; store nothing.")

    def handle(self, *, file: Path, refused_to: Path | str | None, dry_run: bool, **options: Any) -> None:
        """Import, and say what was done."""
        refused = Path(refused_to or f"{file.name}.refused.jsonl")
        if refused.resolve() == file.resolve():
            raise CommandError("The refused rows would overwrite the file.")
        try:
            source = EventFile(file)
        except OSError as error:
            raise CommandError(f"Cannot read {file}: {error.strerror}.") from error
        try:
            report = self._import(source, refused, dry_run=dry_run)
        except UnreadableFileError as error:
            raise CommandError(f"{error} What was read before that is stored; mend the file and repeat.") from error
        finally:
            source.close()
        self._tell(report, refused, dry_run=dry_run)

    def _import(self, source: EventFile, refused: Path, *, dry_run: bool) -> ImportReport:
        console = Console(file=cast("IO[str]", self.stderr._out))
        columns = (
            TextColumn("Importing"), BarColumn(), TextColumn("{task.fields[rows]:,} rows"),
            TimeElapsedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task("import", total=source.size, rows=0)
            return import_interactions(
                file=source,
                refused_to=refused,
                dry_run=dry_run,
                on_progress=lambda report: progress.update(bar, completed=source.position, rows=report.rows),
            )

    def _tell(self, report: ImportReport, refused: Path, *, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write(f"{report.rows:,} rows: {report.stored:,} good, {report.refused:,} refused.")
        else:
            self.stdout.write(
                f"{report.rows:,} rows: {report.stored:,} stored, {report.known:,} stored before, "
                f"{report.refused:,} refused."
            )
        for reason, count in report.reasons.most_common(SHOWN_REASONS):
            lines = ", ".join(str(line) for line in report.examples[reason])
            self.stdout.write(f"  {count:,} × {reason} (line {lines}{', …' if count > len(lines) else ''})")
        if report.refused:
            self.stdout.write(f"The refused rows are in {refused}.")
