"""Attribution: which recommendation is credited with an order line.

A line is a **direct** conversion of the last click on its product in a recommendation, by the same person, at most a
window before the purchase: 7 days, or 5 where the list was e-mailed (`REEMIO_ATTRIBUTION_DAYS`,
`REEMIO_EMAIL_ATTRIBUTION_DAYS`). Another line of the same order is **assisted** by the latest such click of its order.
So one line credits one list, and the last click wins.

Two events are of the same person if they name the same user; or the same session, where one of the two names no user.
A merged session's events name the user.

Attribution is a function of the raw rows: whatever is written is noted by triggers, and the lines that a note may
concern are judged anew. So late, repeated and merged events, in any order, end in the same conversions.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from analytics.lines import ORDER_LINES

BATCH = 2000
# An advisory lock's number: attribution and counting run once at a time.
COUNTING = 7_349_201

_TAKE = """
WITH batch AS (SELECT id FROM touched_events ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
DELETE FROM touched_events USING batch WHERE touched_events.id = batch.id RETURNING interaction_id
"""
# The lines that these purchases and clicks may concern: themselves, what the clicks may be credited with now or were
# before, and whatever else is in those orders.
_CONCERNED = """
WITH touched AS (SELECT * FROM user_interactions WHERE id = ANY(%(touched)s)),
clicks AS (SELECT * FROM touched WHERE interaction_type = 'recommendation_click'),
lines AS (
    SELECT id, order_id FROM touched WHERE interaction_type = 'purchase'
    UNION
    SELECT p.id, p.order_id FROM clicks c JOIN user_interactions p ON p.user_id = c.user_id
        AND p.occurred_at >= c.occurred_at AND p.occurred_at <= c.occurred_at + %(longest)s
        AND p.interaction_type = 'purchase' AND p.product_id = c.product_id
    UNION
    SELECT p.id, p.order_id FROM clicks c JOIN user_interactions p ON p.session_id = c.session_id
        AND (p.user_id IS NULL OR c.user_id IS NULL)
        AND p.occurred_at >= c.occurred_at AND p.occurred_at <= c.occurred_at + %(longest)s
        AND p.interaction_type = 'purchase' AND p.product_id = c.product_id
    UNION
    SELECT p.id, p.order_id FROM conversions JOIN user_interactions p ON p.id = purchase_id
        WHERE click_id = ANY(%(touched)s)
    UNION
    SELECT p.id, p.order_id FROM conversions was JOIN conversions too USING (click_id)
        JOIN user_interactions p ON p.id = too.purchase_id WHERE was.purchase_id = ANY(%(touched)s)
)
SELECT id FROM lines
UNION
SELECT i.id FROM lines JOIN user_interactions i ON i.order_id = lines.order_id AND i.interaction_type = 'purchase'
"""
_CLICK = """
SELECT c.id, c.occurred_at, c.recommendation_request_id, c.recommendation_context FROM user_interactions c
WHERE c.interaction_type = 'recommendation_click' AND c.product_id = line.product_id
    AND c.occurred_at <= line.occurred_at AND c.occurred_at >= line.occurred_at - %(longest)s
"""
_ATTRIBUTE = f"""
WITH lines AS MATERIALIZED ({ORDER_LINES.format(condition="i.id = ANY(%(lines)s)")}),
direct AS MATERIALIZED (
    SELECT line.*, click.* FROM lines line CROSS JOIN LATERAL (
        SELECT c.id AS click_id, c.occurred_at AS clicked_at, c.recommendation_request_id AS request_id
        FROM (
            {_CLICK} AND c.user_id = line.user_id
            UNION ALL
            {_CLICK} AND c.session_id = line.session_id AND (c.user_id IS NULL OR line.user_id IS NULL)
        ) c LEFT JOIN served_lists s ON s.request_id = c.recommendation_request_id
        WHERE c.occurred_at >= line.occurred_at - CASE
            WHEN coalesce(nullif(s.context, ''), c.recommendation_context) = 'email' THEN %(email)s ELSE %(window)s
        END
        ORDER BY c.occurred_at DESC, c.id DESC LIMIT 1
    ) click
), credited AS (
    SELECT 'direct' AS kind, * FROM direct
    UNION ALL
    (
        SELECT DISTINCT ON (line.id) 'assisted', line.*, direct.click_id, direct.clicked_at, direct.request_id
        FROM lines line JOIN direct USING (order_id)
        WHERE NOT EXISTS (SELECT FROM direct own WHERE own.id = line.id)
        ORDER BY line.id, direct.clicked_at DESC, direct.click_id DESC
    )
), gone AS (
    DELETE FROM conversions WHERE purchase_id = ANY(%(lines)s)
        AND NOT EXISTS (SELECT FROM credited WHERE credited.id = purchase_id)
    RETURNING purchased_at, request_id
), stored AS (
    INSERT INTO conversions AS c (
        purchase_id, kind, click_id, request_id, product_id, clicked_at, purchased_at, units, revenue, currency
    )
    SELECT id, kind, click_id, request_id, product_id, clicked_at, occurred_at, units, revenue, currency FROM credited
    ON CONFLICT (purchase_id) DO UPDATE SET
        kind = excluded.kind, click_id = excluded.click_id, request_id = excluded.request_id,
        product_id = excluded.product_id, clicked_at = excluded.clicked_at, purchased_at = excluded.purchased_at,
        units = excluded.units, revenue = excluded.revenue, currency = excluded.currency
    WHERE (c.kind, c.click_id, c.request_id, c.product_id, c.clicked_at, c.purchased_at, c.units, c.revenue, c.currency)
        IS DISTINCT FROM (excluded.kind, excluded.click_id, excluded.request_id, excluded.product_id,
            excluded.clicked_at, excluded.purchased_at, excluded.units, excluded.revenue, excluded.currency)
    RETURNING purchase_id, purchased_at, request_id
), mailed AS (
    -- The lists that lost or won credit, by what conversions were before this statement and are after it.
    INSERT INTO touched_mails (starts_at)
    SELECT DISTINCT date_bin('5 minutes', m.planned_at, '2000-01-01 00:00+00') FROM (
        SELECT request_id FROM gone UNION SELECT request_id FROM stored UNION
        SELECT was.request_id FROM conversions was JOIN stored USING (purchase_id)
    ) list JOIN campaigns_outboxmessage m USING (request_id)
)
INSERT INTO touched_parts (starts_at)
SELECT date_bin('5 minutes', purchased_at, '2000-01-01 00:00+00') FROM gone UNION
SELECT date_bin('5 minutes', purchased_at, '2000-01-01 00:00+00') FROM stored
"""  # noqa: S608  made of our own constants
_TOUCH_ALL = """
INSERT INTO touched_events (interaction_id)
SELECT id FROM user_interactions WHERE interaction_type = 'purchase' AND occurred_at >= %(since)s
"""


def attribute_batch(*, limit: int = BATCH) -> int:
    """Attribute what some of the oldest notes concern; return how many notes those were: 0 where there is none.

    One transaction: notes and conversions change together, so that it may be killed at any line. Two at once wait for
    each other.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        cursor.execute(_TAKE, {"batch": limit})
        notes = [interaction_id for (interaction_id,) in cursor.fetchall()]
        if notes:
            cursor.execute(_CONCERNED, {"touched": sorted(set(notes)), "longest": max(_windows().values())})
            lines = _open(cursor, [line for (line,) in cursor.fetchall()])
            if lines:
                cursor.execute(_ATTRIBUTE, _parameters(lines))
    return len(notes)


def _open(cursor: Any, lines: list[int]) -> list[int]:
    """Return the lines whose days are not closed: the clicks of others may be cleared away already."""
    cursor.execute(
        "SELECT i.id FROM user_interactions i, rollup_state s WHERE i.id = ANY(%s) "
        "AND (s.closed_before IS NULL OR i.occurred_at >= s.closed_before)",
        [lines],
    )
    return [line for (line,) in cursor.fetchall()]


def touch_purchases(cursor: Any, since: Any) -> None:
    """Note that every purchase since a moment is due for attribution."""
    cursor.execute(_TOUCH_ALL, {"since": since})


def _windows() -> dict[str, Any]:
    return {
        "window": timedelta(days=settings.REEMIO_ATTRIBUTION_DAYS),
        "email": timedelta(days=settings.REEMIO_EMAIL_ATTRIBUTION_DAYS),
    }


def _parameters(lines: list[int]) -> dict[str, Any]:
    windows = _windows()
    return {
        "lines": lines,
        "longest": max(windows.values()),
        "currency": settings.REEMIO_DEFAULT_CURRENCY,
        **windows,
    }
