"""`manage.py explain`: what would be shown to whom, and why, stage by stage."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommendations import pipeline
from recommendations.contracts import Filters, Placement, Query, Recommendations
from recommendations.management.arguments import add_as_of
from recommendations.shelf import shelf


class Command(BaseCommand):
    """Ask the live pipeline, without remembering the list, and show what it thought."""

    help = "Show a list with its scores, signals and reasons."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the same as the endpoints do."""
        parser.add_argument("placement", choices=[one.value for one in Placement])
        parser.add_argument("products", nargs="*", help="The product, or what is in the cart.")
        parser.add_argument("--user", default="")
        parser.add_argument("--session", default="")
        parser.add_argument("--category", default="")
        parser.add_argument("--limit", type=int, default=12)
        add_as_of(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer and print."""
        query = Query(
            placement=Placement(options["placement"]),
            limit=options["limit"],
            user_id=options["user"],
            session_id=options["session"],
            anchors=tuple(options["products"]),
            filters=Filters(options["category"]),
            as_of=options["as_of"],
        )
        shelf.refresh()
        if query.placement in (Placement.PRODUCT, Placement.BOUGHT_TOGETHER) and not shelf.ids_of(query.anchors):
            raise CommandError("Name a product that the catalogue knows.")
        self._show(pipeline.recommend(query))

    def _show(self, answer: Recommendations) -> None:
        version = answer.model_version or "none: run `manage.py train`"
        title = (
            f"{answer.query.placement} · strategy {answer.strategy} · version {version} · rerank {answer.rerank_state}"
        )
        table = Table(title=title, title_justify="left")
        for name in ("#", "product", "title", "score", "content", "collab.", "popular", "rerank", "reason"):
            table.add_column(name)
        for position, item in enumerate(answer.items, start=1):
            one = item.scored
            signals = (one.score, one.content, one.collaborative, one.popularity)
            rerank = "–" if one.rerank is None else f"{one.rerank:.3f}"
            table.add_row(
                str(position), item.facts.product_id, item.facts.title, *(f"{value:.3f}" for value in signals), rerank,
                item.reason.text,
            )  # fmt: skip
        Console(file=self.stdout, width=200).print(table)  # type: ignore[arg-type]
