"""Counting by parts of five minutes, summed up in hours, days and weeks."""

from django.db import migrations, models

TABLES = {
    "recommendationrollup": (
        "context, placement, strategy, variant, campaign, position, device",
        "lists, empty_lists, asked, filled, items, impressions, unique_impressions, clicks",
    ),
    "earningsrollup": (
        "context, placement, strategy, variant, campaign, position, device, currency",
        "conversions, assisted_lines, direct_revenue, assisted_revenue",
    ),
    "latencyrollup": ("placement, bucket", "lists"),
    "productrollup": ("product_id", "views, cart_adds, recommended, impressions, clicks, out_of_stock"),
    "salesrollup": ("product_id, currency", "purchases, units, revenue"),
    "searchrollup": ("query", "searches, without_results, clicks"),
    "searchclickrollup": ("query, product_id", "clicks"),
    "eventrollup": ("interaction_type", "events, unknown_products, late"),
}
GRAINS = [("part", "Part"), ("hour", "Hour"), ("day", "Day"), ("week", "Week")]
# What was due is due still, and so are the parts of the latest days, of which there are no rows yet.
DUE = """
INSERT INTO recommender.touched_parts (starts_at)
SELECT hour + part * interval '5 minutes' FROM recommender.touched_hours CROSS JOIN generate_series(0, 11) AS part UNION
SELECT starts_at + part * interval '5 minutes' FROM recommender.analytics_eventrollup
CROSS JOIN generate_series(0, 11) AS part WHERE grain = 'hour' AND starts_at > now() - interval '3 days' UNION
SELECT starts_at + part * interval '5 minutes' FROM recommender.analytics_recommendationrollup
CROSS JOIN generate_series(0, 11) AS part WHERE grain = 'hour' AND starts_at > now() - interval '3 days';
"""
DUE_BEFORE = """
INSERT INTO recommender.touched_hours (hour)
SELECT DISTINCT date_trunc('hour', starts_at, 'UTC') FROM recommender.touched_parts;
"""


# Who changes the name of a visit (an erasure) leaves it behind; what else is in it has to be counted again.
RENAMED = """
    WITH renamed AS MATERIALIZED (
        SELECT f.occurred_at, f.session_id, CASE WHEN f.session_id IS NULL THEN f.user_id END AS user_id
        FROM former f JOIN changed c USING (id)
        WHERE coalesce('s' || f.session_id, 'u' || f.user_id) <> coalesce('s' || c.session_id, 'u' || c.user_id)
    )
    INSERT INTO recommender.touched_parts (starts_at, visit)
    SELECT {bucket}, md5(coalesce('s' || session_id, 'u' || user_id))::uuid FROM renamed UNION
    SELECT {bucket_of_e}, NULL FROM renamed JOIN recommender.user_interactions e USING (session_id)
    WHERE e.occurred_at > renamed.occurred_at - interval '25 hours'
        AND e.occurred_at < renamed.occurred_at + interval '25 hours' UNION
    SELECT {bucket_of_e}, NULL FROM renamed JOIN recommender.user_interactions e USING (user_id)
    WHERE e.session_id IS NULL AND e.occurred_at > renamed.occurred_at - interval '25 hours'
        AND e.occurred_at < renamed.occurred_at + interval '25 hours';
"""


def functions(notes: str, bucket: str, *, visits: bool) -> str:
    """Return the triggers' functions, which note the buckets of whatever was written."""
    renamed = RENAMED.format(bucket=bucket.format("occurred_at"), bucket_of_e=bucket.format("e.occurred_at"))
    return f"""
CREATE OR REPLACE FUNCTION recommender.touch_new_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.{notes} SELECT DISTINCT {bucket.format("occurred_at")} FROM changed;
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed WHERE interaction_type IN ('purchase', 'recommendation_click');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION recommender.touch_changed_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.{notes}
    SELECT {bucket.format("occurred_at")} FROM former UNION SELECT {bucket.format("occurred_at")} FROM changed;
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed WHERE interaction_type IN ('purchase', 'recommendation_click');
    {renamed if visits else ""}
    RETURN NULL;
END $$;

-- What a list explains may have been told before the list was written: those buckets and clicks are due, too.
CREATE OR REPLACE FUNCTION recommender.touch_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.{notes}
    SELECT {bucket.format("served_at")} FROM changed UNION
    SELECT {bucket.format("occurred_at")} FROM changed
        JOIN recommender.user_interactions ON recommendation_request_id = request_id UNION
    SELECT {bucket.format("purchased_at")} FROM changed JOIN recommender.conversions USING (request_id);
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT id FROM changed JOIN recommender.user_interactions ON recommendation_request_id = request_id
    WHERE interaction_type = 'recommendation_click';
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION recommender.touch_refunded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.{notes}
    SELECT DISTINCT {bucket.format("line.occurred_at")} FROM changed
    JOIN recommender.user_interactions AS line USING (order_id) WHERE interaction_type = 'purchase';
    INSERT INTO recommender.touched_events (interaction_id)
    SELECT line.id FROM changed
    JOIN recommender.user_interactions AS line USING (order_id) WHERE interaction_type = 'purchase';
    RETURN NULL;
END $$;
"""


BY_PART = functions("touched_parts (starts_at)", "date_bin('5 minutes', {}, '2000-01-01 00:00+00')", visits=True)
BY_HOUR = functions("touched_hours (hour)", "date_trunc('hour', {}, 'UTC')", visits=False)


def sum_weeks(apps, schema_editor):
    """Sum up the weeks from the days that are there."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT time_zone FROM rollup_state WHERE time_zone <> ''")
        for (zone,) in cursor.fetchall():
            for table, (keys, measures) in TABLES.items():
                sums = ", ".join(f"sum({name})" for name in measures.split(", "))
                cursor.execute(
                    f"INSERT INTO analytics_{table} (grain, starts_at, {keys}, {measures}) "
                    f"SELECT 'week', date_trunc('week', starts_at, %s), {keys}, {sums} FROM analytics_{table} "
                    f"WHERE grain = 'day' GROUP BY 2, {keys}",
                    [zone],
                )


def forget_parts_and_weeks(apps, schema_editor):
    """Delete what the version before does not know; it counts by whole hours again."""
    with schema_editor.connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM analytics_{table} WHERE grain IN ('part', 'week')")


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_auditors")]
    operations = [
        migrations.CreateModel(
            name="TouchedPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(db_index=True)),
                ("visit", models.UUIDField(help_text="A visit of that day that is no more what was counted.", null=True)),
            ],
            options={"db_table": "touched_parts"},
        ),
        *(
            migrations.AlterField(name, "grain", models.CharField(choices=GRAINS, max_length=4))
            for name in (*TABLES, "funnelrollup")
        ),
        migrations.AlterField(
            "rollupstate",
            "hours",
            models.IntegerField(db_default=0, help_text="In how many hours something was recounted."),
        ),
        migrations.RunSQL(BY_PART + DUE, DUE_BEFORE + BY_HOUR),
        migrations.RunPython(sum_weeks, forget_parts_and_weeks),
        # The version before reads the table while it still runs: a later one drops it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("TouchedHour")]),
    ]
