"""Experiments in the admin: defined as drafts, started once, never changed after; told in a sentence."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from analytics.models import ExperimentResult
from recommendations.models import Experiment, ExperimentVariant

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
LIST = "admin:recommendations_experiment_changelist"


def an_experiment(key: str = "more-content", state: str = "draft", variants: int = 2) -> Experiment:
    row = Experiment.objects.create(key=key, name="More content", placement="homepage", state=state)
    for name in ["as-is", "content"][:variants]:
        ExperimentVariant.objects.create(experiment=row, name=name)
    return row


def act(client: Client, action: str, row: Experiment) -> str:
    """Take an action from the list, and return what the page says."""
    response = client.post(reverse(LIST), {"action": action, "_selected_action": [row.pk]}, follow=True)
    return response.content.decode()


def test_a_draft_is_started_and_finished_from_the_list(signed_in: SignIn) -> None:
    admin, row = signed_in("admin"), an_experiment()
    assert "runs." in act(admin, "start", row)
    row.refresh_from_db()
    assert (row.state, row.started_at is not None) == ("running", True)
    assert "is finished." in act(admin, "finish", row)
    row.refresh_from_db()
    assert (row.state, row.finished_at is not None) == ("finished", True)


def test_one_variant_is_nothing_to_compare(signed_in: SignIn) -> None:
    row = an_experiment(variants=1)
    assert "compares at least two variants" in act(signed_in("admin"), "start", row)
    row.refresh_from_db()
    assert row.state == "draft"


def test_a_placement_has_one_running_experiment(signed_in: SignIn) -> None:
    an_experiment("first", state="running")
    second = an_experiment("second")
    assert "Another experiment runs on this placement." in act(signed_in("admin"), "start", second)
    second.refresh_from_db()
    assert second.state == "draft"


def test_what_runs_is_not_changed(signed_in: SignIn) -> None:
    row = an_experiment(state="running")
    address = reverse("admin:recommendations_experiment_change", args=[row.pk])
    signed_in("admin").post(address, {"name": "Other", "share": 5, "_save": ""})
    row.refresh_from_db()
    assert (row.name, row.share) == ("More content", 100)


def test_the_page_says_what_is_too_early_to_tell(signed_in: SignIn) -> None:
    row = an_experiment(state="running")
    counts = {"lists": 90, "impressions": 300, "conversions": 2, "attributed_revenue": 20, "currency": "USD"}
    for variant, clicks in (("as-is", 10), ("content", 14)):
        ExperimentResult.objects.create(
            experiment=row, variant=variant, shoppers=50, clickers=clicks, buyers=3, clicks=clicks, revenue=60,
            revenue_squares=1200, **counts,
        )  # fmt: skip
    text = signed_in("analyst").get(reverse("admin:analytics_experiments")).content.decode()
    for said in (
        "content against as-is: too early to tell.",
        "28.0 %",
        "Revenue per shopper",
        "1.20",
        "the reference",
    ):
        assert said in text, said


def test_without_an_experiment_the_page_says_what_to_do(signed_in: SignIn) -> None:
    text = signed_in("analyst").get(reverse("admin:analytics_experiments")).content.decode()
    assert "No experiment yet." in text
