"""Emptying old search texts is no reason to count anything again: the trigger keeps quiet where retention says so."""

from django.db import migrations

QUIET = """
CREATE OR REPLACE TRIGGER touch_changed_events AFTER UPDATE ON recommender.user_interactions
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT
    WHEN (coalesce(current_setting('reemio.retention', true), '') <> 'on')
    EXECUTE FUNCTION recommender.touch_changed_events();
"""
ALWAYS = """
CREATE OR REPLACE TRIGGER touch_changed_events AFTER UPDATE ON recommender.user_interactions
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION recommender.touch_changed_events();
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0008_closed_days")]
    operations = [migrations.RunSQL(QUIET, ALWAYS)]
