"""Can orders be told apart, added up, and counted once?"""

from analytics.integration.findings import Finding, Window, judge, measure

_BOUGHT = (
    "user_interactions AS e WHERE occurred_at >= %(since)s AND occurred_at < %(until)s "
    "AND interaction_type = 'purchase'"
)
_NONE = "No purchase yet."


def check_order_ids(window: Window) -> Finding:
    """Which lines were bought together?"""
    found = measure(
        f"""
        SELECT count(*), count(order_id),
            (array_agg(product_id || ', event ' || id ORDER BY id) FILTER (WHERE order_id IS NULL))[:%(most)s]
        FROM {_BOUGHT}
        """,  # noqa: S608
        window,
    )
    return judge(
        "Order ids", found, least=0.99, what="have an order id", of="purchases", none=_NONE,
        advice="Send order_id with each line: what is bought together is learned from it.",
    )  # fmt: skip


def check_prices(window: Window) -> Finding:
    """What did they earn?"""
    right = "unit_price IS NOT NULL AND quantity IS NOT NULL AND currency <> ''"
    found = measure(
        f"""
        SELECT count(*), count(*) FILTER (WHERE {right}),
            (array_agg(concat('order ', order_id, ', ', product_id) ORDER BY id)
                FILTER (WHERE NOT ({right})))[:%(most)s]
        FROM {_BOUGHT}
        """,  # noqa: S608
        window,
    )
    return judge(
        "Prices", found, least=0.99, what="have price, quantity and currency", of="purchases", none=_NONE,
        advice="Send unit_price, quantity and currency with each line: without them there is no revenue to attribute.",
    )  # fmt: skip


def check_currency_units(window: Window) -> Finding:
    """Are prices the catalogue's: neither cents instead of euros nor the line's total?"""
    found = measure(
        f"""
        SELECT count(*), count(*) FILTER (WHERE e.unit_price BETWEEN p.price / 10 AND p.price * 10),
            (array_agg(format('%%s bought for %%s, listed at %%s', e.product_id, e.unit_price, p.price) ORDER BY e.id)
                FILTER (WHERE e.unit_price NOT BETWEEN p.price / 10 AND p.price * 10))[:%(most)s]
        FROM {_BOUGHT.replace("AS e WHERE", "AS e JOIN catalog_product p USING (product_id) WHERE")}
            AND e.unit_price > 0 AND p.price > 0 AND e.currency = p.currency
        """,  # noqa: S608
        window,
    )
    return judge(
        "Prices fit the catalogue", found, least=0.98, what="are within a factor of ten of the catalogue's",
        of="purchases with both prices",
        advice="unit_price is for one piece, in the currency's main unit: 59.90, not 5990, and not the line's total.",
    )  # fmt: skip


def check_once(window: Window) -> Finding:
    """Is each line of an order told once?"""
    found = measure(
        f"""
        WITH lines AS (
            SELECT order_id, product_id, count(*) AS times FROM {_BOUGHT} AND order_id IS NOT NULL GROUP BY 1, 2
        )
        SELECT count(*), count(*) FILTER (WHERE times = 1),
            (array_agg(format('order %%s, %%s: %%s times', order_id, product_id, times) ORDER BY times DESC, order_id)
                FILTER (WHERE times > 1))[:%(most)s]
        FROM lines
        """,  # noqa: S608
        window,
    )
    return judge(
        "Orders count once", found, least=0.99, what="came once", of="order lines", none=_NONE,
        advice="One event_id for a line, wherever it is sent from: purchase:<order_id>:<product_id>, as in reemio.js.",
    )  # fmt: skip
