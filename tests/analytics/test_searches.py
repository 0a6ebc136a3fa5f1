"""What was searched for: ranked, of all devices or one, with the rare texts of a part pooled."""

from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.models import Grain, SearchDetailRollup, SearchRollup
from analytics.periods import Period
from analytics.rollups.run import roll_up
from analytics.searches import clicked_after_search, queries_without_result, search_total, top_queries
from interactions.models import Interaction
from recommendations.models import ServedList

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = Period(NOON.date(), NOON.date())
pytestmark = pytest.mark.django_db


def searched(text: str, device: str = "", times: int = 1, results: int = 3) -> None:
    extra = {"resultsCount": results} | ({"device": device} if device else {})
    Interaction.objects.bulk_create(
        Interaction(
            interaction_type="search", search_query=text, occurred_at=NOON, session_id="s", extra_data=dict(extra)
        )
        for _ in range(times)
    )


def clicked(text: str, device: str, product: str) -> None:
    found = ServedList.objects.create(
        served_at=NOON, placement="search", context="", strategy="search", products=[product], scores=[1.0],
        milliseconds=1, anchors=[text],
    )  # fmt: skip
    Interaction.objects.create(
        interaction_type="recommendation_click", product_id=product, occurred_at=NOON, session_id="s",
        recommendation_request_id=found.request_id, extra_data={"device": device},
    )  # fmt: skip


def test_searches_are_told_of_all_devices_and_of_one() -> None:
    searched("lamp", "mobile", 3)
    searched("Lamp ", "desktop", 2)
    searched("moon boots", "desktop", 4, results=0)
    searched("lamp")
    clicked("Lamp", "mobile", "p1")
    clicked("lamp", "desktop", "p2")
    clicked("lamp", "desktop", "p2")
    roll_up()

    def told(**only: Any) -> tuple[Any, ...]:
        total = search_total(TODAY, **only)
        return (
            [(one.query, one.searches, one.clicks) for one in top_queries(TODAY, **only)],
            [(one.query, one.without_results) for one in queries_without_result(TODAY, **only)],
            clicked_after_search(TODAY, **only),
            (total.searches, total.without_results, total.clicks),
        )

    assert told() == (
        [("lamp", 6, 3), ("moon boots", 4, 0)], [("moon boots", 4)], [("lamp", "p2", 2), ("lamp", "p1", 1)], (10, 4, 3),
    )  # fmt: skip
    assert told(device="mobile") == ([("lamp", 3, 1)], [], [("lamp", "p1", 1)], (3, 0, 1))
    assert told(device="desktop") == (
        [("moon boots", 4, 0), ("lamp", 2, 2)], [("moon boots", 4)], [("lamp", "p2", 2)], (6, 4, 2),
    )  # fmt: skip
    assert told(device="tablet") == ([], [], [], (0, 0, 0))


def test_a_text_is_rare_by_its_searches_on_all_devices_together() -> None:
    for number in range(100):
        searched(f"often {number:03}", "desktop", 2)
    searched("seldom", "tablet")
    searched("on two devices", "mobile")
    searched("on two devices", "tablet", 2)
    roll_up()
    found = SearchRollup.objects.filter(grain=Grain.DAY).values_list("query", "searches")
    # The last of the texts that were searched for twice gives way to the one that was three times.
    assert dict(found) == {f"often {number:03}": 2 for number in range(99)} | {"on two devices": 3, "": 3}
    details = SearchDetailRollup.objects.filter(grain=Grain.DAY, query__in=["", "on two devices"])
    assert sorted(details.values_list("query", "device", "searches")) == [
        ("", "desktop", 2), ("", "tablet", 1), ("on two devices", "mobile", 1), ("on two devices", "tablet", 2)
    ]  # fmt: skip


def test_rankings_leave_out_the_pool_of_rare_texts_and_what_was_only_clicked() -> None:
    searched("", times=9, results=0)
    searched("lamp", times=5, results=0)
    searched("boots", times=2, results=0)
    searched("boots", times=6)
    clicked("never searched", "mobile", "p1")
    roll_up()
    assert [(one.query, one.searches) for one in top_queries(TODAY)] == [("boots", 8), ("lamp", 5)]
    assert [(one.query, one.without_results) for one in queries_without_result(TODAY)] == [("lamp", 5), ("boots", 2)]
    rate = top_queries(TODAY)[0].no_result_rate
    assert (rate.successes, rate.trials) == (2, 8)
    assert search_total(TODAY).searches == 22


def test_of_each_part_a_hundred_pairs_of_text_and_clicked_product_are_kept() -> None:
    for number in range(101):
        clicked(f"text {number:03}", "mobile", "p1")
    clicked("text 100", "mobile", "p1")
    roll_up()
    kept = clicked_after_search(TODAY, limit=200)
    assert kept == [("text 100", "p1", 2), *((f"text {number:03}", "p1", 1) for number in range(99))]
    assert search_total(TODAY).clicks == 102
