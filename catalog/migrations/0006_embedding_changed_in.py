"""Embeddings carry the id of the transaction that wrote them, as products do."""

from django.db import migrations, models

STAMP = """
CREATE TRIGGER embedding_changed_in BEFORE INSERT OR UPDATE ON recommender.catalog_productembedding
    FOR EACH ROW EXECUTE FUNCTION recommender.stamp_changed_in();
"""
UNSTAMP = "DROP TRIGGER embedding_changed_in ON recommender.catalog_productembedding;"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_sold_out")]
    operations = [
        migrations.AddField(
            model_name="productembedding",
            name="changed_in",
            field=models.BigIntegerField(db_default=0, editable=False),
        ),
        migrations.AddIndex(
            model_name="productembedding",
            index=models.Index(fields=["changed_in"], name="embedding_changed_in"),
        ),
        migrations.RunSQL(STAMP, UNSTAMP),
    ]
