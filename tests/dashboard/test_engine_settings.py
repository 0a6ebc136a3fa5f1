"""Event weights and placements changed by hand: what holds when, who did it, and that a preview changes nothing."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

from interactions.models import RewrittenHistory
from recommendations import engine_settings, neighbours, popular, selectors
from recommendations.configuration import default_event_weights, from_json, overruled
from recommendations.contracts import Placement, Query
from recommendations.learning.preferences import recount
from recommendations.models import EventWeight, PlacementOverride, SettingsChange, Taste
from recommendations.pipeline import recommend
from recommendations.shelf import shelf

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
PAGE = "admin:analytics_engine"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    for forget in (shelf.clear, neighbours.forget, popular.forget, selectors.forget):
        forget()
    yield
    selectors.forget()


def a_taste(user: str) -> Taste:
    return Taste.objects.create(
        subject=f"u:{user}", as_of="2026-01-01T00:00Z", vector=[0.0] * 384, weight=1.0, events=1
    )


def weights(**changes: float) -> dict[str, object]:
    return {"what": "weights", **default_event_weights(), **changes}


def test_a_changed_weight_holds_and_makes_everybody_due_for_a_recount() -> None:
    a_taste("ada")
    assert engine_settings.change_event_weights({"view": 2.0}, by="bea")
    assert selectors.event_weights()["view"] == 2.0
    assert list(RewrittenHistory.objects.values_list("subject", flat=True)) == ["u:ada"]
    change = SettingsChange.objects.get()
    assert (change.changed_by, change.subject) == ("bea", "event_weights")
    assert (change.before["view"], change.after["view"]) == (1.0, 2.0)


def test_a_weight_that_is_the_default_again_leaves_no_row() -> None:
    engine_settings.change_event_weights({"view": 2.0}, by="bea")
    engine_settings.change_event_weights({"view": 1.0}, by="bea")
    assert not EventWeight.objects.exists()
    assert SettingsChange.objects.count() == 2


def test_the_same_weights_again_change_nothing() -> None:
    a_taste("ada")
    assert not engine_settings.change_event_weights(default_event_weights(), by="bea")
    assert not RewrittenHistory.objects.exists()
    assert not SettingsChange.objects.exists()


def test_a_recount_takes_the_weights_that_are_stored_not_those_it_remembers() -> None:
    assert selectors.event_weights()["view"] == 1.0
    EventWeight.objects.create(interaction_type="view", weight=4.0)
    recount(["u:ada"])
    assert selectors.event_weights()["view"] == 4.0


def test_overruled_fields_win_over_the_versions_and_the_rest_stays() -> None:
    stored = {"homepage": {"weights": {"content": 1.0}, "category_share": 0.5}}
    settings = from_json(overruled(stored, {"homepage": {"brand_share": 0.25}})).of(Placement.HOMEPAGE)
    assert (settings.weights, settings.category_share, settings.brand_share) == ({"content": 1.0}, 0.5, 0.25)


def test_own_weights_take_the_place_of_a_tuned_mix() -> None:
    stored = {"product": {"weights": {}, "mix": {"neighbours": 1.0}, "rescale": "root"}}
    changed = overruled(stored, {"product": engine_settings.own_weights(0.2, 0.3, 0.5)})
    settings = from_json(changed).of(Placement.PRODUCT)
    assert (dict(settings.mix), settings.weights["popularity"]) == ({}, 0.5)


def test_an_operator_changes_weights_on_the_page(signed_in: SignIn) -> None:
    response = signed_in("operator").post(reverse(PAGE), {**weights(view=1.5), "save": ""}, follow=True)
    assert "The weights hold from now on." in response.content.decode()
    assert EventWeight.objects.get().weight == 1.5
    assert SettingsChange.objects.get().changed_by == "operator"


@pytest.mark.parametrize("role", ["analyst", "marketer", "clerk"])
def test_nobody_else_does(role: str, signed_in: SignIn) -> None:
    response = signed_in(role).post(reverse(PAGE), {**weights(view=1.5), "save": ""})
    assert response.status_code == 403
    assert not EventWeight.objects.exists()


def test_a_preview_changes_nothing(signed_in: SignIn) -> None:
    response = signed_in("operator").post(reverse(PAGE), {**weights(view=9), "where": "homepage", "preview": ""})
    assert response.status_code == 200
    assert "With these settings" in response.content.decode()
    assert not EventWeight.objects.exists()
    assert not SettingsChange.objects.exists()


def test_a_weight_out_of_bounds_is_refused_with_its_reason(signed_in: SignIn) -> None:
    response = signed_in("operator").post(reverse(PAGE), {**weights(view=99), "save": ""})
    assert "less than or equal to 10" in response.content.decode()
    assert not EventWeight.objects.exists()


def placement(**changes: object) -> dict[str, object]:
    usual = {"what": "placement", "placement": "cart", "own": "", "category_share": 40, "brand_share": 100}
    return {**usual, **changes}


def test_a_placement_is_overruled_and_returned_to_its_version(signed_in: SignIn) -> None:
    operator = signed_in("operator")
    operator.post(reverse(PAGE), {**placement(), "save": ""})
    assert PlacementOverride.objects.get().settings == {"category_share": 0.4, "brand_share": 1.0}
    assert recommend(Query(Placement.CART, 3)).items == ()
    operator.post(reverse(PAGE), {"what": "return", "placement": "cart"})
    assert PlacementOverride.objects.get().settings == {}
    assert [one.subject for one in SettingsChange.objects.all()] == ["placement:cart"] * 2


def test_weights_are_brought_to_a_sum_of_one(signed_in: SignIn) -> None:
    sent = placement(own="own", content=1, collaborative=1, popularity=0)
    signed_in("operator").post(reverse(PAGE), {**sent, "save": ""})
    assert PlacementOverride.objects.get().settings["weights"] == {
        "content": 0.5,
        "collaborative": 0.5,
        "popularity": 0.0,
    }


def test_own_weights_of_nothing_are_refused(signed_in: SignIn) -> None:
    response = signed_in("operator").post(reverse(PAGE), {**placement(own="own"), "save": ""})
    assert "At least one of the three weights has to be above 0." in response.content.decode()
    assert not PlacementOverride.objects.exists()


def test_the_page_tells_who_changed_what(signed_in: SignIn) -> None:
    engine_settings.change_event_weights({"view": 2.0}, by="bea")
    text = signed_in("operator").get(reverse(PAGE)).content.decode()
    assert "view: 1 → 2" in text
    assert "bea" in text
