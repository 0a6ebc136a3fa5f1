"""`manage.py embedded status|start|stop|env`: look after the private PostgreSQL and Redis."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reemio.bootstrap import start_servers, state_dir
from reemio.embedded import servers
from reemio.embedded.processes import EmbeddedServerError


class Command(BaseCommand):
    """Show, start or stop the private servers, or print their addresses as shell variables."""

    help = "Look after the private PostgreSQL and Redis: status, start, stop, or env (prints their addresses)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the one word that says what to do."""
        parser.add_argument("action", choices=["status", "start", "stop", "env"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Do it, and say what was done."""
        try:
            getattr(self, f"_{action}")()
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error

    def _status(self) -> None:
        for name, address in servers.running(state_dir()).items():
            self.stdout.write(f"{name:<10} {address or 'not running'}")

    def _start(self) -> None:
        started = start_servers()
        if not started:
            self.stdout.write("Nothing to start: the environment names a database and a Redis.")
        self._status()

    def _stop(self) -> None:
        stopped = servers.stop_all(state_dir())
        self.stdout.write(f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was running.")

    def _env(self) -> None:
        for name, address in servers.running(state_dir()).items():
            if address:
                variable = {"PostgreSQL": "DATABASE_URL", "Redis": "REDIS_URL"}[name]
                self.stdout.write(f"export {variable}='{address}'")
