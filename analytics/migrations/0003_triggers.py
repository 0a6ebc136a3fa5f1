"""Triggers note which hours are due for a recount, and which purchases and clicks for attribution."""

from django.db import migrations

# Deleting is not noted: where old raw rows are cleared away, what was counted of them stays.
CREATE = """
CREATE FUNCTION recommender.touch_new_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_hours (hour) SELECT DISTINCT date_trunc('hour', occurred_at, 'UTC') FROM changed;
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed WHERE interaction_type IN ('purchase', 'recommendation_click');
    RETURN NULL;
END $$;
CREATE TRIGGER touch_new_events AFTER INSERT ON recommender.user_interactions
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_new_events();

CREATE FUNCTION recommender.touch_changed_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_hours (hour)
    SELECT date_trunc('hour', occurred_at, 'UTC') FROM former UNION
    SELECT date_trunc('hour', occurred_at, 'UTC') FROM changed;
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed WHERE interaction_type IN ('purchase', 'recommendation_click');
    RETURN NULL;
END $$;
CREATE TRIGGER touch_changed_events AFTER UPDATE ON recommender.user_interactions
    REFERENCING OLD TABLE AS former NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_changed_events();

-- What a list explains may have been told before the list was written: those hours and clicks are due, too.
CREATE FUNCTION recommender.touch_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_hours (hour)
    SELECT date_trunc('hour', served_at, 'UTC') FROM changed UNION
    SELECT date_trunc('hour', occurred_at, 'UTC') FROM changed
        JOIN recommender.user_interactions ON recommendation_request_id = request_id UNION
    SELECT date_trunc('hour', purchased_at, 'UTC') FROM changed JOIN recommender.conversions USING (request_id);
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed JOIN recommender.user_interactions ON recommendation_request_id = request_id
    WHERE interaction_type = 'recommendation_click';
    RETURN NULL;
END $$;
CREATE TRIGGER touch_lists AFTER INSERT ON recommender.served_lists
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_lists();

CREATE FUNCTION recommender.touch_refunded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_hours (hour)
    SELECT DISTINCT date_trunc('hour', line.occurred_at, 'UTC') FROM changed
    JOIN recommender.user_interactions AS line USING (order_id) WHERE interaction_type = 'purchase';
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT line.id FROM changed
    JOIN recommender.user_interactions AS line USING (order_id) WHERE interaction_type = 'purchase';
    RETURN NULL;
END $$;
CREATE TRIGGER touch_refunded AFTER INSERT ON recommender.order_refunds
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_refunded();

-- What was stored before is due as a whole.
INSERT INTO recommender.touched_hours (hour)
SELECT date_trunc('hour', occurred_at, 'UTC') FROM recommender.user_interactions UNION
SELECT date_trunc('hour', served_at, 'UTC') FROM recommender.served_lists;
INSERT INTO recommender.touched_events (interaction_id)
SELECT id FROM recommender.user_interactions WHERE interaction_type = 'purchase';
INSERT INTO recommender.rollup_state (time_zone) VALUES ('');
"""
DROP = """
DELETE FROM recommender.rollup_state;
DROP TRIGGER touch_refunded ON recommender.order_refunds;
DROP TRIGGER touch_lists ON recommender.served_lists;
DROP TRIGGER touch_changed_events ON recommender.user_interactions;
DROP TRIGGER touch_new_events ON recommender.user_interactions;
DROP FUNCTION recommender.touch_refunded();
DROP FUNCTION recommender.touch_lists();
DROP FUNCTION recommender.touch_changed_events();
DROP FUNCTION recommender.touch_new_events();
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_rollups")]
    operations = [migrations.RunSQL(CREATE, DROP)]
