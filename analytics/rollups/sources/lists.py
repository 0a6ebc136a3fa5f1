"""What was told of lists, what they did and earned, and how long they took."""

from analytics.rollups.sources.fragments import CONTEXT, DIMENSIONS, LAST_POSITION, LIST, PART, QUERY, WITHIN

# Whatever was told of the same lists at other times: what came before counts there, not here; what came after counts
# here, and where it was counted so far is due for a recount.
OUTSIDE = f"""
CREATE TEMPORARY TABLE outside ON COMMIT DROP AS
SELECT asked.recommendation_request_id AS request_id, e.interaction_type AS kind, e.product_id, e.occurred_at
FROM (
    SELECT DISTINCT recommendation_request_id FROM user_interactions
    WHERE interaction_type IN ('recommendation_view', 'recommendation_click') AND {WITHIN.format("occurred_at")}
) asked CROSS JOIN LATERAL (
    SELECT interaction_type, product_id, occurred_at FROM user_interactions e
    WHERE e.recommendation_request_id = asked.recommendation_request_id
        AND interaction_type IN ('recommendation_view', 'recommendation_click')
        AND (occurred_at < %(begin)s OR occurred_at >= %(end)s)
    OFFSET 0
) e
"""  # noqa: S608  made of our own constants

TOLD = f"""
CREATE TEMPORARY TABLE told ON COMMIT DROP AS
WITH happened AS (
    SELECT DISTINCT ON (recommendation_request_id, product_id, interaction_type)
        id, interaction_type AS kind, recommendation_request_id AS request_id, product_id, occurred_at,
        recommendation_context, recommendation_position, coalesce(extra_data ->> 'device', '') AS device,
        coalesce('u' || user_id, 's' || session_id) AS person
    FROM user_interactions
    WHERE interaction_type IN ('recommendation_view', 'recommendation_click') AND {WITHIN.format("occurred_at")}
    ORDER BY recommendation_request_id, product_id, interaction_type, occurred_at, id
)
SELECT {PART.format("h.occurred_at")} AS starts_at, kind, h.request_id, h.product_id, h.device, h.occurred_at,
    {CONTEXT.format("h.recommendation_context")} AS context, {LIST},
    least(coalesce(array_position(s.products, h.product_id), h.recommendation_position, 0), {LAST_POSITION})::smallint
        AS position,
    CASE WHEN s.placement = 'search' THEN {QUERY.format("coalesce(s.anchors[1], '')")} END AS query,
    kind = 'recommendation_view' AND row_number() OVER (
        PARTITION BY kind, {PART.format("h.occurred_at")}, h.person, h.product_id ORDER BY h.occurred_at, h.id
    ) = 1 AS is_unique
FROM happened h LEFT JOIN served_lists s ON s.request_id = h.request_id
WHERE NOT EXISTS (
    SELECT FROM outside o WHERE o.request_id = h.request_id AND o.kind = h.kind AND o.product_id = h.product_id
        AND o.occurred_at < %(begin)s
)
"""  # noqa: S608  made of our own constants

TOUCH_LATER = f"""
INSERT INTO touched_parts (starts_at)
SELECT DISTINCT {PART.format("o.occurred_at")} FROM outside o JOIN told USING (request_id, kind, product_id)
WHERE o.occurred_at >= %(end)s
"""  # noqa: S608  made of our own constants

RECOMMENDATIONS = f"""
WITH served AS (
    SELECT {PART.format("served_at")} AS starts_at, {CONTEXT.format("''")} AS context, {LIST},
        cardinality(products) AS size, asked_for, count(*) AS lists
    FROM served_lists s WHERE {WITHIN.format("served_at")} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT starts_at, {DIMENSIONS}, sum(lists) AS lists, sum(empty_lists) AS empty_lists, sum(asked) AS asked,
    sum(filled) AS filled, sum(items) AS items, sum(impressions) AS impressions,
    sum(unique_impressions) AS unique_impressions, sum(clicks) AS clicks
FROM (
    SELECT starts_at, context, placement, strategy, variant, campaign, 0::smallint AS position, '' AS device,
        lists, CASE WHEN size = 0 THEN lists ELSE 0 END AS empty_lists, coalesce(asked_for, 0) * lists AS asked,
        CASE WHEN asked_for IS NULL THEN 0 ELSE size * lists END AS filled,
        0 AS items, 0 AS impressions, 0 AS unique_impressions, 0 AS clicks
    FROM served
    UNION ALL
    SELECT starts_at, context, placement, strategy, variant, campaign, least(place, {LAST_POSITION})::smallint, '',
        0, 0, 0, 0, lists, 0, 0, 0
    FROM served CROSS JOIN LATERAL generate_series(1, size) AS place
    UNION ALL
    SELECT starts_at, {DIMENSIONS}, 0, 0, 0, 0, 0,
        (kind = 'recommendation_view')::int, is_unique::int, (kind = 'recommendation_click')::int
    FROM told
) AS counted GROUP BY starts_at, {DIMENSIONS}
"""  # noqa: S608  made of our own constants

EARNINGS = f"""
SELECT {PART.format("c.purchased_at")} AS starts_at, {CONTEXT.format("click.recommendation_context")} AS context,
    {LIST},
    least(
        coalesce(array_position(s.products, click.product_id), click.recommendation_position, 0), {LAST_POSITION}
    )::smallint AS position,
    coalesce(click.extra_data ->> 'device', '') AS device, c.currency,
    count(*) FILTER (WHERE kind = 'direct' AND units > 0) AS conversions,
    count(*) FILTER (WHERE kind = 'assisted' AND units > 0) AS assisted_lines,
    coalesce(sum(revenue) FILTER (WHERE kind = 'direct'), 0) AS direct_revenue,
    coalesce(sum(revenue) FILTER (WHERE kind = 'assisted'), 0) AS assisted_revenue
FROM conversions c JOIN user_interactions click ON click.id = c.click_id
LEFT JOIN served_lists s ON s.request_id = c.request_id
WHERE {WITHIN.format("c.purchased_at")} AND units > 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608  made of our own constants

# A list that was not timed says 0, and is left out.
LATENCIES = f"""
SELECT {PART.format("served_at")} AS starts_at, placement,
    least(greatest(ceil(8 * ln(milliseconds) / ln(2.0::float8)), -80), 200)::smallint AS bucket, count(*) AS lists
FROM served_lists WHERE {WITHIN.format("served_at")} AND milliseconds > 0 GROUP BY 1, 2, 3
"""  # noqa: S608  made of our own constants
