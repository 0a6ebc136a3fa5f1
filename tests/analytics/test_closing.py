"""Closing the books: up to when days are closed, what forbids it, which texts are pooled; and what is kept how long."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from analytics.models import EventRollup, Grain, RollupState, SearchClickRollup, SearchRollup, TouchedPart, Visit
from analytics.rollups.closing import close, close_searches
from analytics.rollups.run import roll_up
from interactions.models import Interaction
from recommendations.models import ServedList

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 9, 12, tzinfo=UTC)
TUESDAY, DAY = MONDAY + timedelta(days=1), timedelta(days=1)


def happen(kind: str, at: datetime = MONDAY, times: int = 1, **fields: Any) -> None:
    for _ in range(times):
        Interaction.objects.create(interaction_type=kind, occurred_at=at, user_id="ann", **fields)


def search(text: str, times: int, at: datetime = MONDAY, results: int = 3) -> None:
    happen("search", at, times, search_query=text, extra_data={"resultsCount": results})


def click(text: str) -> None:
    found = ServedList.objects.create(
        served_at=MONDAY, placement="search", context="", strategy="search", products=["a"], scores=[1.0],
        milliseconds=1, anchors=[text],
    )  # fmt: skip
    happen("recommendation_click", product_id="a", recommendation_request_id=found.request_id)


def searches(grain: Grain = Grain.DAY) -> list[tuple[int, str, int, int, int]]:
    rows = SearchRollup.objects.filter(grain=grain).order_by("starts_at", "query")
    return [(one.starts_at.day, one.query, one.searches, one.without_results, one.clicks) for one in rows]


def closes(closing: Callable[[Any, datetime], bool], last: datetime) -> bool:
    with connection.cursor() as cursor:
        return closing(cursor, last)


def test_a_list_explains_what_is_told_of_it_within_thirty_days_and_all_of_them_are_closed_with_it() -> None:
    happen("view", product_id="a")
    roll_up()
    assert closes(close, MONDAY)
    assert RollupState.objects.get().closed_before == MONDAY.replace(hour=0) + 31 * DAY


@pytest.mark.parametrize(("days", "done"), [(30, False), (31, True)])
@pytest.mark.parametrize("notes", ["parts", "events"])
def test_nothing_is_closed_while_anything_in_those_days_is_due(days: int, done: bool, notes: str) -> None:
    roll_up()
    happen("view" if notes == "parts" else "purchase", MONDAY + days * DAY, product_id="a")
    if notes == "events":
        TouchedPart.objects.all().delete()
    assert closes(close, MONDAY) is done
    assert (RollupState.objects.get().closed_before is not None) is done


def test_texts_of_closed_days_that_few_searched_for_are_pooled_with_what_they_found() -> None:
    search("lamp", 5)
    click("lamp")
    search("gift for Wanjiku", 3)
    search("gift for Wanjiku", 1, results=0)
    click("gift for Wanjiku")
    search("gift for Otieno", 4, TUESDAY)
    roll_up()
    SearchRollup.objects.create(
        grain=Grain.DAY, starts_at=MONDAY.replace(hour=0), query="", searches=2, without_results=1, clicks=1
    )
    assert closes(close_searches, MONDAY)
    pooled, lamp, otieno = ("", 6, 2, 2), ("lamp", 5, 0, 1), ("gift for otieno", 4, 0, 0)
    assert searches() == [(9, *pooled), (9, *lamp), (10, *otieno)]
    assert searches(Grain.WEEK) == [(9, *pooled), (9, *otieno), (9, *lamp)]
    assert set(SearchClickRollup.objects.values_list("grain", "query")) == {("day", "lamp"), ("week", "lamp")}
    assert closes(close_searches, TUESDAY)
    assert searches() == [(9, *pooled), (9, *lamp), (10, "", 4, 0, 0)]
    assert searches(Grain.WEEK) == [(9, "", 10, 2, 2), (9, *lamp)]


def test_parts_are_kept_for_two_days_hours_and_visits_for_fifteen(monkeypatch: pytest.MonkeyPatch) -> None:
    happen("view", product_id="a")
    for days, kept in ((0, "part hour day week"), (1, "part hour day week"), (2, "hour day week"),
                       (14, "hour day week"), (15, "day week")):  # fmt: skip
        monkeypatch.setattr("analytics.rollups.run._database_time", lambda days=days: MONDAY + days * DAY)
        roll_up()
        assert set(EventRollup.objects.values_list("grain", flat=True)) == set(kept.split()), days
        assert Visit.objects.exists() == (days < 15), days
