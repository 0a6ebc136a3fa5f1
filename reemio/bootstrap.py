"""What every process does first: find the settings and, where none is configured, the private servers."""

import os
import sys
from pathlib import Path

from reemio.embedded import servers
from reemio.embedded.processes import EmbeddedServerError

BASE_DIR = Path(__file__).resolve().parent.parent

# These commands are asked before anything is running, or see to the servers themselves.
WITHOUT_SERVERS = {
    "help",
    "--help",
    "-h",
    "version",
    "--version",
    "compilemessages",
    "makemessages",
    "embedded",
    "demo",
}


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
    try:
        start_servers()
    except EmbeddedServerError as error:
        sys.exit(f"reemio: {error}")


def start_servers() -> list[str]:
    """Start the private servers that are wanted, name them in the environment, and return those names.

    Raises `EmbeddedServerError` where one cannot be had.
    """
    named = []
    if servers.wanted("POSTGRES_"):
        os.environ["DATABASE_URL"] = servers.postgres_url(state_dir())
        named.append("DATABASE_URL")
    if servers.wanted("REDIS_"):
        os.environ["REDIS_URL"] = servers.redis_url(state_dir())
        named.append("REDIS_URL")
    return named


def state_dir() -> Path:
    """Return the folder of all state of the private servers, `.reemio/` in the checkout by default."""
    return Path(os.environ.get("REEMIO_STATE_DIR") or BASE_DIR / ".reemio").resolve()


def _read_dotenv() -> None:
    path = BASE_DIR / ".env"
    if path.exists():
        from environs import Env

        Env.read_env(str(path), recurse=False)  # type: ignore[arg-type]  # its stubs type it as a method
