"""A trigger stamps every written product with the writing transaction's id."""

from django.db import migrations

STAMP = """
CREATE FUNCTION recommender.stamp_changed_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER product_changed_in BEFORE INSERT OR UPDATE ON recommender.catalog_product
    FOR EACH ROW EXECUTE FUNCTION recommender.stamp_changed_in();
"""
UNSTAMP = """
DROP TRIGGER product_changed_in ON recommender.catalog_product;
DROP FUNCTION recommender.stamp_changed_in();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunSQL(STAMP, UNSTAMP)]
