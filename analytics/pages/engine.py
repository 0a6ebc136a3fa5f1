"""The engine's settings: event weights and how each placement scores; previewed first, kept with their authors."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from kombu.exceptions import OperationalError

from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.filters import EVENTS, PLACEMENTS
from analytics.pages.page import PERSONAL, SETTINGS, VIEW, Asked, Page
from analytics.pages.parts import Empty
from analytics.pages.tables import Table
from interactions.weights import DECAY_DAYS
from recommendations import engine_settings, pipeline, previews, selectors
from recommendations.configuration import default_event_weights, from_json, overruled
from recommendations.contracts import Placement, Query
from recommendations.models import SettingsChange
from recommendations.shelf import shelf
from recommendations.tasks import recount_popularity

PREVIEWED = 12
NAMES: Mapping[str, str] = {one.value: PLACEMENTS[one.value] for one in Placement}
SUBJECTS: Mapping[str, str] = {
    engine_settings.EVENT_WEIGHTS: "Event weights",
    **{f"placement:{name}": label for name, label in NAMES.items()},
}


class PreviewFields(forms.Form):
    """Whose list is looked at before and after."""

    user = forms.CharField(label="Shopper (id)", max_length=128, required=False)
    product = forms.CharField(label="Product or cart (ids)", max_length=1000, required=False)

    def query(self, placement: str, *, may_name_people: bool) -> Query:
        """Return the question to the engine. Without the permission nobody is named."""
        asked = self.cleaned_data
        anchors = tuple(part.strip() for part in asked["product"].split(",") if part.strip())
        user = asked["user"] if may_name_people else ""
        return Query(Placement(placement), PREVIEWED, user_id=user, anchors=anchors)


class WeightsForm(PreviewFields):
    """How much each kind of event counts."""

    where = forms.ChoiceField(label="List", choices=list(NAMES.items()), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, usual in default_event_weights().items():
            self.fields[kind] = forms.FloatField(
                label=EVENTS[kind], min_value=-10, max_value=10, help_text=f"default {usual:g}", step_size=0.05
            )

    def weights(self) -> dict[str, float]:
        """Return the weights that were sent."""
        return {kind: self.cleaned_data[kind] for kind in default_event_weights()}

    @property
    def kinds(self) -> list[forms.BoundField]:
        """Return the fields of the weights."""
        return [self[kind] for kind in default_event_weights()]


class PlacementForm(PreviewFields):
    """How a placement scores, and how varied its lists are."""

    own = forms.TypedChoiceField(
        label="Scoring",
        choices=[("", "as the model version was tuned"), ("own", "by the weights below")],
        required=False,
    )
    content = forms.FloatField(label="Content", min_value=0, max_value=1, step_size=0.05, required=False)
    collaborative = forms.FloatField(label="Collaborative", min_value=0, max_value=1, step_size=0.05, required=False)
    popularity = forms.FloatField(label="Popularity", min_value=0, max_value=1, step_size=0.05, required=False)
    category_share = forms.IntegerField(label="Most of one category (%)", min_value=1, max_value=100)
    brand_share = forms.IntegerField(label="Most of one brand (%)", min_value=1, max_value=100)

    def clean(self) -> dict[str, Any]:
        """Demand weights that say something where the placement shall score by its own."""
        found = super().clean() or {}
        if found.get("own") and not sum(found.get(name) or 0 for name in ("content", "collaborative", "popularity")):
            self.add_error("own", "At least one of the three weights has to be above 0.")
        return found

    def fields_of(self) -> dict[str, Any]:
        """Return what is overruled."""
        sent = self.cleaned_data
        shares = {name: round(sent[name] / 100, 4) for name in ("category_share", "brand_share")}
        if not sent["own"]:
            return shares
        names = ("content", "collaborative", "popularity")
        total = sum(sent[name] or 0 for name in names)
        return shares | engine_settings.own_weights(*(round((sent[name] or 0) / total, 4) for name in names))


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the forms with what holds now."""
    placement = _placement(asked)
    return {
        "weights_form": WeightsForm(initial=engine_settings.current_event_weights()),
        "placement_form": PlacementForm(initial=_initial(placement)),
        "placement": placement,
        "placements": [(name, label, name == placement) for name, label in NAMES.items()],
        "overruled": placement in selectors.placement_overrides(),
        "decay_days": f"{DECAY_DAYS:g}",
        "may_name_people": asked.may(PERSONAL),
        "kinds_open": True,
    }


def post(asked: Asked) -> HttpResponse | Mapping[str, Any]:
    """Preview or save what was sent. Refused input changes nothing."""
    data = asked.request.POST
    match data.get("what"):
        case "weights":
            return _weights(asked, WeightsForm(data))
        case "placement":
            return _placed(asked, PlacementForm(data))
        case "return":
            return _returned(asked)
    return HttpResponseRedirect(reverse("admin:analytics_engine"))


def _weights(asked: Asked, form: WeightsForm) -> HttpResponse | Mapping[str, Any]:
    if not form.is_valid():
        return {"weights_form": form}
    if "save" not in asked.request.POST:
        query = form.query(form.cleaned_data["where"] or Placement.HOMEPAGE, may_name_people=asked.may(PERSONAL))
        before = engine_settings.list_by(query, weights=engine_settings.current_event_weights())
        after = engine_settings.list_by(query, weights=form.weights())
        return {"weights_form": form, "weights_effect": previews.compared(before, after)}
    if engine_settings.change_event_weights(form.weights(), by=asked.request.user.get_username()):
        _recount(asked)
    else:
        messages.info(asked.request, "Nothing was changed: these weights hold already.")
    return HttpResponseRedirect(reverse("admin:analytics_engine"))


def _recount(asked: Asked) -> None:
    try:
        recount_popularity.apply_async(retry=False)
    except OperationalError:
        messages.warning(
            asked.request,
            "The weights hold from now on. The task queue does not answer: popularity follows at the next training.",
        )
    else:
        messages.success(asked.request, "The weights hold from now on. Tastes and popularity are being recounted.")


def _placed(asked: Asked, form: PlacementForm) -> HttpResponse | Mapping[str, Any]:
    placement = _placement(asked)
    if not form.is_valid():
        return {"placement_form": form}
    if "save" not in asked.request.POST:
        query = form.query(placement, may_name_people=asked.may(PERSONAL))
        proposed = engine_settings.with_placement(placement, form.fields_of())
        before, after = pipeline.recommend(query).items, pipeline.recommend(query, version=proposed).items
        return {"placement_form": form, "placement_effect": previews.compared(before, after)}
    changed = engine_settings.change_placement(placement, form.fields_of(), by=asked.request.user.get_username())
    _told(asked, changed, f"{NAMES[placement]}: the settings hold within a few seconds.")
    return HttpResponseRedirect(f"{reverse('admin:analytics_engine')}?placement={placement}#placements")


def _returned(asked: Asked) -> HttpResponse:
    placement = _placement(asked)
    changed = engine_settings.change_placement(placement, {}, by=asked.request.user.get_username())
    _told(asked, changed, f"{NAMES[placement]}: the model version decides again.")
    return HttpResponseRedirect(f"{reverse('admin:analytics_engine')}?placement={placement}#placements")


def _told(asked: Asked, changed: bool, sentence: str) -> None:
    if changed:
        messages.success(asked.request, sentence)
    else:
        messages.info(asked.request, "Nothing was changed: these settings hold already.")


def _placement(asked: Asked) -> str:
    chosen = asked.request.POST.get("placement") or asked.request.GET.get("placement", "")
    return chosen if chosen in NAMES else Placement.HOMEPAGE.value


def _initial(placement: str) -> dict[str, Any]:
    """Return what holds for a placement now: by its own weights, or by the version's mix."""
    overrides = selectors.placement_overrides()
    holds = from_json(overruled(shelf.refresh().settings, overrides)).of(Placement(placement))
    own = "weights" in overrides.get(placement, {})
    shares = {"category_share": round(holds.category_share * 100), "brand_share": round(holds.brand_share * 100)}
    return {"own": "own" if own else "", **holds.weights, **shares}


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return who changed what."""
    columns = (
        Column("changed_at", "When", "moment"),
        Column("changed_by", "Who"),
        Column("subject", "What", labels=SUBJECTS),
        Column("change", "From and to", wide=True),
    )
    none = Empty("Nothing was changed by hand yet.", "The default weights hold, and what training and tuning found.")
    return {"history": Table("history", "Who changed what", columns, _history, empty=none, ranked=True, shown=20)}


def _history(most: int | None) -> list[Row]:
    return [
        {
            "changed_at": one.changed_at,
            "changed_by": one.changed_by,
            "subject": one.subject,
            "change": _difference(one.before, one.after),
        }
        for one in SettingsChange.objects.all()[:most]
    ]


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Say what differs, name by name."""
    names = sorted({*before, *after} - {"mix", "rescale"})
    changed = [name for name in names if before.get(name) != after.get(name)]
    return "; ".join(
        f"{name.replace('_', ' ')}: {_said(before.get(name))} → {_said(after.get(name))}" for name in changed
    )


def _said(value: Any) -> str:
    if value is None:
        return "the version’s"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part:g}" for name, part in value.items())
    return f"{value:g}" if isinstance(value, int | float) else formats.NOTHING


PAGE = Page(
    "engine",
    "Engine settings",
    "How much does each event count, and how does each placement choose? Look at the effect before you save.",
    build,
    tables,
    has_period=False,
    permissions=(VIEW, SETTINGS),
    post=post,
    section="Decide",
)
