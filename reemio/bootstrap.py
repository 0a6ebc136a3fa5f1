"""What every process does first: point Django at its settings and, where none is configured, start the private servers."""

import os
import sys
from pathlib import Path

from reemio.embedded import servers

BASE_DIR = Path(__file__).resolve().parent.parent

# These commands are asked before anything is running, or must not start anything.
WITHOUT_SERVERS = {"help", "--help", "-h", "version", "--version", "compilemessages", "makemessages", "embedded"}


def prepare() -> None:
    """Set `DJANGO_SETTINGS_MODULE`, read `.env`, and see to it that a database and a Redis answer.

    With no `POSTGRES_*` variable and no `DATABASE_URL`, a private PostgreSQL is started from a wheel; with no
    `REDIS_*` variable, a private Redis. Their addresses are put into this process' environment, so that
    settings, and every child process, find them where a configured server would be named.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reemio.settings")
    _read_dotenv()
    if len(sys.argv) > 1 and sys.argv[1] in WITHOUT_SERVERS:
        return
    if servers.wanted("POSTGRES_"):
        os.environ["DATABASE_URL"] = servers.postgres_url(state_dir())
    if servers.wanted("REDIS_"):
        os.environ["REDIS_URL"] = servers.redis_url(state_dir())


def state_dir() -> Path:
    """Return the folder that holds all state of the private servers, `.reemio/` in the checkout by default."""
    return Path(os.environ.get("REEMIO_STATE_DIR", BASE_DIR / ".reemio")).resolve()


def _read_dotenv() -> None:
    from environs import Env

    Env.read_env(BASE_DIR / ".env", recurse=False)
