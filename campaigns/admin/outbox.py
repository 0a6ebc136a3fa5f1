"""The outbox: who got what, and who did not and why."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from campaigns.gate import REASONS
from campaigns.identities import address_hash
from campaigns.models import MessageEvent, OutboxMessage
from campaigns.services.resend import cancel, send_again
from interactions.admin import ReadOnlyAdmin, UncountedPaginator


class ReasonFilter(admin.SimpleListFilter):
    """Why a message was not sent, in the gate's order."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name all reasons."""
        return [(reason, reason.replace("_", " ")) for reason in REASONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> QuerySet[OutboxMessage]:
        """Keep the chosen one."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


class EventInline(admin.TabularInline[MessageEvent, OutboxMessage]):
    """What happened to the message after it left."""

    model = MessageEvent
    fields = ("occurred_at", "kind", "link", "machine", "detail", "received_at", "applied_at")
    readonly_fields = fields
    can_delete = False
    extra = 0
    ordering = ["occurred_at", "pk"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Messages, the newest first; searched by person, address or reason."""

    list_display = ["planned_at", "campaign", "user_id", "state", "reason", "detail", "due_at", "sent_at", "arm"]
    list_filter = ["campaign", "state", ReasonFilter, "dry_run", "by_hand"]
    list_select_related = ["campaign"]
    search_fields = ["=user_id", "=reason", "=public_id"]
    search_help_text = "A user's whole id, a whole address, or a reason."
    ordering = ["-pk"]
    actions = ["send_again", "cancel"]
    inlines = [EventInline]
    paginator = UncountedPaginator
    show_full_result_count = False
    list_per_page = 50
    fields = [
        "campaign", "user_id", "state", "reason", "detail", "occasion", "trigger", "planned_at", "due_at", "expires_at",
        "handed_off_at", "sent_at", "finished_at", "attempts", "arm", "content", "request_id", "public_id",
        "provider_id", "dry_run", "by_hand",
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage], search_term: str
    ) -> tuple[QuerySet[OutboxMessage], bool]:
        """Find an address by its hash, which is all that the outbox knows of it; other terms as they are."""
        if "@" in search_term:
            person = Q(address_hash=address_hash(search_term)) | Q(user_id=search_term.strip())
            return queryset.filter(person), False
        if search_term.strip() in REASONS:
            return queryset.filter(reason=search_term.strip()), False
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow links from a person's page."""
        return lookup == "user_id" or super().lookup_allowed(lookup, value, request)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Only those who were trusted with it may risk a second mail."""
        return request.user.has_perm("campaigns.resend_outboxmessage")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may switch campaigns may cancel single messages."""
        return request.user.has_perm("campaigns.switch_campaign")

    @admin.action(description="Send again (only unknown ones; may arrive twice)", permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        """Plan the chosen messages anew."""
        count = send_again(list(queryset.values_list("pk", flat=True)), now=timezone.now())
        self.message_user(request, f"{count} planned again; the gate decides once more.", messages.SUCCESS)

    @admin.action(description="Cancel (only planned ones)", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        """Cancel the chosen messages."""
        count = cancel(list(queryset.values_list("pk", flat=True)), now=timezone.now())
        self.message_user(request, f"{count} cancelled.", messages.SUCCESS)
