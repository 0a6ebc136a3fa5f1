"""The web process: `granian --interface wsgi reemio.wsgi:application`."""

from reemio.bootstrap import prepare

prepare()

import threading  # noqa: E402  settings, and all that reads them, need the prepared environment

import structlog  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from reemio import observability  # noqa: E402

observability.set_up(process="web")
application = get_wsgi_application()

from catalog import embedding  # noqa: E402  models need the loaded apps
from recommendations import reranking  # noqa: E402


def _warm_up() -> None:
    """Load the models, which /readyz waits for; requests that need none are answered meanwhile."""
    try:
        embedding.warm_up()
        reranking.warm_up()
    except Exception:
        structlog.get_logger(__name__).exception("warm_up_failed")


threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
