"""API keys in the admin: made here, shown once, revoked here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from reemio.access.models import ApiKey, issue_key
from reemio.access.origins import validate_origin


class ApiKeyForm(forms.ModelForm[ApiKey]):
    """A new key's name, kind and origins; these are checked one by one."""

    origins = SimpleArrayField(
        forms.CharField(max_length=253, validators=[validate_origin]),
        required=False,
        help_text="Pages that may use it in a browser: https://shop.example, separated by commas.",
    )

    class Meta:
        model = ApiKey
        fields = ("name", "kind", "origins")


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    """A list to look at and to revoke from; a key is never changed, and never deleted: its traces stay."""

    list_display = ("name", "kind", "prefix", "created_at", "revoked_at")
    list_filter = ("kind",)
    search_fields = ("name", "prefix")
    fields = ("name", "kind", "origins")
    form = ApiKeyForm
    actions = ("revoke",)
    ordering = ("-created_at",)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Allow the list's actions to who may change keys, but no form for one."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Keep revoked keys for the record."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key; the form's object takes on the stored row."""
        row, key = issue_key(name=obj.name, kind=obj.kind, origins=obj.origins)
        obj.__dict__.update(row.__dict__)
        request.META["reemio.issued_key"] = key

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key, this once: no later page can."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The key, this once",
            "opts": self.opts,
            "row": obj,
            "key": request.META.pop("reemio.issued_key"),
        }
        return TemplateResponse(request, "access/issued.html", context, headers={"Cache-Control": "no-store"})

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Make the selected keys useless from this moment; those revoked before keep their date."""
        count = queryset.filter(revoked_at=None).update(revoked_at=Now())
        self.message_user(request, f"Revoked: {count}.", messages.SUCCESS)
