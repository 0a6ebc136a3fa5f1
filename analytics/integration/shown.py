"""Are lists asked for, and is it told what of them was seen and clicked, at which place?"""

from analytics.integration.findings import Finding, Measured, Window, judge, measure

_SHOWN = (
    "user_interactions WHERE occurred_at >= %(since)s AND occurred_at < %(until)s "
    "AND interaction_type = ANY(ARRAY['recommendation_view', 'recommendation_click'])"
)
_LISTS = (
    "served_lists WHERE served_at >= %(since)s AND served_at < %(until)s "
    "AND context IN ('homepage', 'product_page', 'cart') AND strategy <> 'search' AND products <> '{}'"
)


def check_lists(window: Window) -> Finding:
    """Does anybody ask for lists?"""
    found = measure(
        f"SELECT count(*), count(DISTINCT context), array_agg(DISTINCT context) FROM {_LISTS}",  # noqa: S608
        window,
    )
    said = f"{found.rows:,} lists, in: {', '.join(found.examples)}." if found.rows else "No list yet."
    advice = "Ask for one: reemio.render in the browser, or GET /api/v1/recommendations/homepage."
    return Finding("Lists are asked for", bool(found.rows), said, advice="" if found.rows else advice)


def check_impressions(window: Window) -> Finding:
    """Is it told what was seen?"""
    found = measure(
        f"""
        WITH lists AS (SELECT request_id, context FROM {_LISTS}),
        seen AS (SELECT DISTINCT recommendation_request_id AS request_id FROM {_SHOWN} )
        SELECT count(*), count(seen.request_id),
            (array_agg(context || ' list ' || request_id ORDER BY request_id)
                FILTER (WHERE seen.request_id IS NULL))[:%(most)s]
        FROM lists LEFT JOIN seen USING (request_id)
        """,  # noqa: S608
        window,
    )
    return judge(
        "Impressions", found, least=0.2, what="were seen", of="lists",
        advice="Send recommendation_view when a product comes into sight; reemio.js does it for the lists it draws.",
    )  # fmt: skip


def check_requests(window: Window) -> Finding:
    """Do impressions and clicks name lists that were served?"""
    found = measure(
        f"""
        WITH shown AS (SELECT recommendation_request_id AS request_id, count(*) AS events FROM {_SHOWN} GROUP BY 1)
        SELECT sum(events), sum(events) FILTER (WHERE l.request_id IS NOT NULL),
            (array_agg(shown.request_id::text ORDER BY events DESC) FILTER (WHERE l.request_id IS NULL))[:%(most)s]
        FROM shown LEFT JOIN served_lists l USING (request_id)
        """,  # noqa: S608
        window,
    )
    return judge(
        "Request ids", found, least=0.98, what="name a list that was served", of="impressions and clicks",
        advice="Send the request_id of the answer that was shown, not one of your own, nor a cached one.",
    )  # fmt: skip


def check_positions(window: Window) -> Finding:
    """Are products told at the place where they stood?"""
    found = measure(
        f"""
        WITH shown AS (
            SELECT product_id, recommendation_position AS place, recommendation_request_id AS request_id FROM {_SHOWN}
        ),
        judged AS (
            SELECT shown.*, coalesce(l.products[place] = product_id, false) AS right_one,
                array_position(l.products, product_id) AS stood
            FROM shown JOIN served_lists l USING (request_id)
        )
        SELECT count(*), count(*) FILTER (WHERE right_one),
            (array_agg(format('%%s told at %%s, stood at %%s', product_id, coalesce(place::text, 'no place'),
                coalesce(stood::text, 'none: it was not in that list')) ORDER BY product_id, place)
                FILTER (WHERE NOT right_one))[:%(most)s]
        FROM judged
        """,  # noqa: S608
        window,
    )
    return judge(
        "Positions", found, least=0.99, what="are told at their place", of="impressions and clicks",
        advice="recommendation_position is the item's position: 1 for the first. Do not count from 0, or per row.",
    )  # fmt: skip


def check_clicks(window: Window) -> Finding:
    """Is it told what was clicked, and was it in sight before?"""
    found = measure(
        f"""
        WITH shown AS (
            SELECT recommendation_request_id AS request_id, product_id,
                bool_or(interaction_type = 'recommendation_view') AS seen,
                bool_or(interaction_type = 'recommendation_click') AS clicked
            FROM {_SHOWN} GROUP BY 1, 2
        )
        SELECT count(*) FILTER (WHERE clicked), count(*) FILTER (WHERE clicked AND seen),
            (array_agg(product_id || ' of list ' || request_id ORDER BY product_id)
                FILTER (WHERE clicked AND NOT seen))[:%(most)s]
        FROM shown
        """,  # noqa: S608
        window,
    )
    return judge(
        "Clicks", found, least=0.5, what="were of a product that was in sight", of="clicks",
        advice="Send recommendation_click with request id and position. A click without an impression: are both sent?",
        none="No click yet." if _any(window) else "No impression and no click yet.",
    )  # fmt: skip


def _any(window: Window) -> Measured | None:
    found = measure(f"SELECT count(*), 0, NULL::text[] FROM {_SHOWN}", window)  # noqa: S608
    return found if found.rows else None
