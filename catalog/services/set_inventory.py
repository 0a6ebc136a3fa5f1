"""Set the stock of one product."""

from django.db.models.functions import Now

from catalog.models import Product


def set_inventory(*, product_id: str, stock_quantity: int | None) -> Product:
    """Set the stock (None: not tracked) and return the product; a trigger notes a rise from 0 in the same transaction.

    Raises `Product.DoesNotExist`.
    """
    product = Product.objects.filter(product_id=product_id)
    product.exclude(stock_quantity=stock_quantity).update(stock_quantity=stock_quantity, updated_at=Now())
    return product.get()
