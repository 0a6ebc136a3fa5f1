"""`manage.py export_recommendations`: lists for a file of shoppers, carts or products, as the pipeline gives them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from recommendations.contracts import Placement, Query
from recommendations.evaluation.choose import UnfitVersionError, active_or_named
from recommendations.evaluation.export import Exported, cases_in, export_lists
from recommendations.evaluation.files import CaseFileError
from recommendations.management.arguments import add_as_of
from recommendations.shelf import ActiveVersion

FILES = {
    Placement.HOMEPAGE: "users",
    Placement.CART: "carts",
    Placement.PRODUCT: "products",
    Placement.BOUGHT_TOGETHER: "products",
}
COLUMNS = {"users": "user_id", "carts": "cart_id,product_id", "products": "product_id"}


class Command(BaseCommand):
    """Answer every case of a file and write the lists as CSV."""

    help = "Write the lists for a file of shoppers, carts or products."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Let `--version` name a model version: Django's own, which prints its number, is of no use here."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the placement, its file of cases, and what is asked."""
        parser.add_argument("--placement", required=True, choices=[one.value for one in Placement])
        for name, columns in COLUMNS.items():
            parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"CSV with the columns {columns}.")
        parser.add_argument("--limit", type=int, default=10, help="The length of each list. Default: 10.")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="Where the lists go, as CSV.")
        parser.add_argument(
            "--include-purchased", action="store_true", help="The homepage may show what the shopper bought lately."
        )
        parser.add_argument(
            "--version",
            type=int,
            dest="model_version",
            metavar="N",
            help="The model version that answers. Default: the active one.",
        )
        add_as_of(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, with a running count."""
        placement = Placement(options["placement"])
        pattern = Query(
            placement,
            limit=_positive(options["limit"]),
            as_of=options["as_of"],
            include_purchased=options["include_purchased"],
        )
        path = _file(placement, options)
        try:
            version = active_or_named(options["model_version"], options["as_of"])
            if version.id is None:
                self.stderr.write("No model version is active: run `manage.py train`. The lists know no neighbours.")
            exported, seconds = self._export(path, pattern, version, options)
        except (UnfitVersionError, CaseFileError, OSError) as error:
            raise CommandError(str(error)) from error
        pace = f"{exported.lists / seconds:,.0f} a second" if seconds else "at once"
        self.stdout.write(self.style.SUCCESS(f"{exported.lists:,} lists, {exported.rows:,} rows, {pace}."))
        if exported.unknown:
            self.stdout.write(f"{exported.unknown:,} products are not in the catalogue and have no list.")

    def _export(
        self, path: Path, pattern: Query, version: ActiveVersion, options: dict[str, Any]
    ) -> tuple[Exported, float]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=options["verbosity"] == 0) as progress:
            task: TaskID = progress.add_task(f"{pattern.placement} lists", total=None)
            exported = export_lists(
                cases_in(path, pattern),
                options["out"],
                placement=pattern.placement,
                version=version,
                tick=lambda: progress.advance(task),
            )
            return exported, progress.tasks[task].elapsed or 0.0


def _file(placement: Placement, options: dict[str, Any]) -> Path:
    """Return the file of cases that the placement needs; refuse one of another kind."""
    wanted = FILES[placement]
    strange = [name for name in COLUMNS if name != wanted and options[name] is not None]
    if options[wanted] is None or strange:
        raise CommandError(
            f"--placement {placement} takes --{wanted} FILE (columns {COLUMNS[wanted]}), and no other file."
        )
    return Path(options[wanted])


def _positive(limit: int) -> int:
    if limit < 1:
        raise CommandError("--limit must be at least 1.")
    return limit
