"""An index over what must be empty: products that were served while they were sold out."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0009_quiet_retention")]
    operations = [
        AddIndexConcurrently(
            "productrollup",
            models.Index(
                fields=["grain", "starts_at"], name="served_out_of_stock", condition=models.Q(out_of_stock__gt=0)
            ),
        ),
    ]
