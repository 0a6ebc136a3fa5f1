"""One run of a synchronisation: the mirror becomes what the source says."""

from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from catalog.models import CatalogSync, Product, SeenProduct
from catalog.rows import ProductRow, RowRefusedError, read_row, readable_id
from catalog.services.mirror_products import mirror_products
from catalog.sources import Page, PageRefusedError, Source, SourceError, SourceRow
from reemio.database.alone import alone

# "reemcata" as a number: the lock that one run of all holds, in whatever process.
LOCK = 0x7265656D63617461
KEPT_REFUSALS = 100
# A clock of the shop that is slow by less than this loses no change.
OVERLAP = timedelta(minutes=10)
RESUMABLE_FOR = timedelta(hours=24)

Refusal = dict[str, str]


class SyncRunningError(Exception):
    """Another synchronisation is running, and the caller did not want to wait."""


def sync_catalog(
    source: Source,
    *,
    full: bool,
    force: bool = False,
    wait: bool = True,
    on_page: Callable[[CatalogSync, float | None], None] = lambda sync, fraction: None,
    on_refusal: Callable[[Refusal], None] = lambda refusal: None,
) -> CatalogSync:
    """Read `source` into the mirror and return the run's record.

    1. Wait for the lock that one run of all holds (or raise `SyncRunningError`, without `wait`).
    2. Go on with the run that was interrupted, if this source can resume it, or begin a new one.
    3. Write page after page, each in a transaction with the counts and the point to resume at.
    4. After a complete full run deactivate what has vanished, unless that is more than half of what was active
       (state `STOPPED`; `force` does it all the same).

    With `full` off, a source that can is only asked for what changed since the last run that succeeded.
    Raises `SourceError` (the record says `FAILED`) where the source cannot be read.
    """
    with alone(LOCK, wait=wait) as had:
        if not had:
            raise SyncRunningError("Another synchronisation is running; this one did nothing.")
        sync = _resumed(source, full=full) or _begun(source, full=full)
        try:
            pages = source.pages(updated_since=sync.updated_since, resume_at=sync.resume_at)
            for page in pages:
                for refusal in _write(sync, page):
                    on_refusal(refusal)
                on_page(sync, page.fraction)
            _finish(sync, force=force)
        except BaseException as error:
            _fail(sync, error)
            raise
    return sync


def _resumed(source: Source, *, full: bool) -> CatalogSync | None:
    """Return the interrupted last run of this source and kind, if it can go on, and close all that cannot.

    Whoever holds the lock knows that every run still marked as running has died.
    """
    CatalogSync.objects.filter(state=CatalogSync.State.RUNNING).update(
        state=CatalogSync.State.FAILED, finished_at=Now(), message="Interrupted."
    )
    last = CatalogSync.objects.filter(source=source.name, location=source.location).first()
    if (
        last is None
        or last.state != CatalogSync.State.FAILED
        or not last.resume_at
        or last.started_at < timezone.now() - RESUMABLE_FOR
        or (full and last.updated_since is not None)
    ):
        return None
    last.state, last.finished_at, last.message = CatalogSync.State.RUNNING, None, ""
    last.save(update_fields=["state", "finished_at", "message"])
    return last


def _begun(source: Source, *, full: bool) -> CatalogSync:
    # What an older run had met is stale from here on, so that run cannot go on any more.
    CatalogSync.objects.exclude(resume_at="").update(resume_at="")
    SeenProduct.objects.all().delete()
    since = None
    if source.knows_changes and not full:
        good = CatalogSync.objects.filter(
            source=source.name, location=source.location, state=CatalogSync.State.SUCCEEDED
        ).first()
        since = good.started_at - OVERLAP if good else None
    active = Product.objects.filter(is_active=True).count()
    sync = CatalogSync.objects.create(
        source=source.name, location=source.location[:2000], updated_since=since, active_before=active
    )
    sync.refresh_from_db()
    return sync


@transaction.atomic
def _write(sync: CatalogSync, page: Page) -> list[Refusal]:
    """Mirror one page, and note in the same transaction how far the run has come; return what was refused."""
    rows, refusals = _read(page)
    counts = mirror_products(rows)
    if sync.updated_since is None:
        seen = {row.product_id for row in rows} | {refusal["product_id"] for refusal in refusals}
        SeenProduct.objects.bulk_create(
            [SeenProduct(sync=sync, product_id=product_id) for product_id in sorted(seen) if product_id],
            ignore_conflicts=True,
        )
    sync.new += counts.new
    sync.changed += counts.changed
    sync.unchanged += counts.unchanged
    sync.refused += len(refusals)
    sync.refusals = [*sync.refusals, *refusals][:KEPT_REFUSALS]
    sync.resume_at = page.resume_at
    sync.save(update_fields=["new", "changed", "unchanged", "refused", "refusals", "resume_at"])
    return refusals


def _read(page: Page) -> tuple[list[ProductRow], list[Refusal]]:
    rows, refusals = [], []
    for raw in page.rows:
        try:
            rows.append(_understood(raw))
        except RowRefusedError as error:
            # Its id counts as met: a product that is described badly has not vanished.
            product_id = readable_id(raw.fields or {})
            refusals.append({"place": raw.place, "product_id": product_id, "reason": str(error)})
    return rows, refusals


def _understood(raw: SourceRow) -> ProductRow:
    if raw.fields is None:
        raise RowRefusedError(raw.problem)
    return read_row(raw.fields)


def _finish(sync: CatalogSync, *, force: bool) -> None:
    """Deactivate what has vanished, and close the run: both or neither."""
    with transaction.atomic():
        if sync.updated_since is None and not _deactivate_vanished(sync, force=force):
            sync.state = CatalogSync.State.STOPPED
        else:
            sync.state = CatalogSync.State.SUCCEEDED
        sync.finished_at = timezone.now()
        sync.resume_at = ""
        sync.save(update_fields=["state", "finished_at", "resume_at", "vanished", "message"])
        sync.seen.all().delete()


def _deactivate_vanished(sync: CatalogSync, *, force: bool) -> bool:
    """Deactivate the active products that the run has not met; return False, touching none, if they are too many.

    What was written while the run went on is left alone: a push knew better than a page read before it.
    """
    met = SeenProduct.objects.filter(sync=sync).values("product_id")
    vanished = Product.objects.filter(is_active=True, updated_at__lt=sync.started_at).exclude(product_id__in=met)
    locked = list(vanished.select_for_update().order_by("product_id").values_list("pk", flat=True))
    if len(locked) * 2 > sync.active_before and not force:
        sync.message = (
            f"Stopped: {len(locked)} of {sync.active_before} active products are not in the source. "
            "Nothing was deactivated; run again with --force if that is right."
        )
        return False
    sync.vanished = Product.objects.filter(pk__in=locked).update(is_active=False, updated_at=Now())
    return True


def _fail(sync: CatalogSync, error: BaseException) -> None:
    """Record why the run ended, and leave it resumable unless its next page is refused for good."""
    if not connection.is_usable():
        return
    sync.refresh_from_db()
    sync.state = CatalogSync.State.FAILED
    sync.finished_at = timezone.now()
    sync.message = str(error) if isinstance(error, SourceError) else f"Crashed: {type(error).__name__}."
    if isinstance(error, PageRefusedError):
        sync.resume_at = ""
    sync.save(update_fields=["state", "finished_at", "message", "resume_at"])
