"""Take one product out of every list, and keep its history."""

from django.db.models.functions import Now

from catalog.models import Product


def deactivate(*, product_id: str) -> None:
    """Deactivate the product, if it is not yet. Raises `Product.DoesNotExist`."""
    product = Product.objects.filter(product_id=product_id)
    if not product.filter(is_active=True).update(is_active=False, updated_at=Now()):
        product.get()
