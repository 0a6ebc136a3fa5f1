"""An index that finds the mail of a list; made while mails are sent."""

from django.db import migrations, models

CREATE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_request
ON recommender.campaigns_outboxmessage (request_id) WHERE request_id IS NOT NULL
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS recommender.outbox_request"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("campaigns", "0002_campaigns_and_ticks")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, DROP)],
            state_operations=[
                migrations.AddIndex(
                    model_name="outboxmessage",
                    index=models.Index(
                        condition=models.Q(("request_id__isnull", False)),
                        fields=["request_id"],
                        name="outbox_request",
                    ),
                )
            ],
        )
    ]
