"""Auditors look at who changed what, and take it away as a file; operators look, too."""

from django.db import migrations

from analytics.groups import grant

GRANTS = {"Auditor": ["audit.view_auditentry", "analytics.export_analytics"], "Operator": ["audit.view_auditentry"]}


def give(apps, schema_editor):
    grant(apps, GRANTS)


def take(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name="Auditor").delete()


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_mail_permissions"), ("audit", "0001_initial")]
    operations = [migrations.RunPython(give, take)]
