"""`manage.py train_reranker`: train a cross-encoder on the shop's own pairs, and use it where it was shown to help."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommendations import tasks
from recommendations.management.arguments import add_as_of
from recommendations.management.progress import Steps
from recommendations.models import Reranker
from recommendations.rerankers.keeping import AlreadyTrainingError
from recommendations.rerankers.train_reranker import (
    NothingToLearnError,
    Plan,
    score_due_pairs,
    train_reranker,
)
from recommendations.reranking.cross_encoder import RerankerError


class Command(BaseCommand):
    """Train, judge, score pairs beforehand; or hand that to the worker."""

    help = "Fine-tune a cross-encoder on what shoppers chose; judge it, and let it rerank where it surely helps."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the budget, and what is to be done."""
        add_as_of(parser)
        parser.add_argument("--minutes", type=_minutes, default=15.0, help="Time for all of it. Default: 15.")
        parser.add_argument("--pairs", type=int, default=400_000, help="Pairs to learn from at most. Default: 400,000.")
        parser.add_argument("--seed", type=int, default=0, help="Decides what is drawn. Default: 0.")
        parser.add_argument("--no-activate", action="store_true", help="Keep it, but let the old one answer.")
        parser.add_argument("--scores-only", action="store_true", help="Train nothing; score the pairs that are due.")
        parser.add_argument("--if-none", action="store_true", help="Do nothing where one was trained before.")
        parser.add_argument("--queue", action="store_true", help="Let the worker do it, in the background.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked, showing each step."""
        if options["if_none"] and Reranker.objects.exclude(state=Reranker.State.FAILED).exists():
            self.stdout.write("A cross-encoder was trained before.")
        elif options["queue"]:
            tasks.train_reranker.delay(minutes=options["minutes"])
            self.stdout.write("The worker will train it.")
        else:
            self._work(options)

    def _work(self, options: dict[str, Any]) -> None:
        plan = Plan(
            as_of=options["as_of"],
            minutes=options["minutes"],
            pairs=options["pairs"],
            seed=options["seed"],
            activate=not options["no_activate"],
        )
        try:
            with Steps(quiet=options["verbosity"] == 0) as steps:
                if options["scores_only"]:
                    scored = score_due_pairs(minutes=plan.minutes, progress=steps)
                else:
                    row = train_reranker(plan, steps)
        except NothingToLearnError as error:
            self.stdout.write(str(error))
            return
        except (AlreadyTrainingError, RerankerError) as error:
            raise CommandError(str(error)) from error
        if not options["scores_only"]:
            self._show(row)
        elif scored is None:
            self.stdout.write("No cross-encoder is in use: nothing to score.")
        else:
            left = "" if scored.finished else " More are due; run it again."
            self.stdout.write(f"{scored.pairs:,} pairs of {scored.products:,} products scored.{left}")

    def _show(self, row: Reranker) -> None:
        table = Table(title=f"{row} · learned from everything before {row.as_of:%Y-%m-%d %H:%M}", title_justify="left")
        for name in ("placement", "share of the score", "what was measured"):
            table.add_column(name)
        for name, chosen in row.placements.items():
            share = f"{chosen['share']:.0%}" if chosen["helps"] else "none"
            table.add_row(name, share, row.evidence[name]["says"])
        Console(file=self.stdout, width=140).print(table)  # type: ignore[arg-type]  # it writes as a file does
        figures = row.figures
        self.stdout.write(
            f"{figures['pairs']:,} pairs learned in {figures['seconds']:.0f} s; loss {figures['first_loss']} to"
            f" {figures['last_loss']}; {figures['pairs_scored']:,} pairs scored beforehand."
        )
        self.stdout.write(self.style.SUCCESS(f"{row} is {row.state}."))


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no number of minutes.") from error
    if not 0 < minutes <= 24 * 60:
        raise ArgumentTypeError("It must be more than 0, and at most a day.")
    return minutes
