"""What was searched for, and clicked in results: whole, and in detail by device."""

from analytics.rollups.sources.fragments import PART, QUERIES_KEPT, QUERY, WITHIN

# What was searched for, and clicked in results: by text and device, the rare texts of all devices pooled.
SEARCHED = f"""
CREATE TEMPORARY TABLE searched ON COMMIT DROP AS
WITH happened AS (
    SELECT starts_at, device, query, sum(searches) AS searches, sum(without_results) AS without_results,
        sum(clicks) AS clicks
    FROM (
        SELECT {PART.format("occurred_at")} AS starts_at, coalesce(extra_data ->> 'device', '') AS device,
            {QUERY.format("search_query")} AS query, 1 AS searches,
            coalesce(extra_data -> 'resultsCount' = '0'::jsonb, false)::int AS without_results, 0 AS clicks
        FROM user_interactions WHERE interaction_type = 'search' AND {WITHIN.format("occurred_at")}
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
