"""Events by type, and how far visits came."""

from analytics.rollups.sources.fragments import PART, WITHIN

LATE = "interval '1 hour'"

EVENTS = f"""
SELECT {PART.format("occurred_at")} AS starts_at, interaction_type, count(*) AS events,
    count(*) FILTER (WHERE i.product_id IS NOT NULL AND p.id IS NULL) AS unknown_products,
    count(*) FILTER (WHERE received_at - occurred_at > {LATE}) AS late
FROM user_interactions i LEFT JOIN catalog_product p ON p.product_id = i.product_id
WHERE {WITHIN.format("occurred_at")} AND interaction_type = ANY(%(kinds)s) GROUP BY 1, 2
"""  # noqa: S608  made of our own constants

# A visit only ever gets further: what is known of it already stays, so that a part can be counted by itself.
VISITS = f"""
INSERT INTO visits AS known (day, visit, steps, device, met)
SELECT %(day)s, md5(coalesce('s' || i.session_id, 'u' || i.user_id))::uuid, bit_or(CASE interaction_type
    WHEN 'view' THEN 1 WHEN 'recommendation_view' THEN 2 WHEN 'recommendation_click' THEN 4
    WHEN 'cart_add' THEN 8 WHEN 'purchase' THEN 16 ELSE 0 END),
    max(left(coalesce(extra_data ->> 'device', ''), 16)),
    coalesce(array_agg(DISTINCT s.placement || '/' || s.strategy
        || CASE interaction_type WHEN 'recommendation_click' THEN '!' ELSE '' END)
        FILTER (WHERE s.placement <> '' AND s.strategy <> ''), '{{}}')
FROM user_interactions i LEFT JOIN served_lists s ON s.request_id = i.recommendation_request_id
    AND interaction_type IN ('recommendation_view', 'recommendation_click')
WHERE {WITHIN.format("occurred_at")} AND interaction_type = ANY(%(kinds)s)
GROUP BY 2
ON CONFLICT (day, visit) DO UPDATE SET steps = known.steps | excluded.steps,
    device = greatest(known.device, excluded.device),
    met = ARRAY(SELECT DISTINCT one FROM unnest(known.met || excluded.met) AS one)
WHERE known.steps | excluded.steps <> known.steps OR excluded.device > known.device
    OR NOT known.met @> excluded.met
"""  # noqa: S608  made of our own constants

_STEPS = """
    count(*) AS visits, count(*) FILTER (WHERE steps & 1 > 0) AS viewed, {saw} AS saw, {clicked} AS clicked,
    count(*) FILTER (WHERE steps & 8 > 0) AS carted, count(*) FILTER (WHERE steps & 16 > 0) AS purchased
"""

FUNNEL = f"""
SELECT %(begin)s::timestamptz AS starts_at, device, '' AS placement, '' AS strategy,
    CASE WHEN steps & 4 > 0 THEN 'clicked' WHEN steps & 2 > 0 THEN 'saw' ELSE 'none' END AS segment,
    {_STEPS.format(saw="count(*) FILTER (WHERE steps & 2 > 0)", clicked="count(*) FILTER (WHERE steps & 4 > 0)")}
FROM visits WHERE day = %(day)s GROUP BY device, 5
UNION ALL
SELECT %(begin)s::timestamptz, device, placement, strategy, CASE WHEN clicked THEN 'clicked' ELSE 'saw' END,
    {_STEPS.format(saw="count(*) FILTER (WHERE saw)", clicked="count(*) FILTER (WHERE clicked)")}
FROM (
    SELECT visit, device, steps, coalesce(placement, '') AS placement, coalesce(strategy, '') AS strategy,
        bool_or(NOT is_click) AS saw, bool_or(is_click) AS clicked
    FROM visits CROSS JOIN LATERAL (
        SELECT split_part(one, '/', 1) AS placement, rtrim(split_part(one, '/', 2), '!') AS strategy,
            right(one, 1) = '!' AS is_click
        FROM unnest(met) AS one
    ) AS met
    WHERE day = %(day)s
    GROUP BY GROUPING SETS (
        (visit, device, steps, placement, strategy), (visit, device, steps, placement), (visit, device, steps, strategy)
    )
) AS by_list GROUP BY device, placement, strategy, 5
"""  # noqa: S608  made of our own constants
