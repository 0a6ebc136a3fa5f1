"""`manage.py demo_data`: everything that the demo shop stands on; what is there already is left alone."""

import os
import secrets
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console

from recommendations.models import ModelVersion
from reemio.bootstrap import BASE_DIR, state_dir
from reemio.demo.keys import ensure_key
from reemio.demo.mail import prepare_mail
from reemio.management.steps import step

CATALOGUE = BASE_DIR / "reemio" / "demo" / "catalogue.csv"
PASSWORD_FILE = "admin-password"  # noqa: S105  a file's name


class Command(BaseCommand):
    """Migrate, load the bundled catalogue, make shoppers, train, and make the admin's account."""

    help = "Prepare the demo: tables, catalogue, shoppers, a trained model and an admin account. Repeatable."
    # The tables may not be there yet.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the steps in order; each does nothing where it was done before."""
        if settings.PRODUCTION:
            raise CommandError("This is production (APP_ENV): made-up shoppers do not belong here.")
        console = Console(file=sys.stdout)  # this one, though the commands' own reports are put aside
        with step(console, "Tables"):
            quietly("migrate", interactive=False)
        with step(console, "Catalogue"):
            quietly("sync_products", source="file", path=CATALOGUE)
        if ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).exists():
            console.print("[green]✓[/green] Shoppers and training [dim](done before)[/dim]")
        else:
            with step(console, "Shoppers and their history"):
                quietly("seed_dummy_data")
            with step(console, "Training"):
                quietly("train")
            with step(console, "What recommendations earned"):
                quietly("rollup")
        with step(console, "E-mail campaigns") as notes:
            notes.append(f"{prepare_mail(now=timezone.now())} planned")
        with step(console, "Admin account"):
            ensure_admin(state_dir() / PASSWORD_FILE)
        with step(console, "The shop's publishable key"):
            ensure_key()


def quietly(command: str, **options: Any) -> None:
    """Run a command without its report: the steps are the report here."""
    with redirect_stdout(StringIO()):
        call_command(command, verbosity=0, **options)


def ensure_admin(password_file: Path) -> None:
    """Make the account that signs in to the admin, unless it is there.

    `DJANGO_SUPERUSER_USERNAME` and `DJANGO_SUPERUSER_PASSWORD` are honoured, and win over an earlier password.
    Without them a password is made up and kept in `password_file`, readable by its owner only.
    """
    username, given = admin_name(), os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        user = get_user_model().objects.create_superuser(username=username, email="admin@example.com")
        user.set_password(given or _made_up(password_file))
        user.save(update_fields=["password"])
    elif given and not user.check_password(given):
        user.set_password(given)
        user.save(update_fields=["password"])


def admin_name() -> str:
    """Return the admin's user name, `admin` where the environment names none."""
    return os.environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"


def _made_up(password_file: Path) -> str:
    """Return the kept password, or make one up and keep it: a killed run may have kept one without an account."""
    if not password_file.exists():
        password_file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = password_file.with_suffix(".unfinished")
        with open(unfinished, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as handle:
            handle.write(secrets.token_urlsafe(12))
        unfinished.rename(password_file)
    return password_file.read_text().strip()
