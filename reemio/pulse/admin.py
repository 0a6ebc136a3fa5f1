"""Background tasks in the admin: looked at, never edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from reemio.pulse.models import TaskPulse


@admin.register(TaskPulse)
class TaskPulseAdmin(admin.ModelAdmin[TaskPulse]):
    """Which task ran when, how long, and what went wrong."""

    list_display = ("task", "last_ended_at", "last_succeeded_at", "last_seconds", "runs", "failures", "last_error")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody makes one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes one."""
        return False
