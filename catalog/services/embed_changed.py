"""Embed the products whose text is new or has changed."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from catalog import embedding
from catalog.models import EmbeddingDue, Product, ProductEmbedding

BATCH = 256
TEXTS = ("pk", "title", "category", "brand", "description")

# Products whose vector is missing, or was made by another model than the one configured now.
OUTDATED = f"""
INSERT INTO {EmbeddingDue._meta.db_table} (product_id)
SELECT p.id FROM {Product._meta.db_table} p LEFT JOIN {ProductEmbedding._meta.db_table} e ON e.product_id = p.id
WHERE e.model IS DISTINCT FROM %s
AND NOT EXISTS (SELECT 1 FROM {EmbeddingDue._meta.db_table} d WHERE d.product_id = p.id)
"""  # noqa: S608  made of our own table names


def embed_changed(*, batch_size: int = BATCH, on_progress: Callable[[int], None] | None = None) -> int:
    """Embed what is due and return how many vectors were written; `on_progress` hears of each batch's products.

    1. Take a batch of notes, passing over those that another embedder holds.
    2. Leave out products whose vector was made from this very text.
    3. Encode the others.
    4. Store the vectors of texts that are still the same, and delete the notes.

    Killed at any point, the notes are free again. Any number may run side by side.
    """
    written = 0
    while True:
        with transaction.atomic():
            notes = _take(batch_size)
            if not notes:
                return written
            products = sorted({product for _, product in notes})
            written += _embed(products)
            EmbeddingDue.objects.filter(pk__in=[note for note, _ in notes]).delete()
        if on_progress:
            on_progress(len(products))


def queue_outdated() -> int:
    """Note every product without a vector of the configured model, and return how many were noted.

    Reads both tables once: for a nightly run, not for every minute.
    """
    with connection.cursor() as cursor:
        cursor.execute(OUTDATED, [settings.EMBEDDING_MODEL])
        return int(cursor.rowcount)


def _take(size: int) -> list[tuple[int, int]]:
    """Lock the oldest free notes and return them as (note, product)."""
    free = EmbeddingDue.objects.select_for_update(skip_locked=True).order_by("pk")
    return list(free.values_list("pk", "product_id")[:size])


def _embed(products: Sequence[int]) -> int:
    known = dict(ProductEmbedding.objects.filter(product_id__in=products).values_list("product_id", "text_hash"))
    due = Product.objects.filter(pk__in=products).order_by("product_id").only(*TEXTS)
    texts = {product.pk: embedding.text_of(product) for product in due}
    stale = {pk: text for pk, text in texts.items() if known.get(pk) != embedding.digest_of(text)}
    if not stale:
        return 0
    vectors = embedding.encode(list(stale.values()))
    # The model took a while. With the rows locked, no text changes between this look and the vectors' commit;
    # one that has changed meanwhile left a note of its own, which whoever takes it next will find.
    locked = Product.objects.filter(pk__in=stale).select_for_update(no_key=True).order_by("product_id").only(*TEXTS)
    current = {product.pk for product in locked if embedding.text_of(product) == stale[product.pk]}
    rows = [
        ProductEmbedding(
            product_id=pk,
            vector=vector,
            text_hash=embedding.digest_of(text),
            model=settings.EMBEDDING_MODEL,
            updated_at=Now(),
        )
        for (pk, text), vector in zip(stale.items(), vectors, strict=True)
        if pk in current
    ]
    ProductEmbedding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["product"],
        update_fields=["vector", "text_hash", "model", "updated_at"],
    )
    return len(rows)
