"""`manage.py train`: learn popularity, neighbours and bought-together from the events, as a new model version."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommendations.learning.engines.contract import EngineError
from recommendations.learning.train import train
from recommendations.management.arguments import add_as_of
from recommendations.management.progress import steps


class Command(BaseCommand):
    """Train a new model version and make it the one that answers."""

    help = "Learn from all events and make the outcome the active model version."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the moment to train for, and whether to activate."""
        add_as_of(parser)
        parser.add_argument("--no-activate", action="store_true", help="Keep the version, but let the old one answer.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, showing each step."""
        try:
            with steps(self.stdout) as step:
                version = train(as_of=options["as_of"], activate=not options["no_activate"], progress=step)
        except EngineError as error:
            raise CommandError(str(error)) from error
        figures = ", ".join(f"{name} {value:,}" for name, value in version.figures.items() if "seconds" not in name)
        self.stdout.write(self.style.SUCCESS(f"{version} is {version.state}: {figures}"))
