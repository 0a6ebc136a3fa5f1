"""Counting by hand: the definitions in plain Python over all raw rows, for tests to compare the roll-ups with.

Nothing here is shared with the code under test, and nothing is quick.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from catalog.models import Product, Unavailability
from interactions.models import Interaction, OrderRefund
from recommendations.models import ServedList

WINDOW, EMAIL_WINDOW = timedelta(days=7), timedelta(days=5)
SHOWN = ("recommendation_view", "recommendation_click")
LIST = ("context", "placement", "strategy", "variant", "campaign")


class ByHand:
    """Everything that roll-ups hold, counted anew: by table, a mapping of (part or day, *dimensions) to measures."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.events = list(Interaction.objects.order_by("occurred_at", "pk"))
        self.lists = ServedList.objects.in_bulk()
        self.products = {product.product_id: product for product in Product.objects.all()}
        self.lines = self._lines()
        self.told = self._told()
        self.conversions = self._conversions()

    # --- time and people --------------------------------------------------------------------------------------

    @staticmethod
    def part(moment: datetime) -> datetime:
        return moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)

    def hour(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.zone)
        return moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)

    def day(self, moment: datetime) -> datetime:
        return datetime.combine(moment.astimezone(self.zone).date(), time.min, tzinfo=self.zone).astimezone(UTC)

    @staticmethod
    def same_person(one: Interaction, other: Interaction) -> bool:
        if one.user_id is not None and other.user_id is not None:
            return bool(one.user_id == other.user_id)
        return one.session_id is not None and one.session_id == other.session_id

    # --- raw material -----------------------------------------------------------------------------------------

    def _lines(self) -> list[tuple[Interaction, int, Decimal, str]]:
        """Each purchase with the units that were kept, what they earned, and the currency."""
        found = []
        taken: dict[tuple[str, str], int] = {}
        for event in sorted(self.events, key=lambda event: event.pk):
            if event.interaction_type != "purchase":
                continue
            bought = event.quantity or 1
            back = 0
            for refund in OrderRefund.objects.filter(order_id=event.order_id) if event.order_id else []:
                if not refund.products:
                    back = math.inf
                for product_id, quantity in zip(refund.products, refund.quantities, strict=True):
                    if product_id == event.product_id:
                        back += quantity or math.inf
            key = (event.order_id or "", event.product_id)
            gone = int(min(bought, max(0, back - taken.get(key, 0))))
            taken[key] = taken.get(key, 0) + bought
            product = self.products.get(event.product_id)
            price = event.unit_price if event.unit_price is not None else product and product.price
            currency = event.currency or (product.currency if product else "") or "USD"
            found.append((event, bought - gone, (bought - gone) * (price or Decimal(0)), currency))
        return found

    def _told(self) -> list[Interaction]:
        """The first impression and the first click of each product in each list."""
        first: dict[Any, Interaction] = {}
        for event in self.events:
            if event.interaction_type in SHOWN:
                first.setdefault((event.interaction_type, event.recommendation_request_id, event.product_id), event)
        return list(first.values())

    def _conversions(self) -> dict[int, tuple[str, Interaction]]:
        """By the purchase's id: direct or assisted, and the click that has the credit."""
        clicks = [event for event in self.events if event.interaction_type == "recommendation_click"]
        direct: dict[int, Interaction] = {}
        for line, *_ in self.lines:
            for click in clicks:  # in order of time: the last one stays
                served = self.lists.get(click.recommendation_request_id)
                context = (served.context if served else "") or click.recommendation_context
                window = EMAIL_WINDOW if context == "email" else WINDOW
                after = line.occurred_at - click.occurred_at
                is_in_time = timedelta(0) <= after <= window
                if click.product_id == line.product_id and is_in_time and self.same_person(click, line):
                    direct[line.pk] = click
        found = {pk: ("direct", click) for pk, click in direct.items()}
        for line, *_ in self.lines:
            if line.pk not in direct and line.order_id:
                others = [
                    direct[other.pk]
                    for other, *_ in self.lines
                    if other.pk in direct and other.order_id == line.order_id
                ]
                if others:
                    found[line.pk] = ("assisted", max(others, key=lambda click: (click.occurred_at, click.pk)))
        return found

    def dimensions(self, event: Interaction) -> tuple[Any, ...]:
        """Context, placement, strategy, variant, campaign, position and device of an impression or a click."""
        served = self.lists.get(event.recommendation_request_id)
        device = event.extra_data.get("device", "")
        if served is None:
            position = min(event.recommendation_position or 0, 50)
            return (event.recommendation_context, "", "", "", "", position, device)
        position = event.recommendation_position or 0
        if event.product_id in served.products:
            position = served.products.index(event.product_id) + 1
        context = served.context or event.recommendation_context
        return (*self.of_list(served, context), min(position, 50), device)

    @staticmethod
    def of_list(served: ServedList, context: str) -> tuple[str, ...]:
        context = "search" if served.placement == "search" else context
        return (context, served.placement, served.strategy, served.variant, served.campaign)

    # --- the tables -------------------------------------------------------------------------------------------

    def recommendations(self) -> dict[Any, Counter[str]]:
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for served in self.lists.values():
            key = (self.part(served.served_at), *self.of_list(served, served.context))
            size = len(served.products)
            found[*key, 0, ""]["lists"] += 1
            found[*key, 0, ""]["empty_lists"] += size == 0
            if served.asked_for is not None:
                found[*key, 0, ""]["asked"] += served.asked_for
                found[*key, 0, ""]["filled"] += size
            for position in range(1, size + 1):
                found[*key, min(position, 50), ""]["items"] += 1
        seen = set()
        for event in sorted(self.told, key=lambda event: (event.occurred_at, event.pk)):
            counts = found[self.part(event.occurred_at), *self.dimensions(event)]
            if event.interaction_type == "recommendation_click":
                counts["clicks"] += 1
                continue
            counts["impressions"] += 1
            person = ("u", event.user_id) if event.user_id else ("s", event.session_id)
            once = (person, event.product_id, self.part(event.occurred_at))
            counts["unique_impressions"] += once not in seen
            seen.add(once)
        return found

    def earnings(self) -> dict[Any, Counter[str]]:
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for line, units, revenue, currency in self.lines:
            if line.pk in self.conversions and units:
                kind, click = self.conversions[line.pk]
                counts = found[self.part(line.occurred_at), *self.dimensions(click), currency]
                counts["conversions" if kind == "direct" else "assisted_lines"] += 1
                counts[f"{kind}_revenue"] += revenue  # type: ignore[assignment]
        return found

    def latencies(self) -> dict[Any, Counter[str]]:
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for served in self.lists.values():
            if served.milliseconds > 0:
                bucket = math.ceil(8 * math.log(served.milliseconds) / math.log(2))
                found[self.part(served.served_at), served.placement, min(max(bucket, -80), 200)]["lists"] += 1
        return found

    def of_products(self) -> dict[Any, Counter[str]]:
        """By placement, strategy, device and product."""
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        names = {"view": "views", "cart_add": "cart_adds"}
        for event in self.events:
            if event.interaction_type in names:
                key = (self.part(event.occurred_at), "", "", event.extra_data.get("device", ""), event.product_id)
                found[key][names[event.interaction_type]] += 1
        names = {"recommendation_view": "impressions", "recommendation_click": "clicks"}
        for event in self.told:
            key = (self.part(event.occurred_at), *self.kind_and_device(event), event.product_id)
            found[key][names[event.interaction_type]] += 1
            found[key][f"mail_{names[event.interaction_type]}"] += self.dimensions(event)[0] == "email"
        outs = list(Unavailability.objects.select_related("product"))
        for served in self.lists.values():
            for product_id in served.products:
                counts = found[self.part(served.served_at), served.placement, served.strategy, "", product_id]
                counts["recommended"] += 1
                counts["out_of_stock"] += any(
                    out.product.product_id == product_id
                    and served.served_at > out.began_at + timedelta(seconds=2)
                    and (out.ended_at is None or served.served_at < out.ended_at)
                    for out in outs
                )
        return found

    def kind_and_device(self, event: Interaction) -> tuple[str, str, str]:
        """Placement and strategy of the list that an event names, and the event's device."""
        served = self.lists.get(event.recommendation_request_id)
        device = event.extra_data.get("device", "")
        return (served.placement, served.strategy, device) if served else ("", "", device)

    def sales(self) -> dict[Any, Counter[str]]:
        """By placement, strategy, device, product and currency."""
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for line, units, revenue, currency in self.lines:
            if not units:
                continue
            at, sold = self.part(line.occurred_at), (line.product_id, currency)
            counts = found[at, "", "", line.extra_data.get("device", ""), *sold]
            counts["purchases"] += 1
            counts["units"] += units
            counts["revenue"] += revenue  # type: ignore[assignment]
            kind, click = self.conversions.get(line.pk, ("", line))
            if kind == "direct":
                counts = found[at, *self.kind_and_device(click), *sold]
                counts["conversions"] += 1
                counts["direct_revenue"] += revenue  # type: ignore[assignment]
        return found

    def searches(self) -> dict[Any, Counter[str]]:
        """By device and text."""
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for event in self.events:
            if event.interaction_type == "search":
                device = event.extra_data.get("device", "")
                counts = found[self.part(event.occurred_at), device, normal(event.search_query)]
                counts["searches"] += 1
                counts["without_results"] += event.extra_data.get("resultsCount") == 0
        for (part, device, query, _), counts in self.search_clicks().items():
            found[part, device, query]["clicks"] += counts["clicks"]
        return found

    def search_clicks(self) -> dict[Any, Counter[str]]:
        """By device, text and product."""
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for event in self.told:
            served = self.lists.get(event.recommendation_request_id)
            if event.interaction_type == "recommendation_click" and served and served.placement == "search":
                query, device = normal(served.anchors[0] if served.anchors else ""), event.extra_data.get("device", "")
                found[self.part(event.occurred_at), device, query, event.product_id]["clicks"] += 1
        return found

    @staticmethod
    def without(details: dict[Any, Counter[str]], places: set[int], measures: set[str] = frozenset()) -> dict[Any, Any]:
        """Add up details over the dimensions at these places of the key; leave these measures out."""
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for key, counts in details.items():
            kept = Counter({name: count for name, count in counts.items() if name not in measures})
            if kept:
                found[tuple(part for place, part in enumerate(key) if place not in places)].update(kept)
        return found

    def by_type(self) -> dict[Any, Counter[str]]:
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for event in self.events:
            counts = found[self.part(event.occurred_at), event.interaction_type]
            counts["events"] += 1
            counts["unknown_products"] += event.product_id is not None and event.product_id not in self.products
            counts["late"] += event.received_at - event.occurred_at > timedelta(hours=1)
        return found

    def funnels(self) -> dict[Any, Counter[str]]:
        steps: dict[Any, set[str]] = defaultdict(set)
        lists: dict[Any, dict[Any, set[str]]] = defaultdict(lambda: defaultdict(set))
        devices: dict[Any, str] = defaultdict(str)
        names = {
            "view": "viewed", "recommendation_view": "saw", "recommendation_click": "clicked", "cart_add": "carted",
            "purchase": "purchased",
        }  # fmt: skip
        for event in self.events:
            visit = ("s", event.session_id) if event.session_id else ("u", event.user_id)
            key = (self.day(event.occurred_at), visit)
            done = names.get(event.interaction_type, "")
            steps[key].add(done)
            devices[key] = max(devices[key], event.extra_data.get("device", ""))
            served = self.lists.get(event.recommendation_request_id)
            if done in ("saw", "clicked") and served:
                for kind in ((served.placement, served.strategy), (served.placement, ""), ("", served.strategy)):
                    lists[key][kind].add(done)
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for key, done in steps.items():
            others = done - {"saw", "clicked", ""}
            for kind, met in ({("", ""): done & {"saw", "clicked"}} | dict(lists[key])).items():
                segment = "clicked" if "clicked" in met else "saw" if "saw" in met else "none"
                found[key[0], devices[key], *kind, segment].update({"visits", *others, *met})
        return found

    def week(self, moment: datetime) -> datetime:
        day = moment.astimezone(self.zone).date()
        return datetime.combine(day - timedelta(days=day.weekday()), time.min, tzinfo=self.zone).astimezone(UTC)

    @staticmethod
    def sums(parts: dict[Any, Counter[str]], bucket: Callable[[datetime], datetime]) -> dict[Any, Counter[str]]:
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for (part, *key), counts in parts.items():
            found[bucket(part), *key].update(counts)
        return found


def normal(query: str) -> str:
    return re.sub(r"\s+", " ", query.strip(" ").lower())[:100]
