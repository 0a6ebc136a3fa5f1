"""An index over what must be empty: products that were served while they were sold out; made while the shop goes on."""

from django.db import migrations, models

CREATE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS served_out_of_stock
ON recommender.analytics_productrollup (grain, starts_at) WHERE out_of_stock > 0
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS recommender.served_out_of_stock"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0009_quiet_retention")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, DROP)],
            state_operations=[
                migrations.AddIndex(
                    model_name="productrollup",
                    index=models.Index(
                        condition=models.Q(("out_of_stock__gt", 0)),
                        fields=["grain", "starts_at"],
                        name="served_out_of_stock",
                    ),
                )
            ],
        )
    ]
