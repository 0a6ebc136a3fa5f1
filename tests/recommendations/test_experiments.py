"""Experiments in the engine: who meets which variant, how it sticks, and that the answer is as it says."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from recommendations import experiments
from recommendations.contracts import Placement, Query
from recommendations.experiments import (
    Running,
    Variant,
    WrongExperimentError,
    assign,
    finish_experiment,
    start_experiment,
    wrong_settings,
)
from recommendations.learning.train import train
from recommendations.models import Experiment, ExperimentVariant, KeptVariant, ModelVersion, ServedList
from recommendations.recorder import recorder
from reemio.people.services import merge_person
from tests.recommendations.conftest import did, make_product

SUBJECTS = [f"u:{number}" for number in range(4000)]
HOMEPAGE = "/api/v1/recommendations/homepage"


def experiment(*variants: dict[str, Any], start: bool = True, **fields: Any) -> Experiment:
    row = Experiment.objects.create(**{"key": "test", "name": "Test", "placement": "homepage", **fields})
    for name, more in zip("ABC", variants or ({}, {}), strict=False):
        ExperimentVariant.objects.create(experiment=row, name=name, **more)
    if start:
        start_experiment(row.pk)
    experiments.forget()
    return row


def of(**who: str) -> str | None:
    met = assign(Query(Placement.HOMEPAGE, 4, **who))
    return met and met.label


def shopper_of(name: str) -> str:
    """Return a user whose hash falls on this variant."""
    (one,) = experiments.running().values()
    return next(str(n) for n in range(100) if (met := one.variant_of(f"u:{n}")) and met.name == name)


def session_of(name: str) -> str:
    (one,) = experiments.running().values()
    return next(str(n) for n in range(100) if (met := one.variant_of(f"s:{n}")) and met.name == name)


def test_shoppers_are_split_as_share_and_weights_say() -> None:
    one = Running(1, "key", "homepage", 50, (Variant("A", 1), Variant("B", 3)))
    split = Counter(met.name if (met := one.variant_of(subject)) else "" for subject in SUBJECTS)
    assert abs(split[""] - 2000) < 130
    assert abs(split["B"] / (split["A"] + split["B"]) - 0.75) < 0.04


def test_a_larger_share_takes_more_shoppers_in_and_moves_nobody() -> None:
    small, large = (Running(1, "key", "homepage", share, (Variant("A", 1), Variant("B", 1))) for share in (20, 60))
    took_part = [(met, large.variant_of(subject)) for subject in SUBJECTS if (met := small.variant_of(subject))]
    assert len(took_part) > 600
    assert all(before == after for before, after in took_part)


def test_two_experiments_split_independently() -> None:
    one, two = (Running(1, key, "homepage", 100, (Variant("A", 1), Variant("B", 1))) for key in ("one", "two"))
    both = Counter((one.variant_of(subject).name, two.variant_of(subject).name) for subject in SUBJECTS)  # type: ignore[union-attr]
    assert all(abs(count - 1000) < 110 for count in both.values())


@pytest.mark.django_db
def test_a_user_keeps_a_variant_on_every_visit_and_a_stranger_without_a_session_has_none() -> None:
    assert of(user_id="ann") is None
    experiment()
    label = of(user_id="ann")
    assert label in ("test:A", "test:B")
    assert {of(user_id="ann", session_id=str(visit)) for visit in range(20)} == {label}
    assert of() is None
    assert assign(Query(Placement.CART, 4, user_id="ann")) is None


@pytest.mark.django_db
def test_a_variant_answers_and_the_list_says_so(api: APIClient) -> None:
    for number in range(6):
        make_product(f"p{number}", axis=number)
        for shopper in range(number):
            did("view", f"p{number}", user=f"other-{shopper}", days_ago=1)
    did("view", "p0", user="x", days_ago=1)
    train()
    by_popularity = {"weights": {"content": 0, "collaborative": 0, "popularity": 1}}
    experiment({}, {"settings": by_popularity})
    for name in "AB":
        answer = api.get(HOMEPAGE, {"user_id": shopper_of(name), "limit": 6}).json()
        assert answer["variant"] == f"test:{name}"
        recorder.close()
        assert ServedList.objects.get(request_id=answer["request_id"]).variant == f"test:{name}"
    scored = [(item["score"], item["signals"]["popularity"]) for item in answer["items"]]
    assert all(score == popularity for score, popularity in scored)
    assert api.get(HOMEPAGE).json()["variant"] is None


@pytest.mark.django_db
def test_a_variant_may_hold_another_model_version(api: APIClient) -> None:
    make_product("p0")
    train()
    old = ModelVersion.objects.get(state="active")
    train()
    experiment({}, {"model_version": old})
    versions = {api.get(HOMEPAGE, {"user_id": shopper_of(name)}).json()["model_version"] for name in "AB"}
    assert versions == {old.pk, ModelVersion.objects.get(state="active").pk}


@pytest.mark.django_db
def test_an_experiment_costs_a_request_no_query(api: APIClient) -> None:
    make_product("p0")
    api.get(HOMEPAGE, {"user_id": "ann"})
    with CaptureQueriesContext(connection) as without:
        api.get(HOMEPAGE, {"user_id": "ann"})
    experiment()
    api.get(HOMEPAGE, {"user_id": "ann"})
    with CaptureQueriesContext(connection) as during:
        assert api.get(HOMEPAGE, {"user_id": "ann"}).json()["variant"]
    recorder.close()
    selects = [[query for query in captured if "served_lists" not in query["sql"]] for captured in (without, during)]
    assert len(selects[0]) == len(selects[1])


def was_served(label: str, **who: str) -> None:
    ServedList.objects.create(
        served_at="2026-03-01T00:00Z", placement="homepage", context="homepage", strategy="popular", variant=label,
        products=["a"], scores=[1.0], milliseconds=1, **who,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_session_that_becomes_a_users_brings_its_variant_along() -> None:
    experiment(key="login")
    user, session = shopper_of("A"), session_of("B")
    was_served("login:B", session_id=session)
    assert of(user_id=user) == "login:A"
    merge_person(user_id=user, session_id=session)
    experiments.forget()
    assert of(user_id=user) == of(user_id=user, session_id="another") == "login:B"
    merge_person(user_id=user, session_id=session)
    assert KeptVariant.objects.count() == 1


@pytest.mark.django_db
def test_the_first_variant_that_a_user_met_stays_theirs() -> None:
    experiment(key="login")
    user, session = shopper_of("A"), session_of("B")
    was_served("login:A", user_id=user)
    was_served("login:B", session_id=session)
    merge_person(user_id=user, session_id=session)
    experiments.forget()
    assert of(user_id=user) == "login:A"
    assert not KeptVariant.objects.exists()


@pytest.mark.django_db
def test_only_a_draft_with_two_variants_on_a_free_placement_starts() -> None:
    lonely = experiment({}, start=False)
    with pytest.raises(WrongExperimentError, match="at least two"):
        start_experiment(lonely.pk)
    first = experiment(key="first")
    second = experiment({}, {"settings": {"weight": 1}}, key="second", start=False)
    with pytest.raises(WrongExperimentError, match="Another experiment"):
        start_experiment(second.pk)
    assert finish_experiment(first.pk)
    assert not finish_experiment(first.pk)
    with pytest.raises(WrongExperimentError, match="Only a draft"):
        start_experiment(first.pk)
    with pytest.raises(WrongExperimentError, match="B: Settings know weights"):
        start_experiment(second.pk)
    assert Experiment.objects.filter(state="running").count() == 0
    experiments.forget()
    assert of(user_id="ann") is None


@pytest.mark.parametrize(
    "settings",
    [[], {"weights": 1}, {"weights": {"content": 1}}, {"weights": {"content": -1, "collaborative": 0, "popularity": 0}},
     {"category_share": 0}, {"brand_share": True}, {"no": 1}],
)  # fmt: skip
def test_wrong_settings_are_told(settings: Any) -> None:
    assert wrong_settings(settings)


def test_right_settings_are_fine() -> None:
    weights = {"content": 0.2, "collaborative": 0.8, "popularity": 0}
    assert wrong_settings({"weights": weights, "category_share": 0.5, "rerank": True}) is None
