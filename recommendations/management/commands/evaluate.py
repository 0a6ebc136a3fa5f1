"""`manage.py evaluate`: how good the lists would have been, measured on what shoppers did next."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommendations.contracts import Placement
from recommendations.evaluation.cases import Task
from recommendations.evaluation.evaluate import Plan, VersionGoneError, evaluate
from recommendations.evaluation.reports import METRIC_TITLES, TASK_TITLES, cases_in_words, rows_of, write_reports
from recommendations.evaluation.split import NothingToEvaluateError
from recommendations.management.arguments import add_as_of
from recommendations.management.progress import Steps
from recommendations.models import Evaluation
from reemio.bootstrap import state_dir


class Command(BaseCommand):
    """Train as of a moment, ask the pipeline, and compare with what happened after it."""

    help = "Measure the engine and simple baselines on held-out events."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the moment, the placements, and how much to measure."""
        add_as_of(parser)
        parser.add_argument(
            "--placement",
            action="append",
            choices=[one.value for one in Placement],
            help="May be repeated. Default: all.",
        )
        parser.add_argument(
            "--limit-cases", type=int, metavar="N", help="At most N cases of each task, drawn by the seed."
        )
        parser.add_argument("--seed", type=int, default=0, help="Decides what is hidden and drawn. Default: 0.")
        parser.add_argument("--retrain", action="store_true", help="Train even if a version of that moment is kept.")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="Where the reports go. Default: .reemio/evaluations."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate, showing each step; print the tables and write the reports."""
        chosen = options["placement"] or [one.value for one in Placement]
        plan = Plan(
            as_of=options["as_of"],
            tasks=[task for task in Task if task.placement.value in chosen],
            most=_positive(options["limit_cases"]),
            seed=options["seed"],
            train_anew=options["retrain"],
        )
        try:
            with Steps(quiet=options["verbosity"] == 0) as steps:
                found = evaluate(plan, steps)
        except NothingToEvaluateError as error:
            self.stdout.write(str(error))
            return
        except VersionGoneError as error:
            raise CommandError(str(error)) from error
        self._show(found)
        self._write(found, options["out"] or state_dir() / "evaluations")

    def _show(self, found: Evaluation) -> None:
        console = Console(file=self.stdout, width=220)  # type: ignore[arg-type]  # it writes as a file does
        results = found.results
        console.print(f"{found} · version {found.model_version} · as of {results['as_of']} · {found.seconds:.0f} s")
        for task in results["tasks"]:
            title = f"{TASK_TITLES[task['task']]}: {task['asked']} {cases_in_words(task)}"
            if not task["methods"]:
                console.print(title)
                continue
            table = Table(title=title, title_justify="left")
            for name in ("method", *METRIC_TITLES.values(), "Coverage", "Reemio's lead, NDCG@10"):
                table.add_column(name)
            for row in rows_of(task):
                table.add_row(*row)
            console.print(table)

    def _write(self, found: Evaluation, folder: Path) -> None:
        try:
            markdown, figures = write_reports(found, folder)
        except OSError as error:
            raise CommandError(
                f"{found} is kept in the admin, but its reports could not be written: {error}"
            ) from error
        self.stdout.write(self.style.SUCCESS(f"Reports: {markdown} and {figures}"))


def _positive(most: int | None) -> int | None:
    if most is not None and most < 1:
        raise CommandError("--limit-cases must be at least 1.")
    return most
