"""A trigger notes a stock that fell to 0, as another one notes a rise from 0."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

CREATE = """
CREATE FUNCTION recommender.note_sold_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.catalog_soldout (product_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER product_sold_out AFTER UPDATE OF stock_quantity ON recommender.catalog_product
    FOR EACH ROW WHEN (NEW.stock_quantity = 0 AND OLD.stock_quantity IS DISTINCT FROM 0)
    EXECUTE FUNCTION recommender.note_sold_out();
"""
DROP = """
DROP TRIGGER product_sold_out ON recommender.catalog_product;
DROP FUNCTION recommender.note_sold_out();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_schedules")]
    operations = [
        migrations.CreateModel(
            name="SoldOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sold_out_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.product"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "sold out",
                "indexes": [models.Index(fields=["product", "-sold_out_at"], name="sold_out_product")],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
