"""The catalogue's background work. Each task may be lost, repeated, or run beside itself."""

import structlog
from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from catalog.models import EmbeddingDue
from catalog.services.embed_changed import embed_changed, queue_outdated
from catalog.services.sync_catalog import SyncRunningError, sync_catalog
from catalog.sources import SourceError
from catalog.sources.http import HttpSource

log = structlog.get_logger(__name__)


@shared_task(name="catalog.embed_missing_products")
def embed_missing_products() -> None:
    """Embed what is due: a tick of beat, and called after each push."""
    if EmbeddingDue.objects.exists():
        log.info("products_embedded", products=embed_changed())


@shared_task(name="catalog.sync_products_nightly")
def sync_products_nightly() -> None:
    """Read the whole catalogue of the shop's API, where one is configured, and embed what no vector fits."""
    if settings.ECOMMERCE_API_URL:
        _sync(full=True)
    queue_outdated()
    embed_missing_products()


@shared_task(name="catalog.sync_products_now")
def sync_products_now() -> None:
    """Read the shop's changes; the admin's button."""
    if settings.ECOMMERCE_API_URL:
        _sync(full=False)
    embed_missing_products()


def wake_embedder() -> None:
    """Ask a worker to embed now. Without a broker nothing is lost: the next tick finds the same."""
    try:
        embed_missing_products.apply_async(retry=False)
    except OperationalError as error:
        log.warning("embedder_not_woken", error=str(error))


def _sync(*, full: bool) -> None:
    try:
        sync = sync_catalog(HttpSource(), full=full, wait=False)
    except SyncRunningError:
        log.info("catalog_sync_skipped", reason="another run is going on")
    except SourceError as error:
        log.warning("catalog_sync_failed", error=str(error))
    else:
        log.info("catalog_synced", state=sync.state, new=sync.new, changed=sync.changed, vanished=sync.vanished)
