"""Order lines as SQL: what was bought, less what came back, and what it earned; for all who count purchases."""

# `{condition}` chooses the purchases, as `i`. A product's own price and currency stand in for those an event lacks. Of
# two lines with one product in one order, a refund takes from the earlier one first.
ORDER_LINES = """
SELECT i.id, i.user_id, i.session_id, i.product_id, i.order_id, i.occurred_at,
    coalesce(i.extra_data ->> 'device', '') AS device,
    kept.units, round(kept.units * coalesce(i.unit_price, p.price, 0), 2) AS revenue,
    coalesce(nullif(i.currency, ''), nullif(p.currency, ''), %(currency)s) AS currency
FROM user_interactions i
LEFT JOIN catalog_product p ON p.product_id = i.product_id
LEFT JOIN LATERAL (
    SELECT bool_or(cardinality(r.products) = 0 OR item.quantity = 0) AS whole, sum(item.quantity) AS units
    FROM order_refunds r
    LEFT JOIN LATERAL unnest(r.products, r.quantities) AS item (product_id, quantity) ON item.product_id = i.product_id
    WHERE r.order_id = i.order_id AND (cardinality(r.products) = 0 OR item.product_id IS NOT NULL)
    HAVING count(*) > 0
) refund ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(coalesce(e.quantity, 1)), 0) AS units FROM user_interactions e
    WHERE e.interaction_type = 'purchase' AND e.order_id = i.order_id AND e.product_id = i.product_id AND e.id < i.id
) before ON refund.whole IS NOT NULL
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN refund.whole IS NULL THEN coalesce(i.quantity, 1)
        WHEN refund.whole THEN 0
        ELSE coalesce(i.quantity, 1)
            - least(coalesce(i.quantity, 1), greatest(0, coalesce(refund.units, 0) - before.units))
    END::bigint AS units
) kept
WHERE i.interaction_type = 'purchase' AND {condition}
"""
