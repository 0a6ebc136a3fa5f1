"""`manage.py campaigns dry-run|run|status`: what would be sent, plan and send now, and how things stand."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.models import Campaign
from campaigns.sending.reaper import reap
from campaigns.sending.sender import send_due
from campaigns.services.dry_run import dry_run
from campaigns.services.figures import figures_of


class Command(BaseCommand):
    """Do by hand what beat's ticks do."""

    help = "dry-run: count who would get a mail now, and why not, by reason. run: plan and send once. status: figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("what", choices=["dry-run", "run", "status"])
        parser.add_argument("--campaign", choices=Kind.values, help="Only this one (default: all).")
        parser.add_argument("--most", type=int, default=1000, help="People looked at in a dry run (default: 1000).")

    def handle(self, *, what: str, campaign: str | None, most: int, **options: Any) -> None:
        """Dispatch."""
        if most < 1:
            raise CommandError("--most must be at least 1.")
        self.console = Console(file=self.stdout, width=None if self.stdout.isatty() else 110)  # type: ignore[arg-type]  # it writes, and knows whether it is a terminal
        kinds = [campaign] if campaign else list(Kind.values)
        if what == "run":
            self._run(kinds)
        elif what == "dry-run":
            self._dry_run(kinds, most)
        else:
            self._status(kinds)

    def _run(self, kinds: list[str]) -> None:
        now = timezone.now()
        reap(now=now)
        for kind in kinds:
            self.console.print(f"{Kind(kind).label}: {planners.plan(kind, now=now)} planned", highlight=False)
        self.console.print(f"{send_due(seconds=600)} handed to the provider", highlight=False)

    def _dry_run(self, kinds: list[str], most: int) -> None:
        for kind in kinds:
            found = dry_run(Campaign.objects.get(kind=kind), now=timezone.now(), most=most)
            table = Table("Verdict", "People", title=f"{Kind(kind).label}: {found.occasions} occasions now")
            for verdict, count in found.counts:
                table.add_row(verdict, f"{count:,}")
            self.console.print(table)

    def _status(self, kinds: list[str]) -> None:
        columns = ["Campaign", "Mode", "Planned", "Sent", "Unknown", "Failed", "Expired", "Skipped", "Most skipped for"]
        table = Table(*columns)
        for campaign in Campaign.objects.filter(kind__in=kinds):
            found = figures_of(campaign, now=timezone.now())
            most = found.reasons[0] if found.reasons else None
            table.add_row(
                str(campaign), campaign.mode, *(f"{found.states.get(name, 0):,}" for name in (
                    "planned", "sent", "unknown", "failed", "expired", "skipped"
                )),
                f"{most[0]} ({most[1]:,})" if most else "",
            )  # fmt: skip
        self.console.print(table)
