"""“Notify me”: remember that somebody wants to be told when a product is back."""

from dataclasses import dataclass

from django.db import connection

from campaigns.identities import address_hash
from campaigns.models import StockAlert
from catalog.models import Product

ASK = f"""
INSERT INTO {StockAlert._meta.db_table} (product_id, user_id, email, address_hash) VALUES (%s, %s, %s, %s)
ON CONFLICT (product_id, user_id, address_hash) WHERE used_at IS NULL DO NOTHING
"""  # noqa: S608  our own table's name


@dataclass(frozen=True, slots=True)
class Asked:
    """The product, and whether this request is a new one; a repeat while the first one waits is not."""

    product: Product
    is_new: bool


def ask_to_be_told(*, product_id: str, user_id: str = "", email: str = "") -> Asked:
    """Remember the request of a user, or of a visitor by address; twice is the same as once.

    One mail uses it up. Raises `Product.DoesNotExist`.
    """
    product = Product.objects.get(product_id=product_id)
    # A user's address is read from their profile when the mail is made; only a visitor's has to be kept.
    values: list[int | str] = [product.pk, user_id, "" if user_id else email, "" if user_id else address_hash(email)]
    with connection.cursor() as cursor:
        cursor.execute(ASK, values)
        return Asked(product, cursor.rowcount == 1)
