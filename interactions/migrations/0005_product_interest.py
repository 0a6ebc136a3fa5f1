"""An index for "who wished for this product, or had it in the cart"; made while the shop goes on."""

from django.db import migrations, models

CREATE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS interaction_product_interest
ON recommender.user_interactions (product_id, occurred_at)
WHERE interaction_type IN ('wishlist_add', 'cart_add', 'cart_remove', 'purchase')
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS recommender.interaction_product_interest"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("interactions", "0004_refunds")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, DROP)],
            state_operations=[
                migrations.AddIndex(
                    model_name="interaction",
                    index=models.Index(
                        condition=models.Q(
                            ("interaction_type__in", ["wishlist_add", "cart_add", "cart_remove", "purchase"])
                        ),
                        fields=["product_id", "occurred_at"],
                        name="interaction_product_interest",
                    ),
                )
            ],
        )
    ]
