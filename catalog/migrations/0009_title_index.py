"""An index for exact names."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_unavailability_trigger")]
    operations = [
        migrations.AddIndex(
            model_name="product",
            index=models.Index(django.db.models.functions.text.Lower("title"), name="product_title_lower"),
        ),
    ]
