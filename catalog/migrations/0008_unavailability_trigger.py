"""A trigger notes from when to when a product could not be bought."""

from django.db import migrations

CREATE = """
CREATE FUNCTION recommender.note_unavailability() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_active AND NEW.stock_quantity IS DISTINCT FROM 0 THEN
        UPDATE recommender.catalog_unavailability SET ended_at = clock_timestamp()
        WHERE product_id = NEW.id AND ended_at IS NULL;
    ELSE
        INSERT INTO recommender.catalog_unavailability (product_id, began_at) VALUES (NEW.id, clock_timestamp())
        ON CONFLICT (product_id) WHERE ended_at IS NULL DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER product_came_sold_out AFTER INSERT ON recommender.catalog_product
    FOR EACH ROW WHEN (NOT NEW.is_active OR NEW.stock_quantity = 0) EXECUTE FUNCTION recommender.note_unavailability();
CREATE TRIGGER product_availability_changed AFTER UPDATE OF stock_quantity, is_active ON recommender.catalog_product
    FOR EACH ROW WHEN (
        (NEW.is_active AND NEW.stock_quantity IS DISTINCT FROM 0)
        IS DISTINCT FROM (OLD.is_active AND OLD.stock_quantity IS DISTINCT FROM 0)
    ) EXECUTE FUNCTION recommender.note_unavailability();
INSERT INTO recommender.catalog_unavailability (product_id)
SELECT id FROM recommender.catalog_product WHERE NOT is_active OR stock_quantity = 0;
"""
DROP = """
DROP TRIGGER product_availability_changed ON recommender.catalog_product;
DROP TRIGGER product_came_sold_out ON recommender.catalog_product;
DROP FUNCTION recommender.note_unavailability();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_unavailability")]
    operations = [migrations.RunSQL(CREATE, DROP)]
