"""The index for "how many people viewed or bought this product" holds the people, too; made while the shop goes on."""

from django.db import migrations, models

CREATE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS interaction_product_persons
ON recommender.user_interactions (product_id, interaction_type, occurred_at) INCLUDE (user_id, session_id)
WHERE interaction_type IN ('view', 'purchase')
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS recommender.interaction_product_persons"
CREATE_FORMER = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS interaction_product_people
ON recommender.user_interactions (product_id, interaction_type, occurred_at)
WHERE interaction_type IN ('view', 'purchase')
"""
DROP_FORMER = "DROP INDEX CONCURRENTLY IF EXISTS recommender.interaction_product_people"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("interactions", "0005_product_interest")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, DROP), migrations.RunSQL(DROP_FORMER, CREATE_FORMER)],
            state_operations=[
                migrations.RemoveIndex(model_name="interaction", name="interaction_product_people"),
                migrations.AddIndex(
                    model_name="interaction",
                    index=models.Index(
                        condition=models.Q(("interaction_type__in", ["view", "purchase"])),
                        fields=["product_id", "interaction_type", "occurred_at"],
                        include=["user_id", "session_id"],
                        name="interaction_product_persons",
                    ),
                ),
            ],
        )
    ]
