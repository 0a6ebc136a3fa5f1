"""An index for rows of the inbox that could not be understood: an erasure looks through them, and the admin lists them."""

from django.db import migrations

CREATE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS reemio_events_failed ON public.events (id) WHERE error IS NOT NULL
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS public.reemio_events_failed"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("interactions", "0007_vacuum_sooner")]
    operations = [migrations.RunSQL(CREATE, DROP)]
