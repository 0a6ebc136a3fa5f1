"""Cross-encoders in the admin: what was measured of each, and which one answers."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from interactions.admin import ReadOnlyAdmin
from recommendations.models import Reranker
from recommendations.rerankers import keeping
from recommendations.rerankers.pair_scores import coverage


@admin.register(Reranker)
class RerankerAdmin(ReadOnlyAdmin):
    """Cross-encoders that were trained here: where each helps, and by how much. One of them answers, or none."""

    list_display = ["__str__", "state", "as_of", "created_at", "helps", "scored"]
    list_filter = ["state"]
    actions = ["adopt", "retire"]
    fields = [
        "state", "as_of", "created_at", "activated_at", "what_was_measured", "scored", "figures", "digest", "message"
    ]  # fmt: skip
    readonly_fields = ["what_was_measured", "scored"]

    @admin.display(description="helps on")
    def helps(self, row: Reranker) -> str:
        """Name the placements that it reorders."""
        found = [f"{name} ({chosen['share']:.0%})" for name, chosen in row.placements.items() if chosen["helps"]]
        return ", ".join(found) or "none surely"

    @admin.display(description="what was measured")
    def what_was_measured(self, row: Reranker) -> str:
        """Say for each placement what was found."""
        found = [f"{name}: {row.evidence[name]['says']}" for name in row.placements]
        return "\n".join(found) or "Nothing yet."

    @admin.display(description="scored beforehand")
    def scored(self, row: Reranker) -> str:
        """Count the products whose pairs have scores."""
        found = [f"{count:,} products ({relation})" for relation, count in coverage(row).items()]
        return ", ".join(found) or "none"

    def has_adopt_permission(self, request: HttpRequest) -> bool:
        """Whoever may change cross-encoders in principle may adopt or retire one."""
        return request.user.has_perm("recommendations.change_reranker")

    @admin.action(description="Adopt: let this one answer where it helps", permissions=["adopt"])
    def adopt(self, request: HttpRequest, queryset: QuerySet[Reranker]) -> None:
        """Make the one chosen cross-encoder the active one."""
        chosen = list(queryset[:2])
        if len(chosen) != 1 or chosen[0].state not in (Reranker.State.READY, Reranker.State.RETIRED):
            self.message_user(request, "Choose one that is ready or retired.", messages.WARNING)
            return
        keeping.activate(chosen[0])
        self.log_change(request, chosen[0], "Adopted.")
        self.message_user(request, f"{chosen[0]} answers now, where it was shown to help.", messages.SUCCESS)

    @admin.action(description="Retire: let stage 2's order stand", permissions=["adopt"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Reranker]) -> None:
        """Let no cross-encoder answer."""
        active = queryset.filter(state=Reranker.State.ACTIVE).first()
        if active is None:
            self.message_user(request, "Choose the active one.", messages.WARNING)
            return
        keeping.retire(active)
        self.log_change(request, active, "Retired.")
        self.message_user(request, f"{active} answers no more; stage 2's order stands.", messages.SUCCESS)
