"""The dashboard's permissions, and three groups of staff that have them."""

from django.db import migrations, models

from analytics.groups import grant

LOOKS = ["analytics.view_analytics", "catalog.view_product", "recommendations.view_modelversion"]
GRANTS = {
    "Analyst": [*LOOKS, "analytics.export_analytics", "recommendations.view_evaluation"],
    "Marketer": [
        *LOOKS,
        "analytics.export_analytics",
        "analytics.view_personal_data",
        "interactions.view_shopper",
    ],
    "Operator": [
        *LOOKS,
        "analytics.change_engine_settings",
        "catalog.view_catalogsync",
        "catalog.add_catalogsync",
        "catalog.view_restock",
        "interactions.view_inboxevent",
        "interactions.change_inboxevent",
        "recommendations.change_modelversion",
        "recommendations.view_evaluation",
        "recommendations.view_eventweight",
    ],
}


def make_groups(apps, schema_editor):
    grant(apps, GRANTS)


def unmake_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GRANTS).delete()


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("catalog", "0001_initial"),
        ("interactions", "0002_inbox"),
        ("recommendations", "0003_evaluation"),
    ]
    operations = [
        migrations.CreateModel(
            name="Dashboard",
            fields=[("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))],
            options={
                "managed": False,
                "default_permissions": (),
                "permissions": [
                    ("view_analytics", "Can look at the analytics pages"),
                    ("export_analytics", "Can download analytics as CSV"),
                    ("view_personal_data", "Can look at single shoppers"),
                    ("change_engine_settings", "Can change event weights, decay and placement settings"),
                ],
            },
        ),
        migrations.RunPython(make_groups, unmake_groups),
    ]
