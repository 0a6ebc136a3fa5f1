"""Retention in the admin: looked at, never edited."""

from typing import Any

from django.contrib import admin
from django.db.models import Model

from interactions.admin import ReadOnlyAdmin
from reemio.retention.clearing import days_of
from reemio.retention.models import Clearing


@admin.register(Clearing)
class ClearingAdmin(ReadOnlyAdmin):
    """What is kept how long, and what has gone."""

    list_display = ["kind", "kept_for", "cleared", "finished_at"]

    @admin.display(description="kept for")
    def kept_for(self, row: Model) -> Any:
        """Show the setting."""
        days = days_of(str(row.pk))
        return f"{days:,} days" if days else "ever"
