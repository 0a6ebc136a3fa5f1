"""Merchandising rules in the admin: a list with states, a form, and a preview of what a rule would do."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from recommendations.models import MerchandisingRule
from recommendations.previews import effect_of
from recommendations.querysets import RULE_STATES
from recommendations.rule_forms import PreviewForm, RuleForm, brands, categories

Action = MerchandisingRule.Action
FETCHED = "reemio-preview"


class StateFilter(admin.SimpleListFilter):
    """Where rules stand at this moment."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """List the states."""
        return list(RULE_STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule]) -> QuerySet[MerchandisingRule]:
        """Keep the rules in the state chosen."""
        chosen = self.value()
        found = MerchandisingRule.objects.in_state(chosen, timezone.now()) if chosen in RULE_STATES else None
        return queryset if found is None else queryset.filter(pk__in=found.values("pk"))


class PlacementFilter(admin.SimpleListFilter):
    """Rules that have a say on one placement."""

    title = "placement"
    parameter_name = "placement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """List the placements."""
        return [(place.value, str(place.label)) for place in MerchandisingRule.Place]

    def queryset(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule]) -> QuerySet[MerchandisingRule]:
        """Keep the rules of this placement, and those of all."""
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(placements__contains=[chosen]) | queryset.filter(placements=[])


@admin.register(MerchandisingRule)
class MerchandisingRuleAdmin(admin.ModelAdmin[MerchandisingRule]):
    """What merchants want shown, and what not."""

    form = RuleForm
    change_form_template = "admin/recommendations/merchandisingrule/change_form.html"
    list_display = ["name", "state", "does", "about", "where", "starts_at", "ends_at", "priority", "created_by"]
    list_filter = [StateFilter, "action", PlacementFilter]
    list_select_related = ["created_by"]
    search_fields = ["name", "category", "brand", "products__product_id", "products__title"]
    search_help_text = "Name, category, brand, or a product"
    autocomplete_fields = ["products"]
    actions = ["switch_on", "switch_off"]
    readonly_fields = ["made"]
    fieldsets = [
        (None, {"fields": ["name", "enabled"]}),
        ("What to do", {"fields": ["action", "position", "factor", "priority"]}),
        (
            "With which products",
            {
                "fields": [
                    "products", "category", "brand", ("min_price", "max_price"), ("min_stock", "max_stock"),
                ],
                "description": "A product has to meet every condition that you give.",
            },
        ),
        ("Where and when", {"fields": ["placements", "starts_at", "ends_at", "made"]}),
    ]  # fmt: skip

    class Media:
        css = {"all": ["admin/rules/rules.css"]}
        js = ["admin/rules/rules.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MerchandisingRule]:
        """Bring along what the list says about products: how many, and the first."""
        through = MerchandisingRule.products.through.objects.filter(merchandisingrule=OuterRef("pk")).order_by("pk")
        return (
            super()
            .get_queryset(request)
            .annotate(named=Count("products"), first_named=Subquery(through.values("product__title")[:1]))
        )

    @admin.display(description="state")
    def state(self, rule: MerchandisingRule) -> SafeString:
        """Show where the rule stands."""
        state = rule.state_at(timezone.now())
        return format_html('<span class="rule-state rule-{}">{}</span>', state, RULE_STATES[state])

    @admin.display(description="does", ordering="action")
    def does(self, rule: MerchandisingRule) -> str:
        """Say what the rule does."""
        match rule.action:
            case Action.PIN:
                return f"Pin to place {rule.position}"
            case Action.BOOST:
                return f"Boost × {rule.factor:g}"
            case _:
                return str(rule.get_action_display())

    @admin.display(description="with")
    def about(self, rule: MerchandisingRule) -> str:
        """Say which products the rule is about."""
        parts = []
        named, first = getattr(rule, "named", 0), getattr(rule, "first_named", "") or ""
        if named:
            more = f" and {named - 1} more" if named > 1 else ""
            parts.append(Truncator(first).chars(40) + more)
        parts += [part for part in (rule.category, rule.brand) if part]
        parts += _band("price", rule.min_price, rule.max_price) + _band("stock", rule.min_stock, rule.max_stock)
        return ", ".join(parts)

    @admin.display(description="where")
    def where(self, rule: MerchandisingRule) -> str:
        """Say on which placements."""
        return ", ".join(str(MerchandisingRule.Place(one).label) for one in rule.placements) or "everywhere"

    @admin.display(description="made")
    def made(self, rule: MerchandisingRule) -> str:
        """Say by whom and when."""
        if rule.pk is None:
            return "now, by you"
        return (
            f"{date_format(timezone.localtime(rule.created_at), 'j F Y, H:i')}, by {rule.created_by or 'nobody known'}"
        )

    def save_model(self, request: HttpRequest, obj: MerchandisingRule, form: Any, change: bool) -> None:
        """Remember who made it."""
        if not change and request.user.is_authenticated:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule]) -> None:
        """Let the chosen rules have their say."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule]) -> None:
        """Keep the chosen rules from having a say."""
        self._switch(request, queryset, on=False)

    def get_urls(self) -> list[URLPattern]:
        """Add the preview's address."""
        preview = path("preview/", self.admin_site.admin_view(self.preview), name="recommendations_rule_preview")
        return [preview, *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        """Add what the preview asks for, and names to choose from."""
        more = {"preview_form": PreviewForm(), "categories": categories(), "brands": brands()}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Show a list without and with the rule that the posted form describes; nothing is saved."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        rule = self._stored(request)
        if not (self.has_change_permission(request, rule) if rule else self.has_add_permission(request)):
            raise PermissionDenied
        form = cast(RuleForm, self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule))
        asked = PreviewForm(request.POST)
        sound = form.is_valid() and asked.is_valid()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": "Preview of a rule",
            "effect": effect_of(form.rule(), asked.query()) if sound else None,
            "here": sound and _has_a_say(form, asked),
            "forms": [form, asked],
        }
        fetched = request.headers.get("X-Requested-With") == FETCHED
        name = "effect.html" if fetched else "preview.html"
        return TemplateResponse(request, f"admin/recommendations/merchandisingrule/{name}", context)

    def _stored(self, request: HttpRequest) -> MerchandisingRule | None:
        number = request.POST.get("rule", "")
        return MerchandisingRule.objects.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None

    def _switch(self, request: HttpRequest, queryset: QuerySet[MerchandisingRule], *, on: bool) -> None:
        word, changed = "on" if on else "off", 0
        for rule in queryset.exclude(enabled=on):
            rule.enabled = on
            rule.save(update_fields=["enabled"])
            self.log_change(request, rule, f"Switched {word}.")
            changed += 1
        self.message_user(request, f"{changed} switched {word}.", messages.SUCCESS)


def _has_a_say(form: RuleForm, asked: PreviewForm) -> bool:
    placements = form.cleaned_data["placements"]
    return not placements or asked.cleaned_data["preview_placement"] in placements


def _band(name: str, lowest: Any, highest: Any) -> list[str]:
    if lowest is None and highest is None:
        return []
    if highest is None:
        return [f"{name} from {lowest}"]
    return [f"{name} up to {highest}" if lowest is None else f"{name} {lowest} to {highest}"]
