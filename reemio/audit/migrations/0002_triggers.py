"""Triggers that write the audit trail, in the transaction of the change, whichever door it comes through."""

from django.db import migrations

FUNCTIONS = """
-- Arguments: the kind, the key, the column that names the row; columns to leave out, or else the only ones to keep;
-- columns that are secret.
CREATE FUNCTION recommender.audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ignored text[] := string_to_array(TG_ARGV[3], ',');
    kept text[] := string_to_array(nullif(TG_ARGV[4], ''), ',');
    secret text[] := string_to_array(TG_ARGV[5], ',');
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - ignored ELSE '{}' END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - ignored ELSE '{}' END;
    whole jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    was jsonb;
    becomes jsonb;
BEGIN
    SELECT jsonb_object_agg(name, CASE WHEN name = ANY(secret) THEN '"(secret)"' ELSE value END) INTO was
    FROM jsonb_each(old_row) AS one (name, value)
    WHERE value IS DISTINCT FROM new_row -> name AND (kept IS NULL OR name = ANY(kept));
    SELECT jsonb_object_agg(name, CASE WHEN name = ANY(secret) THEN '"(secret, changed)"' ELSE value END) INTO becomes
    FROM jsonb_each(new_row) AS one (name, value)
    WHERE value IS DISTINCT FROM old_row -> name AND (kept IS NULL OR name = ANY(kept));
    IF was IS NULL AND becomes IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO recommender.audit_entries
        (actor, request_id, kind, object_id, object_name, action, before, after)
    VALUES (
        left(coalesce(current_setting('reemio.actor', true), ''), 150),
        left(coalesce(current_setting('reemio.request_id', true), ''), 64),
        TG_ARGV[0], left(whole ->> TG_ARGV[1], 64), left(coalesce(whole ->> TG_ARGV[2], ''), 200),
        CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
        coalesce(was, '{}'), coalesce(becomes, '{}')
    );
    RETURN NULL;
END $$;

-- Arguments: the kind, the column, table and name of the owner; the word for a member, its column, table and name.
CREATE FUNCTION recommender.audit_member() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whole jsonb := CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    owner text;
    member text;
    said jsonb;
BEGIN
    EXECUTE format('SELECT %I FROM recommender.%I WHERE id = $1', TG_ARGV[3], TG_ARGV[2])
        INTO owner USING (whole ->> TG_ARGV[1])::bigint;
    EXECUTE format('SELECT %I FROM recommender.%I WHERE id = $1', TG_ARGV[7], TG_ARGV[6])
        INTO member USING (whole ->> TG_ARGV[5])::bigint;
    said := jsonb_build_object(TG_ARGV[4], coalesce(member, whole ->> TG_ARGV[5]));
    INSERT INTO recommender.audit_entries
        (actor, request_id, kind, object_id, object_name, action, before, after)
    VALUES (
        left(coalesce(current_setting('reemio.actor', true), ''), 150),
        left(coalesce(current_setting('reemio.request_id', true), ''), 64),
        TG_ARGV[0], whole ->> TG_ARGV[1], left(coalesce(owner, ''), 200), 'changed',
        CASE WHEN TG_OP = 'DELETE' THEN said ELSE '{}' END, CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE said END
    );
    RETURN NULL;
END $$;

CREATE FUNCTION recommender.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND coalesce(current_setting('reemio.audit_retention', true), '') = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Entries of the audit trail are neither changed nor deleted.' USING ERRCODE = 'raise_exception';
END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON recommender.audit_entries
    FOR EACH ROW EXECUTE FUNCTION recommender.audit_is_kept();
"""
# What people decide about: table, kind, key, name, columns that say nothing, secret columns.
DECIDED = [
    ("auth_user", "user", "id", "username", "id,last_login", "password"),
    ("auth_group", "group", "id", "name", "id", ""),
    ("access_apikey", "API key", "id", "name", "id,created_at", "digest"),
    ("campaigns_campaign", "campaign", "id", "kind", "id,mode_changed_at", ""),
    ("recommendations_merchandisingrule", "rule", "id", "name", "id,created_at", ""),
    ("recommendations_experiment", "experiment", "id", "key", "id,created_at", ""),
    ("recommendations_experimentvariant", "experiment variant", "id", "name", "id", ""),
    ("recommendations_eventweight", "event weight", "interaction_type", "interaction_type", "interaction_type", ""),
    ("recommendations_placementoverride", "placement", "placement", "placement", "placement", ""),
    ("django_celery_beat_periodictask", "schedule", "id", "name", "id,last_run_at,total_run_count,date_changed", ""),
    ("django_celery_beat_intervalschedule", "interval", "id", "id", "id", ""),
    ("django_celery_beat_crontabschedule", "crontab", "id", "id", "id", ""),
    ("django_celery_beat_clockedschedule", "clocked moment", "id", "id", "id", ""),
    ("django_celery_beat_solarschedule", "solar event", "id", "id", "id", ""),
]
# What the machine writes all the time, and people seldom: table, kind, the columns that are told. Nothing of a shopper.
TOUCHED = [
    ("recommender.recommendations_modelversion", "model version", "state"),
    ("recommender.recommendations_reranker", "reranker", "state"),
    ("recommender.campaigns_outboxmessage", "mail", "state,reason,by_hand"),
    ("recommender.campaigns_suppression", "suppression", "reason"),
]
# What belongs to something: table, kind, the owner's column, table and name, what is owned, its column, table and name.
MEMBERS = [
    ("auth_user_groups", "user", "user_id", "auth_user", "username", "group", "group_id", "auth_group", "name"),
    ("auth_user_user_permissions", "user", "user_id", "auth_user", "username", "permission", "permission_id",
     "auth_permission", "codename"),
    ("auth_group_permissions", "group", "group_id", "auth_group", "name", "permission", "permission_id",
     "auth_permission", "codename"),
    ("recommendations_merchandisingrule_products", "rule", "merchandisingrule_id", "recommendations_merchandisingrule",
     "name", "product", "product_id", "catalog_product", "product_id"),
]  # fmt: skip
BY_PEOPLE = "WHEN (coalesce(current_setting('reemio.actor', true), '') <> '')"


def create() -> str:
    """Return the functions, and a trigger for each table."""
    parts = [FUNCTIONS]
    for table, *row in DECIDED:
        kind, key, name, ignored, secret = row
        parts.append(_trigger(f"recommender.{table}", "", "audit_row", [kind, key, name, ignored, "", secret]))
    for table, kind, kept in TOUCHED:
        parts.append(_trigger(table, BY_PEOPLE, "audit_row", [kind, "id", "id", "", kept, ""]))
    for table, *row in MEMBERS:
        parts.append(_trigger(f"recommender.{table}", "", "audit_member", row))
    return "\n".join(parts)


def drop() -> str:
    """Return what takes all of that away."""
    tables = [f"recommender.{row[0]}" for row in (*DECIDED, *MEMBERS)] + [row[0] for row in TOUCHED]
    triggers = [f"DROP TRIGGER audit ON {table};" for table in tables]
    triggers.append("DROP TRIGGER audit_is_kept ON recommender.audit_entries;")
    functions = [f"DROP FUNCTION recommender.{name}();" for name in ("audit_row", "audit_member", "audit_is_kept")]
    return "\n".join([*triggers, *functions])


def _trigger(table: str, when: str, function: str, arguments: list[str]) -> str:
    said = ", ".join(f"'{argument}'" for argument in arguments)
    return (
        f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW {when} "
        f"EXECUTE FUNCTION recommender.{function}({said});"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("access", "0002_key_origins"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("campaigns", "0002_campaigns_and_ticks"),
        ("catalog", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("recommendations", "0010_rerankers"),
    ]
    operations = [migrations.RunSQL(create(), drop())]
