"""`manage.py tune`: find which signals and weights serve this shop, and adopt what is surely better."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommendations.learning import versions
from recommendations.learning.cuts import Face
from recommendations.learning.tuning import tune
from recommendations.management.arguments import add_as_of
from recommendations.management.progress import steps


class Command(BaseCommand):
    """Tune, or go back to the version before."""

    help = "Find the mix of signals that serves this shop best, on its own past; adopt what is surely better."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to tune, how long, and the seed of what is drawn."""
        choices = [face.value for face in Face]
        parser.add_argument("--placement", action="append", choices=choices, help="May be repeated. Default: all.")
        parser.add_argument("--minutes", type=float, default=15.0, help="The time budget. Default: 15.")
        parser.add_argument("--seed", type=int, default=0, help="Decides which cases are drawn. Default: 0.")
        parser.add_argument("--revert", action="store_true", help="Let the version before the active one answer again.")
        add_as_of(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Tune, showing each step and then each choice."""
        if options["revert"]:
            return self._revert()
        faces = [Face(name) for name in options["placement"] or [face.value for face in Face]]
        with steps(self.stdout) as step:
            tuned = tune(
                faces=faces, as_of=options["as_of"], minutes=options["minutes"], seed=options["seed"], progress=step
            )
        for face, choice in tuned.choices.items():
            mix = ", ".join(f"{code} {weight:+.3f}" for code, weight in sorted(choice.mix.items(), key=_by_size))
            self.stdout.write(f"{face}: {choice.why} {mix or 'The default blend stays.'}")
        self.stdout.write(self.style.SUCCESS(f"{tuned.version} is {tuned.version.state}."))
        return None

    def _revert(self) -> None:
        version = versions.revert()
        if version is None:
            raise CommandError("There is no earlier version to go back to.")
        self.stdout.write(self.style.SUCCESS(f"{version} answers again."))


def _by_size(pair: tuple[str, float]) -> float:
    return -abs(pair[1])
