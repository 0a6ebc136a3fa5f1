"""`manage.py explain`: what would be shown to whom, and why, stage by stage; and why something would not."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommendations.contracts import Filters, Placement, Query
from recommendations.explaining import Candidate, Explanation, explain
from recommendations.hindrances import WhyNot
from recommendations.management.arguments import add_as_of
from recommendations.shelf import shelf

WIDTH = 200
# Products below the list that are shown, too.
BELOW = 5


class Command(BaseCommand):
    """Ask the live pipeline, without remembering the list, and show what it thought."""

    help = "Show how a list comes about, and why a product is not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the same as the endpoints do."""
        parser.add_argument("placement", choices=[one.value for one in Placement])
        parser.add_argument("products", nargs="*", help="The product, or what is in the cart.")
        parser.add_argument("--user", default="")
        parser.add_argument("--session", default="")
        parser.add_argument("--category", default="")
        parser.add_argument("--limit", type=int, default=12)
        parser.add_argument(
            "--why-not", action="append", default=[], metavar="PRODUCT", help="Why is it not shown? May be repeated."
        )
        parser.add_argument("--json", action="store_true", help="All of it as JSON, every candidate included.")
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
        found = explain(query)
        missed = [found.why_not(name) for name in options["why_not"]]
        if options["json"]:
            told = found.as_json() | {"why_not": [one.as_json() for one in missed]}
            self.stdout.write(json.dumps(told, indent=1, ensure_ascii=False))
        else:
            self._show(found, missed)

    def _show(self, found: Explanation, missed: list[WhyNot]) -> None:
        console = Console(file=self.stdout, width=WIDTH)  # type: ignore[arg-type]  # it writes as a file does
        version = found.model_version or "none: run `manage.py train`"
        console.print(
            f"{found.asked.placement} · strategy {found.strategy} · version {version} · rerank {found.rerank}",
            highlight=False,
        )
        if found.variant:
            console.print(f"Experiment and variant: {found.variant}", highlight=False)
        for rule in found.rules:
            console.print(f"Merchandising rule: {rule}", highlight=False)
        console.print(_sources(found))
        console.print(_list(found))
        for one in missed:
            console.print(f"{one.title or one.product_id}: {one.in_words}", highlight=False)


def _sources(found: Explanation) -> Table:
    table = Table(title="Asked", title_justify="left")
    for name in ("source", "signal", "weight", "products", "best raw score"):
        table.add_column(name)
    for one in found.sources:
        table.add_row(one.code, one.signal, f"{one.weight:+.3f}", f"{one.proposed:,}", f"{one.best_raw:.4g}")
    return table


def _list(found: Explanation) -> Table:
    table = Table(title=f"Shown, and the {BELOW} below", title_justify="left")
    heads = ("#", "product", "title", "score", "content", "collab.", "popular", "rerank", "stage 2", "rule", "reason")
    for name in heads:
        table.add_column(name)
    shown = found.shown
    for one in [*shown, *found.candidates[len(shown) : len(shown) + BELOW]]:
        table.add_row(*_row(one))
    return table


def _row(one: Candidate) -> tuple[str, ...]:
    numbers = (f"{value:.3f}" for value in (one.score, one.content, one.collaborative, one.popularity))
    return (
        "–" if one.position is None else str(one.position), one.product.product_id, one.product.title, *numbers,
        "–" if one.rerank is None else f"{one.rerank:.3f}", f"{one.scored_place or '–'}", one.rule or "",
        one.reason.text if one.reason else "",
    )  # fmt: skip
