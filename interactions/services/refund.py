"""Noting what came back of an order: cancelled, refunded or returned."""

from django.db import connection

from interactions.events import NewRefund

_STORE = """
INSERT INTO order_refunds (order_id, refund_id, products, quantities, occurred_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (order_id, refund_id) DO NOTHING
"""


def refund_order(refund: NewRefund) -> bool:
    """Note a refund; return whether it is new. A repeat of its id changes nothing, whatever it says.

    The order's lines may arrive later: analytics takes the refund off them whenever they are there.
    """
    lines = refund.lines
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            [refund.order_id, refund.refund_id, list(lines), list(lines.values()), refund.occurred_at],
        )
        return bool(cursor.rowcount)
