"""`manage.py demo`: the whole product on this machine, in its real processes, with made-up data.

1. Make sure that it is the only one, and that its port is free.
2. Start the private servers.
3. Prepare the data, in a process that ends and gives its memory back.
4. Run web, worker and beat; once they are ready, say where to look, and let the worker train a reranker.
5. On Ctrl-C or SIGTERM stop them, then the private servers.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from honcho.environ import parse_procfile
from honcho.manager import Manager
from rich.console import Console
from rich.panel import Panel

from reemio.bootstrap import BASE_DIR, start_servers, state_dir
from reemio.embedded import servers
from reemio.embedded.processes import EmbeddedServerError
from reemio.management.alone import MARK, only_one, port_is_free
from reemio.management.commands.demo_data import PASSWORD_FILE, admin_name
from reemio.management.steps import step

PROCFILE = BASE_DIR / "reemio" / "demo" / "Procfile"
READY_SECONDS = 300
RERANKER_MINUTES = "3"


class Command(BaseCommand):
    """Run the demo until it is told to stop."""

    help = "Run the demo shop: private servers, data, web, worker and beat. HOST and PORT say where (8000)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the five steps of the module's docstring."""
        self.console = Console()
        host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
        state = state_dir()
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            with ExitStack() as stack:
                stack.enter_context(only_one(state, port=port))
                port_is_free(host, port)
                with step(self.console, "Private servers"):
                    if start_servers():
                        stack.callback(self._stop_servers, state)
                self._prepare_data()
                returncode = self._run(state, host, port)
        except EmbeddedServerError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            returncode = 130
        sys.exit(0 if returncode in (0, 130, 143) else returncode)

    def _prepare_data(self) -> None:
        done = subprocess.run([sys.executable, "manage.py", "demo_data"], cwd=BASE_DIR, check=False)
        if done.returncode:
            raise CommandError("The data could not be prepared; the reason stands above.")

    def _run(self, state: Path, host: str, port: str) -> int:
        """Run the Procfile until one process ends or a signal comes; return the exit status."""
        environment = os.environ | {
            "HOST": host,
            "PORT": port,
            "PYTHONUNBUFFERED": "1",
            # About running as root, and folders that production has: nothing that a visitor of the demo can use.
            "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS") or "ignore",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            MARK: str(state),
        }
        manager = Manager()
        for name, command in parse_procfile(PROCFILE.read_text()).processes.items():
            manager.add_process(name, command, env=environment, cwd=str(BASE_DIR))
        threading.Thread(target=self._announce, args=(state, host, port), daemon=True).start()
        manager.loop()
        return int(manager.returncode or 0)

    def _announce(self, state: Path, host: str, port: str) -> None:
        """Wait for /readyz, then say where to look; runs beside the manager."""
        address = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  compared, not bound
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.5)
            if _answers(f"http://{address}:{port}/readyz"):
                self.console.print(_banner(state, port))
                _train_reranker()
                return
        self.console.print(f"Not ready after {READY_SECONDS} s; http://{address}:{port}/readyz says what is missing.")

    def _stop_servers(self, state: Path) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with step(self.console, "Private servers stopped"):
            servers.stop_all(state)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  our own address
            return bool(response.status == 200)
    except OSError:
        return False


def _train_reranker() -> None:
    """Hand the training to the worker, unless it was done before: the site is up, and stays responsive meanwhile."""
    command = [sys.executable, "manage.py", "train_reranker", "--queue", "--if-none", "--minutes", RERANKER_MINUTES]
    subprocess.run(command, cwd=BASE_DIR, check=False, stdout=subprocess.DEVNULL)  # noqa: S603  our own command


def _banner(state: Path, port: str) -> Panel:
    file = state / PASSWORD_FILE
    password = os.environ.get("DJANGO_SUPERUSER_PASSWORD") or (file.read_text() if file.exists() else "as you set it")
    lines = [
        f"Shop       http://localhost:{port}/",
        f"Admin      http://localhost:{port}/admin/",
        f"           sign in as {admin_name()} with the password {password}",
        f"Mails      http://localhost:{port}/admin/campaigns/receivedmail/",
        f"API docs   http://localhost:{port}/api/docs/",
        "",
        "Ctrl-C stops everything.",
    ]
    return Panel.fit("\n".join(lines), title="Reemio is ready", border_style="green", highlight=False)
