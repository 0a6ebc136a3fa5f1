"""`manage.py mailbox`: the local mail server, until it is told to stop."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from campaigns.mailbox import serve


class Command(BaseCommand):
    """Keep mails that are sent to this machine's mailbox."""

    help = "Listen for mails on 127.0.0.1 and keep them for the admin to show; nothing is passed on."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the argument."""
        parser.add_argument("--port", type=int, help="Where to listen (default: REEMIO_MAILBOX_PORT).")

    def handle(self, *, port: int | None, **options: Any) -> None:
        """Listen until SIGTERM or Ctrl-C."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        port = port or settings.REEMIO_MAILBOX_PORT
        try:
            controller = serve(port)
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used: {error}. Set REEMIO_MAILBOX_PORT.") from error
        self.stdout.write(f"Mailbox on 127.0.0.1:{port}")
        stop.wait()
        controller.stop()
