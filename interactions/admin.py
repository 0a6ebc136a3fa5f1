"""The admin's pages of `interactions`: people, what they did, and the rows of the inbox that failed."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode

from interactions.models import InboxEvent, Interaction, MergedSession, Shopper
from interactions.services.inbox import try_again

if TYPE_CHECKING:
    Pages = Paginator[Any]
    Page = admin.ModelAdmin[Any]
else:
    Pages = Paginator
    Page = admin.ModelAdmin

# Deep pages of a huge table are read by nobody, and would be slow: filters lead to what is wanted.
FARTHEST_ROW = 10_000


class UncountedPaginator(Pages):
    """Counts no further than the last page that it offers: counting ten million rows takes seconds."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, `FARTHEST_ROW` at most."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[:FARTHEST_ROW].count()
        return len(rows)


class ReadOnlyAdmin(Page):
    """Rows that are looked at and not edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes: a person is erased through the API, whole."""
        return False


@admin.register(Shopper)
class ShopperAdmin(ReadOnlyAdmin):
    """People. Their profiles are the shop's, which sends them."""

    list_display = ["user_id", "name", "email", "timezone", "marketing_consent", "created_at", "history"]
    list_filter = ["marketing_consent"]
    change_form_template = "admin/interactions/shopper/change_form.html"
    search_fields = ["=user_id", "name", "email"]
    ordering = ["-pk"]

    @admin.display(description="What they did")
    def history(self, shopper: Shopper) -> str:
        """Link to the person's events."""
        address = reverse("admin:interactions_interaction_changelist")
        return format_html('<a href="{}?{}">Events</a>', address, urlencode({"user_id": shopper.user_id}))


@admin.register(MergedSession)
class MergedSessionAdmin(ReadOnlyAdmin):
    """Which session is whose."""

    list_display = ["session_id", "user_id", "merged_at"]
    search_fields = ["=session_id", "=user_id"]
    ordering = ["-pk"]


@admin.register(Interaction)
class InteractionAdmin(ReadOnlyAdmin):
    """Events, the newest first."""

    list_display = [
        "occurred_at", "interaction_type", "user_id", "session_id", "product_id", "search_query", "quantity",
        "recommendation_context",
    ]  # fmt: skip
    list_filter = ["interaction_type", "recommendation_context"]
    search_fields = ["=user_id", "=session_id", "=event_id"]
    search_help_text = "A user's, a session's or an event's whole id."
    ordering = ["-pk"]
    paginator = UncountedPaginator
    show_full_result_count = False
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the link from a person's row."""
        return lookup in {"user_id", "session_id"} or super().lookup_allowed(lookup, value, request)


class OutcomeFilter(admin.SimpleListFilter):
    """What became of a row: the failed ones first, since they want something."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the outcomes."""
        return [("failed", "Failed"), ("waiting", "Waiting"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> QuerySet[InboxEvent]:
        """Keep the chosen outcome."""
        if self.value() == "failed":
            return queryset.exclude(error=None)
        if self.value() == "waiting":
            return queryset.filter(processed_at=None)
        if self.value() == "done":
            return queryset.filter(error=None).exclude(processed_at=None)
        return queryset


@admin.register(InboxEvent)
class InboxEventAdmin(ReadOnlyAdmin):
    """Rows of `public.events`; what failed can be tried again, after its cause was mended."""

    list_display = ["id", "event_type", "created_at", "processed_at", "error"]
    list_filter = [OutcomeFilter]
    ordering = ["-pk"]
    actions = ["try_again"]
    paginator = UncountedPaginator
    show_full_result_count = False

    def has_try_permission(self, request: HttpRequest) -> bool:
        """Whoever may change rows in principle may try them again."""
        return request.user.has_perm("interactions.change_inboxevent")

    @admin.action(description="Try again", permissions=["try"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        """Make the chosen failed rows unprocessed."""
        count = try_again(queryset)
        self.message_user(request, f"{count} rows will be tried again within ten seconds.", messages.SUCCESS)
