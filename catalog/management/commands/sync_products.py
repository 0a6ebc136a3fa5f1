"""`manage.py sync_products`: bring the shop's catalogue into the mirror, and embed what is new or changed."""

import json
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from catalog.models import CatalogSync, EmbeddingDue
from catalog.services.embed_changed import embed_changed, queue_outdated
from catalog.services.sync_catalog import Refusal, SyncRunningError, sync_catalog
from catalog.sources import Source, SourceError
from catalog.sources.file import FileSource
from catalog.sources.http import HttpSource

COUNTS = ("new", "changed", "unchanged", "vanished", "refused")
SHOWN_REFUSALS = 10


class Command(BaseCommand):
    """See the module."""

    help = "Bring the shop's catalogue into the mirror, and embed what is new or changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the source, and what to do about doubts."""
        parser.add_argument("--source", choices=["file", "http"], required=True)
        parser.add_argument("--path", type=Path, help="the file: CSV with a header or JSON lines, gzipped or not")
        parser.add_argument("--full", action="store_true", help="http: everything, not only what changed")
        parser.add_argument("--force", action="store_true", help="deactivate even more than half of the catalogue")
        parser.add_argument("--refused-to", type=Path, help="write every refused row, with its reason, to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync, embed, and tell."""
        self.console = Console(file=self.stdout)  # type: ignore[arg-type]  # Django's wrapper writes as a file does
        source = _source(options["source"], options["path"])
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with ExitStack() as stack:
            refused = options["refused_to"] and stack.enter_context(options["refused_to"].open("w"))
            progress = stack.enter_context(Progress(*columns, console=self.console, transient=True))
            sync = self._sync(source, progress, refused, full=options["full"], force=options["force"])
            embedded = _embed(progress)
        self._report(sync, embedded)
        if sync.state == CatalogSync.State.STOPPED:
            raise CommandError(sync.message)

    def _sync(
        self, source: Source, progress: Progress, refused: TextIO | None, *, full: bool, force: bool
    ) -> CatalogSync:
        task = progress.add_task("Reading products", total=None)

        def on_page(sync: CatalogSync, fraction: float | None) -> None:
            done = sum(getattr(sync, count) for count in COUNTS)
            progress.update(task, description=f"Read {done:,} products", completed=fraction or 0, total=fraction and 1)

        def on_refusal(refusal: Refusal) -> None:
            if refused:
                refused.write(json.dumps(refusal) + "\n")

        def run(*, wait: bool) -> CatalogSync:
            return sync_catalog(source, full=full, force=force, wait=wait, on_page=on_page, on_refusal=on_refusal)

        try:
            try:
                return run(wait=False)
            except SyncRunningError:
                self.console.print("Another synchronisation is running; waiting for it to end.")
                return run(wait=True)
        except SourceError as error:
            raise CommandError(f"The synchronisation failed: {error}") from error

    def _report(self, sync: CatalogSync, embedded: int) -> None:
        table = Table("products", "", title=f"{sync.source}: {sync.location}", title_justify="left")
        table.columns[1].justify = "right"
        for count in COUNTS:
            table.add_row(count, f"{getattr(sync, count):,}")
        table.add_row("embedded", f"{embedded:,}")
        self.console.print(table)
        for refusal in sync.refusals[:SHOWN_REFUSALS]:
            line = f"refused, {refusal['place']}, product {refusal['product_id'] or '?'}: {refusal['reason']}"
            self.console.print(line, markup=False, highlight=False)
        if sync.refused > SHOWN_REFUSALS:
            self.console.print(f"… and {sync.refused - SHOWN_REFUSALS:,} more; --refused-to FILE keeps them all.")


def _source(kind: str, path: Path | None) -> Source:
    if kind == "file":
        if path is None:
            raise CommandError("--source file needs --path FILE.")
        return FileSource(path)
    if path is not None:
        raise CommandError("--path belongs to --source file.")
    try:
        return HttpSource()
    except SourceError as error:
        raise CommandError(str(error)) from error


def _embed(progress: Progress) -> int:
    queue_outdated()
    task: TaskID = progress.add_task("Embedding", total=EmbeddingDue.objects.count())
    return embed_changed(on_progress=lambda products: progress.advance(task, products))
