"""The made-up population: believable, the same for the same seed, and one that an engine can learn from."""

import json
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from reemio.demo.found import FoundList, found_lists
from reemio.demo.personas import SHOPPERS
from reemio.demo.population import (
    Event,
    background_events,
    inbox_events,
    persona_events,
    served_lists,
)
from reemio.demo.regulars import WEIGHTS
from reemio.demo.shopfloor import NAIROBI
from tests.demo.made_up import BY_ID, NOW, PRODUCTS, SEED, background, inbox, kinds, lists, personas


def everything() -> list[Event]:
    return personas() + background()


def test_there_are_forty_to_sixty_thousand_background_events_of_600_shoppers_and_strangers() -> None:
    assert 40_000 <= len(background()) <= 60_000
    users = {event["user_id"] for event in background()}
    assert users == {None, *(f"shopper-{number:04d}" for number in range(1, 601))}
    assert set(kinds(background())) == {*WEIGHTS, "search"}


def test_event_ids_are_unique_and_short_enough() -> None:
    ids = [event["event_id"] for event in everything()] + [row.payload["event_id"] for row in inbox()]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 64


def test_every_event_names_a_known_active_product_or_is_a_search() -> None:
    for event in everything():
        if event["interaction_type"] == "search":
            assert event["product_id"] is None
            assert event["search_query"]
        else:
            assert BY_ID[event["product_id"] or ""].is_active


def test_engagement_lies_in_the_briefs_ranges() -> None:
    for event in everything():
        extra = event["extra_data"]
        assert 5 <= extra["timeOnPageSeconds"] <= 300
        assert 60 <= extra["sessionDurationSeconds"] <= 1800
        assert 10 <= extra["scrollDepthPercent"] <= 100
        assert extra["device"] in {"desktop", "mobile", "tablet"}
        assert extra["sessionId"] == event["session_id"]


def test_a_session_belongs_to_one_person_and_lasts_half_an_hour_at_most() -> None:
    sessions = defaultdict(list)
    for event in everything():
        sessions[event["session_id"]].append(event)
    for events in sessions.values():
        assert len({event["user_id"] for event in events}) == 1
        times = [event["occurred_at"] for event in events]
        assert max(times) - min(times) <= timedelta(minutes=30)


def test_nothing_happens_in_the_future_or_more_than_ninety_days_ago() -> None:
    times = [event["occurred_at"] for event in everything()]
    assert all(moment.tzinfo for moment in times)
    assert max(times) <= NOW
    assert min(times) > NOW - timedelta(days=91)


def test_nothing_happens_in_the_future_when_the_shops_day_has_just_begun() -> None:
    midnight = datetime(2026, 11, 25, tzinfo=NAIROBI)
    assert max(event["occurred_at"] for event in background_events(PRODUCTS, now=midnight, seed=SEED)) <= midnight


def test_nobody_carries_or_buys_what_is_sold_out_and_money_is_complete() -> None:
    for event in everything():
        if event["interaction_type"] in {"cart_add", "cart_remove", "purchase"}:
            product = BY_ID[event["product_id"] or ""]
            assert product.is_sellable
            assert (event["unit_price"], event["currency"]) == (product.price, "USD")
            assert event["quantity"]
        assert (event["order_id"] is not None) == (event["interaction_type"] == "purchase")


def test_every_impression_and_click_refers_to_a_served_list_at_its_position() -> None:
    seen: set[tuple[UUID, str]] = set()
    for event in sorted(
        everything(), key=lambda one: (one["occurred_at"], one["interaction_type"] != "recommendation_view")
    ):
        request_id = event["recommendation_request_id"]
        if request_id is None:
            assert event["interaction_type"] not in {"recommendation_view", "recommendation_click"}
            continue
        served = lists()[request_id]
        position = event["recommendation_position"]
        assert position
        assert served.product_ids[position - 1] == event["product_id"]
        assert (served.context, served.user_id, served.session_id) == (
            event["recommendation_context"],
            event["user_id"],
            event["session_id"],
        )
        assert served.served_at <= event["occurred_at"]
        key = (request_id, event["product_id"] or "")
        if event["interaction_type"] == "recommendation_view":
            assert key not in seen
            seen.add(key)
        elif event["interaction_type"] == "recommendation_click":
            assert key in seen


def test_served_lists_hold_only_sellable_products_once_each_and_not_their_anchor() -> None:
    assert len(lists()) > 2000
    for served in lists().values():
        assert 1 <= len(served.product_ids) <= 12
        assert len(set(served.product_ids)) == len(served.product_ids)
        assert all(BY_ID[product_id].is_sellable for product_id in served.product_ids)
        assert served.anchor_id not in served.product_ids
        assert (served.context == "product_page") == (served.anchor_id is not None)
        assert served.strategy in {"personalized", "session", "popular", "similar", "cart", "bought_together"}


def test_products_further_down_a_list_are_clicked_less() -> None:
    shown: Counter[int] = Counter()
    clicked: Counter[int] = Counter()
    for event in background():
        if event["interaction_type"] == "recommendation_view":
            shown[event["recommendation_position"] or 0] += 1
        elif event["interaction_type"] == "recommendation_click":
            clicked[event["recommendation_position"] or 0] += 1
    further_down = sum(clicked[position] for position in range(3, 9)) / sum(shown[position] for position in range(3, 9))
    assert clicked[1] / shown[1] > clicked[2] / shown[2] > further_down > 0
    assert 0.03 < clicked.total() / shown.total() < 0.1


@cache
def found() -> list[FoundList]:
    return found_lists(background(), PRODUCTS)


def test_what_was_seen_and_clicked_in_search_results_stands_there_and_is_clicked_only_where_it_was_seen() -> None:
    assert len(found()) == kinds(background())["search"]
    for one in found():
        assert all(BY_ID[product_id].is_sellable for product_id in one.product_ids)
        assert len(set(one.product_ids)) == len(one.product_ids) == (24 if one.told else 0)
        seen: set[str | None] = set()
        for event in one.told:
            assert event["recommendation_request_id"] == one.request_id
            assert event["product_id"] == one.product_ids[(event["recommendation_position"] or 0) - 1]
            assert (event["user_id"], event["session_id"]) == (one.search["user_id"], one.search["session_id"])
            assert event["interaction_type"] == "recommendation_view" or event["product_id"] in seen
            seen.add(event["product_id"])


def test_four_to_six_of_a_hundred_things_seen_are_clicked_and_fewer_further_down() -> None:
    counts: dict[str, Counter[int]] = {"recommendation_view": Counter(), "recommendation_click": Counter()}
    for event in [*background(), *(event for one in found() for event in one.told)]:
        if event["interaction_type"] in counts:
            counts[event["interaction_type"]][event["recommendation_position"] or 0] += 1
    seen, clicked = counts.values()
    assert 0.04 < clicked.total() / seen.total() < 0.06
    rates = [clicked[position] / seen[position] for position in range(1, 6)]
    assert rates == sorted(rates, reverse=True)


def test_most_visits_look_fewer_fill_a_cart_and_fewer_still_buy() -> None:
    visits: dict[str, set[str]] = defaultdict(set)
    for event in background():
        visits[event["session_id"]].add(event["interaction_type"])
    looked, carted, bought = (
        sum(kind in did for did in visits.values()) / len(visits) for kind in ("view", "cart_add", "purchase")
    )
    assert looked > 0.85 > 0.55 > carted > 1.2 * bought


def test_four_to_nine_of_a_hundred_clicks_lead_to_a_purchase_of_what_was_clicked() -> None:
    clicks: dict[tuple[str, str | None], list[datetime]] = defaultdict(list)
    for event in [*background(), *(event for one in found() for event in one.told)]:
        if event["interaction_type"] == "recommendation_click":
            clicks[event["user_id"] or event["session_id"], event["product_id"]].append(event["occurred_at"])
    week = timedelta(days=7)
    converted = sum(
        any(timedelta(0) <= event["occurred_at"] - at <= week for at in clicks.get(who_and_what, ()))
        for event in background()
        if event["interaction_type"] == "purchase"
        and (who_and_what := (event["user_id"] or event["session_id"], event["product_id"]))
    )
    assert 0.04 < converted / sum(map(len, clicks.values())) < 0.09


def test_the_shop_grows_from_month_to_month() -> None:
    months = Counter((NOW - event["occurred_at"]).days // 28 for event in background())
    assert months[0] > 1.1 * months[1] > 1.1 * months[2]


def orders() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for event in background():
        if event["order_id"]:
            found[event["order_id"]].add(event["product_id"] or "")
    return found


def test_many_orders_have_several_lines() -> None:
    assert len(orders()) > 1800
    assert sum(len(lines) > 1 for lines in orders().values()) > 0.35 * len(orders())


def test_what_belongs_together_is_bought_together() -> None:
    def lift(first: str, second: str) -> float:
        with_first = [lines for lines in orders().values() if first in lines]
        share = sum(second in lines for lines in orders().values()) / len(orders())
        return sum(second in lines for lines in with_first) / len(with_first) / share

    assert lift("garden-kettle-grill-57", "garden-lumpwood-charcoal-10-kg") > 10
    assert lift("toys-wooden-train-set-40", "toys-wooden-train-extra-track-16") > 10
    assert lift("grocery-spaghetti-bronze-cut-500-g", "grocery-tomato-passata-700-g") > 10


def test_some_groceries_are_bought_again_at_regular_intervals() -> None:
    bought = defaultdict(set)
    for event in background():
        if event["interaction_type"] == "purchase" and event["user_id"]:
            bought[event["user_id"], event["product_id"]].add(event["occurred_at"].date())
    regulars = [sorted(days) for days in bought.values() if len(days) >= 3]
    assert len(regulars) > 100
    even = [days for days in regulars if max(gaps := gaps_of(days)) - min(gaps) <= 0.5 * max(gaps)]
    assert len(even) > 0.6 * len(regulars)


def gaps_of(days: list[Any]) -> list[int]:
    return [(later - earlier).days for earlier, later in pairwise(days)]


def test_weekends_are_busier_and_some_products_took_off_last_week() -> None:
    weekdays = Counter(event["occurred_at"].astimezone(NAIROBI).weekday() for event in background())
    assert weekdays[5] > 1.2 * weekdays[1]
    views: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for event in background():
        if event["interaction_type"] == "view":
            views[NOW - event["occurred_at"] < timedelta(days=7)][event["product_id"] or ""] += 1
    took_off = [one for one, number in views[True].items() if number >= 10 and number > 0.35 * views[False][one]]
    assert len(took_off) >= 5


# --- seeding again


def test_the_same_seed_makes_the_same_events_and_another_seed_others() -> None:
    assert list(persona_events(PRODUCTS, now=NOW, seed=SEED)) == personas()
    assert list(background_events(PRODUCTS, now=NOW, seed=SEED)) == background()
    assert {one.request_id for one in served_lists(PRODUCTS, now=NOW, seed=SEED)} == set(lists())
    assert {event["event_id"] for event in personas(1)}.isdisjoint(event["event_id"] for event in personas())


def essence(events: list[Event]) -> dict[str, tuple[object, ...]]:
    return {
        event["event_id"]: (
            event["interaction_type"],
            event["user_id"],
            event["product_id"],
            event["recommendation_request_id"],
        )
        for event in events
    }


@pytest.mark.parametrize("later", [timedelta(hours=7), timedelta(days=3, hours=5)], ids=str)
def test_seeding_at_another_time_makes_the_same_events_under_the_same_ids(later: timedelta) -> None:
    assert essence(list(persona_events(PRODUCTS, now=NOW + later, seed=SEED))) == essence(personas())
    assert essence(list(background_events(PRODUCTS, now=NOW + later, seed=SEED))) == essence(background())


def test_everything_is_made_within_five_seconds_of_work() -> None:
    started = time.process_time()
    list(persona_events(PRODUCTS, now=NOW, seed=SEED))
    list(background_events(PRODUCTS, now=NOW, seed=SEED))
    list(served_lists(PRODUCTS, now=NOW, seed=SEED))
    list(inbox_events(PRODUCTS, now=NOW, seed=SEED))
    assert time.process_time() - started < 10  # twice the budget: the machine may be slow


# --- the inbox


def test_the_inbox_holds_96_rows_of_mixed_types_that_json_can_carry() -> None:
    assert len(inbox()) == 96
    assert len({row.event_type for row in inbox()}) >= 5
    for row in inbox():
        payload = json.loads(json.dumps(row.payload))
        assert payload == row.payload
        assert payload["session_id"]
        assert datetime.fromisoformat(payload["occurred_at"]) <= row.created_at <= NOW


def test_the_inbox_leaves_the_ten_shoppers_alone_and_refers_to_served_lists() -> None:
    named = {shopper.user_id for shopper in SHOPPERS}
    for row in inbox():
        assert row.payload.get("user_id") not in named
        if "recommendation_request_id" in row.payload:
            served = lists()[UUID(row.payload["recommendation_request_id"])]
            assert served.product_ids[row.payload["recommendation_position"] - 1] == row.payload["product_id"]
