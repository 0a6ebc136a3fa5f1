"""What analytics keeps; and who may look at it."""

from django.db import models


class Dashboard(models.Model):
    """No table: the holder of the dashboard's permissions."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_analytics", "Can look at the analytics pages"),
            ("export_analytics", "Can download analytics as CSV"),
            ("view_personal_data", "Can look at single shoppers"),
            ("change_engine_settings", "Can change event weights, decay and placement settings"),
        ]

    def __str__(self) -> str:
        return "Dashboard"
