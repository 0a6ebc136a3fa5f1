"""Triggers note whatever is rewritten: lists and refunds, which explain the rows of others, and what visits did."""

from django.db import migrations

# Whose a list is counts for nothing: a merge, which names many, notes nothing. Nor does what retention empties.
CREATE = """
CREATE FUNCTION recommender.touch_changed_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH rewritten AS MATERIALIZED (
        SELECT f.request_id, f.served_at AS former_at, c.served_at FROM former f JOIN changed c USING (request_id)
        WHERE to_jsonb(f) - '{user_id,session_id}'::text[] <> to_jsonb(c) - '{user_id,session_id}'::text[]
    ), told AS MATERIALIZED (
        SELECT i.id, i.occurred_at, i.interaction_type FROM rewritten
        JOIN recommender.user_interactions i ON i.recommendation_request_id = rewritten.request_id
    ), clicked AS (
        INSERT INTO recommender.touched_events (interaction_id)
        SELECT id FROM told WHERE interaction_type = 'recommendation_click'
    )
    INSERT INTO recommender.touched_parts (starts_at)
    SELECT date_bin('5 minutes', former_at, '2000-01-01 00:00+00') FROM rewritten UNION
    SELECT date_bin('5 minutes', served_at, '2000-01-01 00:00+00') FROM rewritten UNION
    SELECT date_bin('5 minutes', occurred_at, '2000-01-01 00:00+00') FROM told UNION
    SELECT date_bin('5 minutes', purchased_at, '2000-01-01 00:00+00') FROM rewritten
        JOIN recommender.conversions USING (request_id);
    RETURN NULL;
END $$;
CREATE TRIGGER touch_changed_lists AFTER UPDATE ON recommender.served_lists
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT
    WHEN (coalesce(current_setting('reemio.retention', true), '') <> 'on')
    EXECUTE FUNCTION recommender.touch_changed_lists();

CREATE FUNCTION recommender.touch_changed_refunds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH lines AS MATERIALIZED (
        SELECT i.id, i.occurred_at FROM recommender.user_interactions i WHERE i.interaction_type = 'purchase'
        AND i.order_id IN (SELECT order_id FROM former UNION SELECT order_id FROM changed)
    ), attributed AS (
        INSERT INTO recommender.touched_events (interaction_id) SELECT id FROM lines
    )
    INSERT INTO recommender.touched_parts (starts_at)
    SELECT DISTINCT date_bin('5 minutes', occurred_at, '2000-01-01 00:00+00') FROM lines;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_changed_refunds AFTER UPDATE ON recommender.order_refunds
    REFERENCING OLD TABLE AS former NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_changed_refunds();
"""


def of_events(gone: str) -> str:
    """Return the trigger's function of events; `gone` tells which have left their visit, or what they were in it."""
    part, part_of_e = (f"date_bin('5 minutes', {at}, '2000-01-01 00:00+00')" for at in ("occurred_at", "e.occurred_at"))
    return f"""
CREATE OR REPLACE FUNCTION recommender.touch_changed_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_parts (starts_at) SELECT {part} FROM former UNION SELECT {part} FROM changed;
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed WHERE interaction_type IN ('purchase', 'recommendation_click');
    -- A visit that is not any more what was counted is forgotten; what else is in it has to be counted again.
    WITH gone AS MATERIALIZED (
        SELECT f.occurred_at, f.session_id, CASE WHEN f.session_id IS NULL THEN f.user_id END AS user_id
        FROM former f JOIN changed c USING (id) WHERE {gone}
    )
    INSERT INTO recommender.touched_parts (starts_at, visit)
    SELECT {part}, md5(coalesce('s' || session_id, 'u' || user_id))::uuid FROM gone UNION
    SELECT {part_of_e}, NULL FROM gone JOIN recommender.user_interactions e USING (session_id)
    WHERE e.occurred_at > gone.occurred_at - interval '25 hours'
        AND e.occurred_at < gone.occurred_at + interval '25 hours' UNION
    SELECT {part_of_e}, NULL FROM gone JOIN recommender.user_interactions e USING (user_id)
    WHERE e.session_id IS NULL AND e.occurred_at > gone.occurred_at - interval '25 hours'
        AND e.occurred_at < gone.occurred_at + interval '25 hours';
    RETURN NULL;
END $$;
"""


_NAME = "coalesce('s' || {0}.session_id, 'u' || {0}.user_id)"
RENAMED = f"{_NAME.format('f')} <> {_NAME.format('c')}"
_WAS = f"{_NAME}, {{0}}.occurred_at, {{0}}.interaction_type, {{0}}.recommendation_request_id, {{0}}.extra_data ->> 'device'"
LEFT = f"({_WAS.format('f')}) IS DISTINCT FROM ({_WAS.format('c')})"
DROP = """
DROP TRIGGER touch_changed_refunds ON recommender.order_refunds;
DROP TRIGGER touch_changed_lists ON recommender.served_lists;
DROP FUNCTION recommender.touch_changed_refunds();
DROP FUNCTION recommender.touch_changed_lists();
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0013_visits_by_device_and_list")]
    operations = [migrations.RunSQL(CREATE + of_events(LEFT), DROP + of_events(RENAMED))]
