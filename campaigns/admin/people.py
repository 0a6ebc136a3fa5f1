"""Who is left alone, who left which topic, and who waits for a product."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from campaigns.identities import address_hash, user_hash
from campaigns.models import StockAlert, Suppression, TopicChoice
from interactions.admin import Page, ReadOnlyAdmin, UncountedPaginator


class HashedAdmin(ReadOnlyAdmin):
    """Rows that know people by a keyed hash only: found by the address or the user's id, which is hashed to look."""

    search_fields = ["=subject_hash"]
    search_help_text = "A whole address, or a user's whole id."
    paginator = UncountedPaginator
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look for the hashes of the term."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(subject_hash__in=[address_hash(search_term), user_hash(search_term.strip())]), False


@admin.register(Suppression)
class SuppressionAdmin(HashedAdmin):
    """Who gets no mail, and why. Deleting a row lifts it."""

    list_display = ["created_at", "reason", "subject_hash", "message"]
    list_filter = ["reason"]
    ordering = ["-pk"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who were given the permission may lift a suppression, at a person's own wish."""
        return Page.has_delete_permission(self, request, obj)


@admin.register(TopicChoice)
class TopicChoiceAdmin(HashedAdmin):
    """Who wants which topic."""

    list_display = ["changed_at", "topic", "wanted", "subject_hash"]
    list_filter = ["topic", "wanted"]
    ordering = ["-pk"]


@admin.register(StockAlert)
class StockAlertAdmin(ReadOnlyAdmin):
    """Who asked to be told."""

    list_display = ["created_at", "product", "user_id", "email", "used_at"]
    list_filter = [("used_at", admin.EmptyFieldListFilter)]
    list_select_related = ["product"]
    search_fields = ["=user_id", "=email", "=product__product_id"]
    search_help_text = "A user's whole id, a whole address, or a product's whole id."
    ordering = ["-pk"]
    paginator = UncountedPaginator
    show_full_result_count = False
