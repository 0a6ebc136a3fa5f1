"""Who decides: marketers define experiments and merchandising rules; analysts and operators look at them."""

from django.db import migrations

from analytics.groups import grant

MODELS = ("experiment", "experimentvariant", "merchandisingrule")
LOOKS = [f"recommendations.view_{model}" for model in MODELS]
GRANTS = {
    "Analyst": LOOKS,
    "Marketer": [*LOOKS, *(f"recommendations.{verb}_{model}" for verb in ("add", "change", "delete") for model in MODELS)],
    "Operator": LOOKS,
}


def give(apps, schema_editor):
    grant(apps, GRANTS)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0011_mails"), ("recommendations", "0013_likeness")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
