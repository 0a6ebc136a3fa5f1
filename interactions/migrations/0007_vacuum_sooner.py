"""Clean up `user_interactions` by the hundredth of its rows, not by the fifth: at a billion that would be 200 million."""

from django.db import migrations

SOONER = """
ALTER TABLE user_interactions SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.01
)
"""
AS_EVER = """
ALTER TABLE user_interactions RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor
)
"""


class Migration(migrations.Migration):
    dependencies = [("interactions", "0006_product_persons")]

    operations = [migrations.RunSQL(SOONER, AS_EVER)]
