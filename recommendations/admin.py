"""The engine in the admin: its versions, its event weights, what it served, and how good it was measured to be."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.text import Truncator

from interactions.admin import ReadOnlyAdmin, UncountedPaginator
from recommendations.configuration import default_event_weights
from recommendations.evaluation.comparison import compared, tables_of
from recommendations.experiment_admin import ExperimentAdmin
from recommendations.learning import versions
from recommendations.models import Evaluation, EventWeight, ModelVersion, ServedList, SettingsChange
from recommendations.reranker_admin import RerankerAdmin
from recommendations.rule_admin import MerchandisingRuleAdmin

__all__ = ["ExperimentAdmin", "MerchandisingRuleAdmin", "RerankerAdmin"]

MOST_COMPARED = 6
ADOPTABLE = [ModelVersion.State.READY, ModelVersion.State.RETIRED]


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    """Runs of `manage.py evaluate`, and several of them side by side."""

    list_display = ["__str__", "created_at", "as_of", "model_version", "headline", "seconds"]
    list_filter = ["model_version"]
    date_hierarchy = "created_at"
    actions = ["compare"]
    change_form_template = "admin/recommendations/evaluation/change_form.html"
    fields = ["created_at", "as_of", "model_version", "seed", "seconds", "settings"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Evaluation]:
        """Show the latest first."""
        return super().get_queryset(request).order_by("-pk")

    @admin.display(description="NDCG@10")
    def headline(self, evaluation: Evaluation) -> str:
        """Show the engine's NDCG of each task that had cases."""
        found = [
            f"{task['task']} {task['methods'][0]['ndcg']['mean']:.4f}"
            for task in evaluation.results["tasks"]
            if task["methods"]
        ]
        return ", ".join(found) or "no cases"

    def get_urls(self) -> list[URLPattern]:
        """Add the page that compares."""
        page = path(
            "compare/", self.admin_site.admin_view(self.compare_page), name="recommendations_evaluation_compare"
        )
        return [page, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the tables below the fields."""
        found = Evaluation.objects.filter(pk=object_id).first() if _is_number(object_id) else None
        tables = tables_of(found) if found else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "tables": tables})

    @admin.action(description="Show side by side", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Evaluation]) -> HttpResponse | None:
        """Go to the page that compares the chosen runs."""
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True))
        if not 2 <= len(chosen) <= MOST_COMPARED:
            self.message_user(request, f"Choose two to {MOST_COMPARED} evaluations.", messages.WARNING)
            return None
        address = reverse("admin:recommendations_evaluation_compare")
        return HttpResponseRedirect(f"{address}?{urlencode([('run', pk) for pk in chosen])}")

    def compare_page(self, request: HttpRequest) -> HttpResponse:
        """Show the runs named in the address side by side: a row for each task and metric, a column for each run."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        numbers = [int(one) for one in request.GET.getlist("run") if _is_number(one)][:MOST_COMPARED]
        runs = list(Evaluation.objects.filter(pk__in=numbers).order_by("pk"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Evaluations side by side",
            "comparison": compared(runs),
        }
        return TemplateResponse(request, "admin/recommendations/evaluation/compare.html", context)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Trainings. One version answers; another can be adopted, and the one before it brought back."""

    change_list_template = "admin/recommendations/modelversion/change_list.html"
    list_display = ["__str__", "state", "as_of", "created_at", "activated_at", "summary"]
    list_filter = ["state"]
    actions = ["adopt"]
    fields = ["state", "as_of", "created_at", "activated_at", "settings", "figures", "evidence", "message"]

    @admin.display(description="what it learned from")
    def summary(self, version: ModelVersion) -> str:
        """Show the counts of the training, or why it failed."""
        if version.message:
            return Truncator(version.message).chars(80)
        counts = [
            f"{name} {version.figures[name]:,}" for name in ("events", "persons", "products") if name in version.figures
        ]
        return ", ".join(counts)

    def has_adopt_permission(self, request: HttpRequest) -> bool:
        """Whoever may change versions in principle may adopt one; their rows stay as training wrote them."""
        return request.user.has_perm("recommendations.change_modelversion")

    @admin.action(description="Adopt: let this version answer", permissions=["adopt"])
    def adopt(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Make the one chosen version the active one."""
        chosen = list(queryset[:2])
        if len(chosen) != 1 or chosen[0].state not in ADOPTABLE:
            self.message_user(request, "Choose one version that is ready or retired.", messages.WARNING)
            return
        self._activate(request, chosen[0])

    def get_urls(self) -> list[URLPattern]:
        """Add the button's address."""
        revert = path("revert/", self.admin_site.admin_view(self.revert), name="recommendations_modelversion_revert")
        return [revert, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Tell the page which version a revert would leave, and which it would bring back."""
        active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
        earlier = _before(active) if active and self.has_adopt_permission(request) else None
        return super().changelist_view(request, {**(extra_context or {}), "answering": active, "earlier": earlier})

    def revert(self, request: HttpRequest) -> HttpResponse:
        """Bring back the version before the active one, if the active one is still the one that the page showed."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_adopt_permission(request):
            raise PermissionDenied
        active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
        earlier = _before(active) if active else None
        if active is None or str(active.pk) != request.POST.get("answering") or earlier is None:
            self.message_user(request, "Nothing was changed: another version answers by now.", messages.WARNING)
        else:
            self._activate(request, earlier)
        return HttpResponseRedirect(reverse("admin:recommendations_modelversion_changelist"))

    def _activate(self, request: HttpRequest, version: ModelVersion) -> None:
        versions.activate(version)
        moment = f"{version.as_of:%Y-%m-%d %H:%M}"
        self.log_change(request, version, "Adopted.")
        self.message_user(
            request, f"{version} answers now; it learned from everything up to {moment}.", messages.SUCCESS
        )


def _before(active: ModelVersion) -> ModelVersion | None:
    """Return the latest version below the active one that has answered before."""
    retired = ModelVersion.objects.filter(state=ModelVersion.State.RETIRED, activated_at__isnull=False)
    return retired.filter(pk__lt=active.pk).order_by("-pk").first()


@admin.register(EventWeight)
class EventWeightAdmin(ReadOnlyAdmin):
    """How much each kind of event counts, where it differs from the default. Changed on the page of the engine."""

    list_display = ["interaction_type", "weight", "usual"]

    @admin.display(description="default")
    def usual(self, weight: EventWeight) -> str:
        """Show what would count without this row."""
        found = default_event_weights().get(weight.interaction_type)
        return "–" if found is None else f"{found:g}"


@admin.register(SettingsChange)
class SettingsChangeAdmin(ReadOnlyAdmin):
    """Who changed which setting."""

    list_display = ["changed_at", "changed_by", "subject", "before", "after"]
    list_filter = ["subject"]


@admin.register(ServedList)
class ServedListAdmin(ReadOnlyAdmin):
    """What was shown to whom, the latest first."""

    change_form_template = "admin/recommendations/servedlist/change_form.html"

    list_display = [
        "served_at",
        "placement",
        "strategy",
        "user_id",
        "session_id",
        "model_version",
        "length",
        "milliseconds",
    ]
    list_filter = ["placement", "strategy"]
    search_fields = ["user_id__exact"]
    search_help_text = "A user's whole id."
    ordering = ["-served_at"]
    paginator = UncountedPaginator
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="items")
    def length(self, served: ServedList) -> int:
        """Count the products of the list."""
        return len(served.products)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
