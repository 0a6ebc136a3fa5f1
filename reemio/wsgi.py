"""The web process: `granian --interface wsgi reemio.wsgi:application`."""

import os

# A request has one thread; numpy's own would wait for each other over products of a tenth of a millisecond.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from reemio.bootstrap import prepare

prepare()

import threading  # noqa: E402  settings, and all that reads them, need the prepared environment

import structlog  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402

from reemio import observability  # noqa: E402

observability.set_up(process="web")
application = get_wsgi_application()

from catalog import embedding  # noqa: E402  models need the loaded apps
from recommendations import reranking  # noqa: E402
from recommendations.vectors import vectors  # noqa: E402


def _warm_up() -> None:
    """Load products, vectors and models, which /readyz waits for; requests that need none are answered meanwhile."""
    try:
        for load in (vectors.mark, embedding.warm_up, reranking.warm_up):
            try:
                load()
            except Exception:  # whatever it is: requests are answered without, and /readyz says what is not there
                structlog.get_logger(__name__).exception("warm_up_failed", what=load.__module__)
    finally:
        connection.close()


threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
