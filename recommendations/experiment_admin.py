"""Experiments in the admin: defined as a draft, then started, then finished; what ran is never changed afterwards."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from recommendations.contracts import Placement
from recommendations.experiments import WrongExperimentError, finish_experiment, start_experiment, wrong_settings
from recommendations.models import Experiment, ExperimentVariant

FEWEST_VARIANTS = 2
PLACEMENTS = [(one.value, one.value.replace("_", " ").capitalize()) for one in Placement]


class VariantForm(forms.ModelForm[ExperimentVariant]):
    """A variant; what its settings overrule has to be a field of a placement's settings."""

    class Meta:
        model = ExperimentVariant
        fields = ["name", "weight", "settings", "model_version", "merchandising"]

    def clean_settings(self) -> Any:
        """Refuse settings that no placement has."""
        found = self.cleaned_data["settings"] or {}
        if problem := wrong_settings(found):
            raise forms.ValidationError(problem)
        return found


class VariantInline(admin.TabularInline[ExperimentVariant, Experiment]):
    """The ways to answer; the first is what the others are compared with."""

    model = ExperimentVariant
    form = VariantForm
    extra = 0
    min_num = FEWEST_VARIANTS

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft can be changed."""
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft can be changed."""
        return _is_draft(obj) and super().has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft can be changed."""
        return _is_draft(obj) and super().has_delete_permission(request, obj)


class ExperimentForm(forms.ModelForm[Experiment]):
    """An experiment on one of the placements."""

    placement = forms.ChoiceField(choices=PLACEMENTS)

    class Meta:
        model = Experiment
        fields = ["name", "key", "hypothesis", "placement", "share"]


@admin.register(Experiment)
class ExperimentAdmin(admin.ModelAdmin[Experiment]):
    """Comparisons of two or more ways to answer, the latest first."""

    form = ExperimentForm
    inlines = [VariantInline]
    list_display = ["name", "placement", "state", "share", "started_at", "finished_at"]
    list_filter = ["state", "placement"]
    prepopulated_fields = {"key": ["name"]}
    actions = ["start", "finish"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Experiment | None = None) -> Any:
        """Fill in the key of a new experiment only: it never changes."""
        return self.prepopulated_fields if obj is None else {}

    def get_readonly_fields(self, request: HttpRequest, obj: Experiment | None = None) -> list[str]:
        """Let a draft be changed, apart from its key."""
        if obj is None:
            return []
        return ["key"] if _is_draft(obj) else ["name", "key", "hypothesis", "placement", "share"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Show what is fixed as text, by the plain form."""
        if obj is not None and not _is_draft(obj):
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What ran is kept."""
        return (obj is None or _is_draft(obj)) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse to delete what ran, among others, too."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        ran = [str(one) for one in objs if not _is_draft(one)]
        return deleted, counts, needed, [*protected, *ran]

    @admin.action(description="Start", permissions=["change"])
    def start(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Let drafts run; a placement has one running experiment at most."""
        for experiment in queryset:
            try:
                start_experiment(experiment.pk)
            except WrongExperimentError as error:
                self.message_user(request, f"“{experiment}” was not started. {error}", messages.WARNING)
            else:
                self.log_change(request, experiment, "Started.")
                self.message_user(request, f"“{experiment}” runs.", messages.SUCCESS)

    @admin.action(description="Finish", permissions=["change"])
    def finish(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """End running experiments: everybody is answered as before."""
        for experiment in queryset:
            if finish_experiment(experiment.pk):
                self.log_change(request, experiment, "Finished.")
                self.message_user(request, f"“{experiment}” is finished.", messages.SUCCESS)


def _is_draft(experiment: Experiment | None) -> bool:
    return experiment is None or experiment.state == Experiment.State.DRAFT
