"""Bring one product into the mirror."""

from django.db import transaction

from catalog.models import Product
from catalog.rows import ProductRow
from catalog.services.mirror_products import mirror_products


@transaction.atomic
def upsert_product(*, row: ProductRow) -> tuple[Product, bool]:
    """Insert or replace the product; return it and whether it is new."""
    counts = mirror_products([row])
    return Product.objects.get(product_id=row.product_id), counts.new == 1
