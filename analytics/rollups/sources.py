"""What is counted, as SQL: one SELECT for each roll-up, over raw rows from `begin` to `end`, by parts of five minutes.

Every SELECT gives `starts_at`, the beginning of the part, then its table's dimensions and measures by name. What
several of them need is read once, into temporary tables (`PREPARED`). Impressions and clicks are in `told`: one row for
each kind, list and product, at its first occurrence.
"""

from analytics.lines import ORDER_LINES

# Lists are at most 50 long; whatever a storefront reports beyond is pooled there.
LAST_POSITION = 50
# Of each part, so many search texts are kept apart, and so many pairs of text and clicked product.
QUERIES_KEPT = 100
LATE = "interval '1 hour'"

# Five minutes divide the hours of every time zone that is in use.
_PART = "date_bin('5 minutes', {}, '2000-01-01 00:00+00')"
_WITHIN = "{0} >= %(begin)s AND {0} < %(end)s"
_QUERY = r"left(regexp_replace(lower(btrim({})), '\s+', ' ', 'g'), 100)"
_CONTEXT = "CASE WHEN s.placement = 'search' THEN 'search' ELSE coalesce(nullif(s.context, ''), {}) END"
_LIST = """
    coalesce(s.placement, '') AS placement, coalesce(s.strategy, '') AS strategy, coalesce(s.variant, '') AS variant,
    coalesce(s.campaign, '') AS campaign
"""
_DIMENSIONS = "context, placement, strategy, variant, campaign, position, device"

# Whatever was told of the same lists at other times: what came before counts there, not here; what came after counts
# here, and where it was counted so far is due for a recount.
OUTSIDE = f"""
CREATE TEMPORARY TABLE outside ON COMMIT DROP AS
SELECT asked.recommendation_request_id AS request_id, e.interaction_type AS kind, e.product_id, e.occurred_at
FROM (
    SELECT DISTINCT recommendation_request_id FROM user_interactions
    WHERE interaction_type IN ('recommendation_view', 'recommendation_click') AND {_WITHIN.format("occurred_at")}
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
    WHERE interaction_type IN ('recommendation_view', 'recommendation_click') AND {_WITHIN.format("occurred_at")}
    ORDER BY recommendation_request_id, product_id, interaction_type, occurred_at, id
)
SELECT {_PART.format("h.occurred_at")} AS starts_at, kind, h.request_id, h.product_id, h.device, h.occurred_at,
    {_CONTEXT.format("h.recommendation_context")} AS context, {_LIST},
    least(coalesce(array_position(s.products, h.product_id), h.recommendation_position, 0), {LAST_POSITION})::smallint
        AS position,
    CASE WHEN s.placement = 'search' THEN {_QUERY.format("coalesce(s.anchors[1], '')")} END AS query,
    kind = 'recommendation_view' AND row_number() OVER (
        PARTITION BY kind, {_PART.format("h.occurred_at")}, h.person, h.product_id ORDER BY h.occurred_at, h.id
    ) = 1 AS is_unique
FROM happened h LEFT JOIN served_lists s ON s.request_id = h.request_id
WHERE NOT EXISTS (
    SELECT FROM outside o WHERE o.request_id = h.request_id AND o.kind = h.kind AND o.product_id = h.product_id
        AND o.occurred_at < %(begin)s
)
"""  # noqa: S608  made of our own constants
TOUCH_LATER = f"""
INSERT INTO touched_parts (starts_at)
SELECT DISTINCT {_PART.format("o.occurred_at")} FROM outside o JOIN told USING (request_id, kind, product_id)
WHERE o.occurred_at >= %(end)s
"""  # noqa: S608  made of our own constants

RECOMMENDATIONS = f"""
WITH served AS (
    SELECT {_PART.format("served_at")} AS starts_at, {_CONTEXT.format("''")} AS context, {_LIST},
        cardinality(products) AS size, asked_for, count(*) AS lists
    FROM served_lists s WHERE {_WITHIN.format("served_at")} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT starts_at, {_DIMENSIONS}, sum(lists) AS lists, sum(empty_lists) AS empty_lists, sum(asked) AS asked,
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
    SELECT starts_at, {_DIMENSIONS}, 0, 0, 0, 0, 0,
        (kind = 'recommendation_view')::int, is_unique::int, (kind = 'recommendation_click')::int
    FROM told
) AS counted GROUP BY starts_at, {_DIMENSIONS}
"""  # noqa: S608  made of our own constants

EARNINGS = f"""
SELECT {_PART.format("c.purchased_at")} AS starts_at, {_CONTEXT.format("click.recommendation_context")} AS context,
    {_LIST},
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
WHERE {_WITHIN.format("c.purchased_at")} AND units > 0
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608  made of our own constants

# A list that was not timed says 0, and is left out.
LATENCIES = f"""
SELECT {_PART.format("served_at")} AS starts_at, placement,
    least(greatest(ceil(8 * ln(milliseconds) / ln(2.0::float8)), -80), 200)::smallint AS bucket, count(*) AS lists
FROM served_lists WHERE {_WITHIN.format("served_at")} AND milliseconds > 0 GROUP BY 1, 2, 3
"""  # noqa: S608  made of our own constants

# Read once, for two tables of counts. A list may be a moment behind a stock that has just run out.
OF_PRODUCTS = f"""
CREATE TEMPORARY TABLE of_products ON COMMIT DROP AS
WITH shown AS (
    SELECT {_PART.format("s.served_at")} AS starts_at, served_at, placement, strategy, product_id
    FROM served_lists s CROSS JOIN LATERAL unnest(s.products) AS product_id WHERE {_WITHIN.format("s.served_at")}
)
SELECT starts_at, placement, strategy, device, product_id, sum(views) AS views, sum(cart_adds) AS cart_adds,
    sum(recommended) AS recommended, sum(impressions) AS impressions, sum(clicks) AS clicks,
    sum(out_of_stock) AS out_of_stock
FROM (
    SELECT {_PART.format("occurred_at")} AS starts_at, '' AS placement, '' AS strategy,
        coalesce(extra_data ->> 'device', '') AS device, product_id,
        count(*) FILTER (WHERE interaction_type = 'view') AS views,
        count(*) FILTER (WHERE interaction_type = 'cart_add') AS cart_adds,
        0 AS recommended, 0 AS impressions, 0 AS clicks, 0 AS out_of_stock
    FROM user_interactions WHERE interaction_type IN ('view', 'cart_add') AND {_WITHIN.format("occurred_at")}
    GROUP BY 1, 4, 5
    UNION ALL
    SELECT starts_at, placement, strategy, '', product_id, 0, 0, count(*), 0, 0, 0 FROM shown GROUP BY 1, 2, 3, 5
    UNION ALL
    SELECT starts_at, placement, strategy, device, product_id, 0, 0, 0,
        count(*) FILTER (WHERE kind = 'recommendation_view'), count(*) FILTER (WHERE kind = 'recommendation_click'), 0
    FROM told GROUP BY 1, 2, 3, 4, 5
    UNION ALL
    SELECT shown.starts_at, shown.placement, shown.strategy, '', shown.product_id, 0, 0, 0, 0, 0, count(*)
    FROM catalog_unavailability out JOIN catalog_product p ON p.id = out.product_id
    JOIN shown ON shown.product_id = p.product_id AND shown.served_at > out.began_at + interval '2 seconds'
        AND (out.ended_at IS NULL OR shown.served_at < out.ended_at)
    WHERE out.began_at < %(end)s AND (out.ended_at IS NULL OR out.ended_at > %(begin)s)
    GROUP BY 1, 2, 3, 5
) AS counted GROUP BY starts_at, placement, strategy, device, product_id
"""  # noqa: S608  made of our own constants
PRODUCTS = """
SELECT starts_at, product_id, sum(views) AS views, sum(cart_adds) AS cart_adds, sum(recommended) AS recommended,
    sum(impressions) AS impressions, sum(clicks) AS clicks, sum(out_of_stock) AS out_of_stock
FROM of_products GROUP BY starts_at, product_id
"""
PRODUCT_DETAILS = "SELECT * FROM of_products"

SOLD = f"""
CREATE TEMPORARY TABLE sold ON COMMIT DROP AS
SELECT {_PART.format("occurred_at")} AS starts_at, device, product_id, currency, count(*) AS purchases,
    sum(units) AS units, sum(revenue) AS revenue
FROM ({ORDER_LINES.format(condition=_WITHIN.format("i.occurred_at"))}) AS line
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
    SELECT {_PART.format("c.purchased_at")}, coalesce(s.placement, ''), coalesce(s.strategy, ''),
        coalesce(click.extra_data ->> 'device', ''), c.product_id, c.currency, 0, 0, 0, 1, c.revenue
    FROM conversions c JOIN user_interactions click ON click.id = c.click_id
    LEFT JOIN served_lists s ON s.request_id = c.request_id
    WHERE {_WITHIN.format("c.purchased_at")} AND c.kind = 'direct' AND c.units > 0
) AS counted GROUP BY starts_at, placement, strategy, device, product_id, currency
"""  # noqa: S608  made of our own constants

# What was searched for, and clicked in results: by text and device, the rare texts of all devices pooled.
SEARCHED = f"""
CREATE TEMPORARY TABLE searched ON COMMIT DROP AS
WITH happened AS (
    SELECT starts_at, device, query, sum(searches) AS searches, sum(without_results) AS without_results,
        sum(clicks) AS clicks
    FROM (
        SELECT {_PART.format("occurred_at")} AS starts_at, coalesce(extra_data ->> 'device', '') AS device,
            {_QUERY.format("search_query")} AS query, 1 AS searches,
            coalesce(extra_data -> 'resultsCount' = '0'::jsonb, false)::int AS without_results, 0 AS clicks
        FROM user_interactions WHERE interaction_type = 'search' AND {_WITHIN.format("occurred_at")}
        UNION ALL
        SELECT starts_at, device, query, 0, 0, 1 FROM told WHERE kind = 'recommendation_click' AND query IS NOT NULL
    ) AS one GROUP BY starts_at, device, query
), ranked AS (
    SELECT starts_at, query, row_number() OVER (
        PARTITION BY starts_at ORDER BY sum(searches) + sum(clicks) DESC, query COLLATE "C"
    ) AS rank
    FROM happened GROUP BY starts_at, query
)
SELECT starts_at, device, CASE WHEN rank <= {QUERIES_KEPT} THEN query ELSE '' END AS query, sum(searches) AS searches,
    sum(without_results) AS without_results, sum(clicks) AS clicks
FROM happened JOIN ranked USING (starts_at, query) GROUP BY 1, 2, 3
"""  # noqa: S608  made of our own constants
SEARCHES = """
SELECT starts_at, query, sum(searches) AS searches, sum(without_results) AS without_results, sum(clicks) AS clicks
FROM searched GROUP BY starts_at, query
"""
SEARCH_DETAILS = "SELECT * FROM searched"

SEARCH_CLICKED = f"""
CREATE TEMPORARY TABLE search_clicked ON COMMIT DROP AS
WITH happened AS (
    SELECT starts_at, device, query, product_id, count(*) AS clicks
    FROM told WHERE kind = 'recommendation_click' AND query IS NOT NULL GROUP BY starts_at, device, query, product_id
), ranked AS (
    SELECT starts_at, query, product_id, row_number() OVER (
        PARTITION BY starts_at ORDER BY sum(clicks) DESC, query COLLATE "C", product_id COLLATE "C"
    ) AS rank
    FROM happened GROUP BY starts_at, query, product_id
)
SELECT happened.* FROM happened JOIN ranked USING (starts_at, query, product_id) WHERE rank <= {QUERIES_KEPT}
"""  # noqa: S608  made of our own constants
SEARCH_CLICKS = """
SELECT starts_at, query, product_id, sum(clicks) AS clicks FROM search_clicked GROUP BY starts_at, query, product_id
"""
SEARCH_CLICK_DETAILS = "SELECT * FROM search_clicked"

EVENTS = f"""
SELECT {_PART.format("occurred_at")} AS starts_at, interaction_type, count(*) AS events,
    count(*) FILTER (WHERE i.product_id IS NOT NULL AND p.id IS NULL) AS unknown_products,
    count(*) FILTER (WHERE received_at - occurred_at > {LATE}) AS late
FROM user_interactions i LEFT JOIN catalog_product p ON p.product_id = i.product_id
WHERE {_WITHIN.format("occurred_at")} AND interaction_type = ANY(%(kinds)s) GROUP BY 1, 2
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
WHERE {_WITHIN.format("occurred_at")} AND interaction_type = ANY(%(kinds)s)
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

PREPARED = (
    "DROP TABLE IF EXISTS outside, told, of_products, sold, searched, search_clicked",
    *(OUTSIDE, TOLD, TOUCH_LATER, OF_PRODUCTS, SOLD, SEARCHED, SEARCH_CLICKED),
)
