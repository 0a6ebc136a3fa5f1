"""What happened to products, and what was sold: whole, and in detail by placement, strategy and device."""

from analytics.lines import ORDER_LINES
from analytics.rollups.sources.fragments import PART, WITHIN

# Read once, for two tables of counts. A list may be a moment behind a stock that has just run out.
OF_PRODUCTS = f"""
CREATE TEMPORARY TABLE of_products ON COMMIT DROP AS
WITH shown AS (
    SELECT {PART.format("s.served_at")} AS starts_at, served_at, placement, strategy, product_id
    FROM served_lists s CROSS JOIN LATERAL unnest(s.products) AS product_id WHERE {WITHIN.format("s.served_at")}
)
SELECT starts_at, placement, strategy, device, product_id, sum(views) AS views, sum(cart_adds) AS cart_adds,
    sum(recommended) AS recommended, sum(impressions) AS impressions, sum(clicks) AS clicks,
    sum(mail_impressions) AS mail_impressions, sum(mail_clicks) AS mail_clicks, sum(out_of_stock) AS out_of_stock
FROM (
    SELECT {PART.format("occurred_at")} AS starts_at, '' AS placement, '' AS strategy,
        coalesce(extra_data ->> 'device', '') AS device, product_id,
        count(*) FILTER (WHERE interaction_type = 'view') AS views,
        count(*) FILTER (WHERE interaction_type = 'cart_add') AS cart_adds,
        0 AS recommended, 0 AS impressions, 0 AS clicks, 0 AS mail_impressions, 0 AS mail_clicks, 0 AS out_of_stock
    FROM user_interactions WHERE interaction_type IN ('view', 'cart_add') AND {WITHIN.format("occurred_at")}
    GROUP BY 1, 4, 5
    UNION ALL
    SELECT starts_at, placement, strategy, '', product_id, 0, 0, count(*), 0, 0, 0, 0, 0 FROM shown GROUP BY 1, 2, 3, 5
    UNION ALL
    SELECT starts_at, placement, strategy, device, product_id, 0, 0, 0,
        count(*) FILTER (WHERE kind = 'recommendation_view'), count(*) FILTER (WHERE kind = 'recommendation_click'),
        count(*) FILTER (WHERE kind = 'recommendation_view' AND context = 'email'),
        count(*) FILTER (WHERE kind = 'recommendation_click' AND context = 'email'), 0
    FROM told GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT shown.starts_at, shown.placement, shown.strategy, '', shown.product_id, 0, 0, 0, 0, 0, 0, 0, count(*)
    FROM catalog_unavailability out JOIN catalog_product p ON p.id = out.product_id
    JOIN shown ON shown.product_id = p.product_id AND shown.served_at > out.began_at + interval '2 seconds'
        AND (out.ended_at IS NULL OR shown.served_at < out.ended_at)
    WHERE out.began_at < %(end)s AND (out.ended_at IS NULL OR out.ended_at > %(begin)s)
    GROUP BY 1, 2, 3, 5
) AS counted GROUP BY starts_at, placement, strategy, device, product_id
"""  # noqa: S608  made of our own constants

PRODUCTS = """
SELECT starts_at, product_id, sum(views) AS views, sum(cart_adds) AS cart_adds, sum(recommended) AS recommended,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(mail_impressions) AS mail_impressions,
    sum(mail_clicks) AS mail_clicks, sum(out_of_stock) AS out_of_stock
FROM of_products GROUP BY starts_at, product_id
"""

PRODUCT_DETAILS = "SELECT * FROM of_products"

SOLD = f"""
CREATE TEMPORARY TABLE sold ON COMMIT DROP AS
SELECT {PART.format("occurred_at")} AS starts_at, device, product_id, currency, count(*) AS purchases,
    sum(units) AS units, sum(revenue) AS revenue
FROM ({ORDER_LINES.format(condition=WITHIN.format("i.occurred_at"))}) AS line
WHERE units > 0 GROUP BY 1, 2, 3, 4
"""  # noqa: S608  made of our own constants

SALES = """
SELECT starts_at, product_id, currency, sum(purchases) AS purchases, sum(units) AS units, sum(revenue) AS revenue
FROM sold GROUP BY starts_at, product_id, currency
"""

SALES_DETAILS = f"""
SELECT starts_at, placement, strategy, device, product_id, currency, sum(purchases) AS purchases, sum(units) AS units,
    sum(revenue) AS revenue, sum(conversions) AS conversions, sum(direct_revenue) AS direct_revenue
FROM (
    SELECT starts_at, '' AS placement, '' AS strategy, device, product_id, currency, purchases, units, revenue,
        0 AS conversions, 0 AS direct_revenue
    FROM sold
    UNION ALL
    SELECT {PART.format("c.purchased_at")}, coalesce(s.placement, ''), coalesce(s.strategy, ''),
        coalesce(click.extra_data ->> 'device', ''), c.product_id, c.currency, 0, 0, 0, 1, c.revenue
    FROM conversions c JOIN user_interactions click ON click.id = c.click_id
    LEFT JOIN served_lists s ON s.request_id = c.request_id
    WHERE {WITHIN.format("c.purchased_at")} AND c.kind = 'direct' AND c.units > 0
) AS counted GROUP BY starts_at, placement, strategy, device, product_id, currency
"""  # noqa: S608  made of our own constants
