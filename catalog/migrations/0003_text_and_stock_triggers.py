"""Triggers note what a write to a product sets off: a text to embed, a stock that rose from 0."""

from django.db import migrations

CREATE = """
CREATE FUNCTION recommender.note_embedding_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.catalog_embeddingdue (product_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER product_text_is_new AFTER INSERT ON recommender.catalog_product
    FOR EACH ROW EXECUTE FUNCTION recommender.note_embedding_due();
CREATE TRIGGER product_text_changed AFTER UPDATE OF title, category, brand, description ON recommender.catalog_product
    FOR EACH ROW WHEN (
        (OLD.title, OLD.category, OLD.brand, OLD.description)
        IS DISTINCT FROM (NEW.title, NEW.category, NEW.brand, NEW.description)
    ) EXECUTE FUNCTION recommender.note_embedding_due();

CREATE FUNCTION recommender.note_restock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.catalog_restock (product_id, stock_quantity) VALUES (NEW.id, NEW.stock_quantity);
    RETURN NULL;
END $$;
CREATE TRIGGER product_restocked AFTER UPDATE OF stock_quantity ON recommender.catalog_product
    FOR EACH ROW WHEN (OLD.stock_quantity = 0 AND NEW.stock_quantity IS DISTINCT FROM 0)
    EXECUTE FUNCTION recommender.note_restock();
"""
DROP = """
DROP TRIGGER product_restocked ON recommender.catalog_product;
DROP TRIGGER product_text_changed ON recommender.catalog_product;
DROP TRIGGER product_text_is_new ON recommender.catalog_product;
DROP FUNCTION recommender.note_restock();
DROP FUNCTION recommender.note_embedding_due();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_changed_in")]
    operations = [migrations.RunSQL(CREATE, DROP)]
