"""`manage.py check_integration`: does the shop send what it should? A line for each thing, PASS or FAIL."""

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.text import Text

from analytics.integration.checks import check_integration
from analytics.integration.findings import Finding, Window, passes


class Command(BaseCommand):
    """Look at the last days' data, and report; exit with 1 where anything is wrong."""

    help = "Verify the shop's integration against the data of the last days: each line PASS or FAIL, with examples."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say how far to look back."""
        parser.add_argument("--days", type=int, default=7, choices=range(1, 91), metavar="1..90", help="default: 7")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks and print their findings."""
        # A day ahead: events of a clock that is ahead are what one of the checks is about.
        now = timezone.now()
        findings = check_integration(Window(now - timedelta(days=options["days"]), now + timedelta(days=1)))
        console = Console(file=self.stdout, highlight=False, soft_wrap=True)  # type: ignore[arg-type]  # has `write`
        for finding in findings:
            _print(console, finding)
        days = "day" if options["days"] == 1 else f"{options['days']} days"
        wrong = sum(not finding.passed for finding in findings)
        console.print()
        if passes(findings):
            console.print(f"All {len(findings)} checks pass, for the last {days}.")
            return
        console.print(f"{wrong} of {len(findings)} checks fail, for the last {days}. Read docs/integration.md.")
        sys.exit(1)


def _print(console: Console, finding: Finding) -> None:
    mark = Text("PASS", "bold green") if finding.passed else Text("FAIL", "bold red")
    console.print(mark, Text(f"{finding.name:<25}"), Text(finding.said))
    for example in finding.examples:
        console.print(Text(f"       such as: {example}", "dim"))
    if finding.advice:
        console.print(Text(f"       → {finding.advice}", "yellow"))
