"""Stories that are easily miscounted, each a few steps long: the law is tried on every one of them, always.

A story has the shape that makes one fault in counting visible: change its numbers only where the fault stays so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.analytics.steps import DAY, EMAIL, HOMEPAGE, REQUESTS, SEARCH, Step

ONE, TWO, THREE, FOUR = REQUESTS
ANN, ANN_THERE, SESSION = ("ann", None), ("ann", "s1"), (None, "s1")
BOB, BOB_THERE, THERE = ("bob", None), ("bob", "s2"), (None, "s2")
COUNT, MERGE, ERASE = {"do": "count"}, {"do": "merge"}, {"do": "erase"}
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Story:
    """What it shows, its steps, the shop's zone, and how many days after it the last count is."""

    says: str
    steps: Sequence[Step]
    zone: str = "UTC"
    days_later: int = 1


def event(kind: str, minutes: float = 0, who: tuple[str | None, str | None] = ANN, **fields: Any) -> Step:
    return {"do": "event", "kind": kind, "minutes": minutes, "who": who, "seconds": 0, **fields}


def see(minutes: float = 0, who: tuple[str | None, str | None] = ANN, **fields: Any) -> Step:
    return event("recommendation_view", minutes, who, **fields)


def click(minutes: float = 0, who: tuple[str | None, str | None] = ANN, **fields: Any) -> Step:
    return event("recommendation_click", minutes, who, **fields)


def buy(minutes: float = 0, who: tuple[str | None, str | None] = ANN, **fields: Any) -> Step:
    return event("purchase", minutes, who, **{"quantity": 1, "price": Decimal(10), "order": "o1", **fields})


def served(minutes: float = 0, **fields: Any) -> Step:
    return {"do": "list", "minutes": minutes, **fields}


def tale(**fields: Any) -> Step:
    return {"do": "story", **fields}


def back(lines: Sequence[tuple[str, int]] = (), refund_id: str = "") -> Step:
    return {"do": "refund", "order": "o1", "id": refund_id, "lines": lines}


def change(kind: str, minutes: float | None = None, **fields: Any) -> Step:
    return {"do": "change", "kind": kind, "minutes": minutes, "seconds": 0, "fields": fields}


ATTRIBUTION = [
    *(
        Story(f"{after} after a click in {name}", [tale(placement=placement, after=after)])
        for name, placement, afters in (
            ("a mail", EMAIL, (5 * DAY, 5 * DAY + SECOND)),
            ("a page", HOMEPAGE, (timedelta(0), 7 * DAY, 7 * DAY + SECOND)),
        )
        for after in afters
    ),
    Story(
        "a click without a list has the window of the page that it names",
        [click(context="email"), click(context="homepage", product="b"), buy(6 * 1440), buy(6 * 1440, product="b")],
    ),
    Story("a click later than the purchase earns nothing", [served(), click(1), buy(order=None), buy(2, order=None)]),
    Story(
        "the last click wins, of equals the one told last, for its own line and the others of the order",
        [served(), served(request=TWO, strategy="personalized"), served(request=THREE, placement=EMAIL),
         click(1), click(9, request=TWO), click(9, request=THREE), click(9, request=TWO, product="b"),
         click(8, request=ONE, product="unknown"),
         buy(10), buy(10, product="b"), buy(10, product="unknown"), buy(10, product="c")],
    ),
    Story(
        "a click that is told late takes the credit from an earlier one",
        [served(), served(request=TWO, strategy="personalized"), click(1), buy(10), buy(10, product="c"), COUNT,
         click(5, request=TWO)],
    ),
    *(
        Story(
            f"a click of {name} that is told last, {after} before the purchase",
            [served(), *(buy(after / timedelta(minutes=1), who, product=one) for one in "ac"), COUNT, click(0, who)],
        )
        for name, who in (("a user", ANN), ("a session", SESSION))
        for after in (7 * DAY, 7 * DAY + SECOND)
    ),
    Story(
        "a session's click is credited to whoever it is, and a user's to nobody else in the same session",
        [served(), click(1, SESSION), buy(9, ANN_THERE), buy(9, ANN, order="o2"), click(2, BOB_THERE, product="b"),
         buy(9, ("ann", "s2"), product="b", order="o3"), buy(9, THERE, product="b", order="o4")],
    ),
    Story(
        "a session's click becomes its user's once merged",
        [served(), click(1, SESSION), buy(9, ANN), buy(9, ANN, product="c"), COUNT, MERGE],
    ),
    Story(
        "a session's click, told after a user bought there",
        [served(), buy(9, ANN_THERE), buy(9, SESSION, product="b", order="o2"), COUNT, click(1, SESSION),
         click(2, ANN_THERE, product="b")],
    ),
    Story(
        "a click that moves behind the purchase loses its credit",
        [served(), click(1), buy(9), buy(9, product="c"), COUNT, change("recommendation_click", 10)],
    ),
    Story(
        "a line that moves to another order leaves the others there without help, and helps those here",
        [served(), click(1), buy(9), buy(9, product="c"), buy(9, product="b", order="o2"), COUNT,
         change("purchase", order_id="o2")],
    ),
    Story(
        "a line that moves takes its credit along",
        [served(), click(1), buy(9), COUNT, change("purchase", 90)],
    ),
    Story(
        "a line that becomes somebody else's is nobody's",
        [served(), click(1), buy(9), buy(9, product="c"), COUNT, change("purchase", user_id="bob")],
    ),
    Story(
        "an order of two, one of whom is erased",
        [served(), click(1, BOB), buy(9, BOB), buy(9, ANN, product="c"), COUNT, ERASE],
    ),
]  # fmt: skip
REFUNDS = [
    Story(
        f"what came back: {says}",
        [served(), click(1), click(1, product="c"),
         buy(9, quantity=3, price=Decimal("9.99")), buy(10, quantity=2, price=None),
         buy(11, product="c", quantity=None), buy(11, product="b"), buy(12, order="o2"),
         *(back(lines, f"r{number}") for number, lines in enumerate(refunds))],
    )
    for says, refunds in (
        ("one piece", [[("a", 1)]]),
        ("one piece, twice", [[("a", 1)], [("a", 1)]]),
        ("more than the first line had", [[("a", 4), ("c", 1)]]),
        ("more than was bought", [[("a", 9), ("unknown", 1)]]),
        ("all pieces of a product", [[("a", 0)], [("c", 1)]]),
        ("the whole order", [[]]),
    )
]  # fmt: skip
REFUNDS += [
    Story("a refund that comes first", [back(), served(), click(1), buy(9), buy(9, order="o2")]),
    Story(
        "a refund of an order of two, one of whom is erased",
        [buy(9, ANN), buy(90, BOB, product="b"), COUNT,
         back([("a", 1)]), COUNT, ERASE],
    ),
    Story(
        "prices and currencies: of the event, the product's, the shop's",
        [served(), click(1, product="b"), buy(9, product="b", price=None), buy(9, product="b", price=Decimal("0.5")),
         buy(9, product="c", price=None), buy(9, product="unknown", price=None),
         buy(9, product="b", currency="GBP", order="o2"), buy(9, product="c", order="o2", quantity=None)],
    ),
]  # fmt: skip
TOLD = [
    Story(
        "one person sees a product in several lists",
        [served(), served(request=TWO, strategy="personalized"), see(1), see(2, request=TWO),
         see(2, request=TWO, product="b"), see(4, ANN_THERE, request=THREE), see(6, request=FOUR)],
    ),
    Story(
        "several persons see a product, and one in several sessions",
        [see(1), see(2, BOB, request=TWO), see(2, SESSION, request=THREE), see(3, (None, "ann"), request=FOUR)],
    ),
    Story(
        "a guest's sessions are each a person, until they are merged",
        [see(1, SESSION), see(2, THERE, request=TWO), see(3, ANN, request=THREE), COUNT, MERGE],
    ),
    Story(
        "a repeat counts once, wherever it comes, and whichever is told first",
        [served(), see(20), click(21), see(70), click(71), COUNT, see(22), click(19), COUNT, see(3),
         click(4), see(1500)],
    ),
    Story(
        "a repeat from another device, page and place counts as the first",
        [see(20, device="mobile", position=3, context="homepage"), see(20, position=4, context="email"), click(21),
         click(23, device="mobile")],
    ),
    Story(
        "a list that is written late explains what was told of it, and what was earned by it",
        [see(1), click(2), see(31, product="b"), buy(5 * 1440 + 100), buy(5 * 1440 + 100, product="c"), COUNT,
         served(placement=EMAIL, campaign="weekly_digest")],
    ),
    Story(
        "a list of results that is written late explains the clicks in it",
        [see(61), click(62, context="homepage"), buy(90), COUNT, served(placement=SEARCH, variant="test:A")],
    ),
    Story(
        "a place is where a product stood; far back places are one",
        [served(products=[f"p{number}" for number in range(52)], asked=60), see(1, product="p1", position=7),
         click(2, product="p50"), see(2, product="p49"),
         click(2, product="p1", position=7, device="mobile"), see(3, product="p48"), see(3, product="p51", position=1),
         see(4, request=TWO, position=99), see(4, request=TWO, product="b", position=50), click(5, request=THREE),
         buy(9, product="p50"), buy(9), buy(9, product="p1")],
    ),
    Story(
        "lists that are empty, short, full, or do not say how many were wanted",
        [served(products=["a"], asked=4), served(request=TWO, products=[], asked=4),
         served(request=THREE, products=["a"], asked=4), served(request=FOUR, products=["a"])],
    ),
    Story(
        "latencies that are none, tiny, whole and beyond all measure",
        [served(milliseconds=0.0), served(request=TWO, milliseconds=0.0001), served(request=THREE, milliseconds=8.0),
         served(request=FOUR, milliseconds=1e12)],
    ),
    Story(
        "products served before, while and after they could not be bought",
        [served(0, seconds=2, products=["c"]), served(0, seconds=3, request=TWO, products=["c", "a"]),
         served(59, seconds=59, request=THREE, products=["c"]), served(60, request=FOUR, products=["c"])],
    ),
]  # fmt: skip
VISITS = [
    Story(
        "what an erased person did is no part of the visit that others share",
        [event("view", 0, BOB_THERE, device="mobile"), event("cart_add", 60, ("ann", "s2")), COUNT, ERASE],
        days_later=days,
    )
    for days in (1, 5, 18)
]
VISITS += [
    Story(
        "the longest day has 25 hours, and a visit may last as long",
        [event("cart_add", -119, BOB_THERE), event("view", 1379, ("ann", "s2")), COUNT, ERASE],
        zone="Europe/Berlin",
    ),
    Story(
        "the visit of a person without a session ends where it becomes somebody else's",
        [event("view"), event("cart_add", 60), COUNT, change("view", user_id="bob")],
    ),
    Story(
        "a visit meets lists of several kinds, and clicks in one",
        [served(), served(request=TWO, placement=EMAIL), served(request=THREE, strategy="personalized"),
         see(1, device="mobile"), see(2, request=TWO), click(3, request=TWO), see(4, request=THREE),
         see(5, THERE, request=THREE), see(6, SESSION, request=FOUR), event("cart_add", 7, THERE), COUNT,
         event("view", 8, THERE, device="desktop"), buy(9, THERE), see(10, THERE), event("view", 11, ("bob", "s1"))],
    ),
]  # fmt: skip
SEARCHES = [
    Story(
        "texts are the same whatever their case and spaces, up to a hundred letters",
        [event("search", 1, query=query, results=results)
         for query, results in (("Lamp", 0), (" lamp  ", 3), ("red  lamp", None), ("red\tLAMP", 0), ("", 0),
                                ("x" * 100, 0), ("x" * 101, 1))],
    ),
    Story(
        "clicks in results count with the text that found them",
        [served(placement=SEARCH), see(1), click(2), click(2, SESSION), click(2, product="b"), click(3, request=TWO),
         event("search", 3, query="red lamp"), served(request=TWO, placement=SEARCH, who=BOB), COUNT,
         click(4, BOB, request=TWO, product="c")],
    ),
    Story(
        "the words of an erased person are forgotten, whoever clicked in their results",
        [served(placement=SEARCH, who=BOB_THERE), event("view", 0, BOB_THERE), click(62, ANN), COUNT, ERASE],
    ),
]  # fmt: skip
TIME = [
    Story(
        "borders of parts, hours, days and weeks belong to what begins",
        [event("view", minutes) for minutes in (4, 5, 59, 60, 1439, 1440, 4 * 1440 - 1, 4 * 1440, 11 * 1440)]
        + [served(5), see(5), click(5), buy(5), event("search", 5)],
        days_later=days,
    )
    for days in (1, 5, 18)
]  # fmt: skip
TIME += [
    Story(
        "days and hours are those of the shop",
        [event("view", minutes) for minutes in (-31, 29, 30, 89, 90, 1469, 1470)],
        zone="Asia/Kolkata",
        days_later=days,
    )
    for days in (1, 5, 18)
]
TIME += [
    Story(
        f"a day of {hours} hours",
        [event("view", minutes) for minutes in (*range(-120, 181, 60), *range(1320, 1441, 60))],
        zone=zone,
        days_later=2,
    )
    for zone, hours in (("Europe/Berlin", 25), ("America/New_York", 23))
]
TIME += [
    Story(
        "an event is late if it comes more than an hour after it happened",
        [event("view", delay, product="unknown", delay=delay) for delay in (3599, 3600, 3601)],
    ),
    Story("what moves is gone where it was", [event("view", 30), event("view", 31), COUNT, change("view", -1500)]),
    Story(
        "a visit has not done what has moved to another day, or was on no other device",
        [event("cart_add", 30), event("view", 31), COUNT, change("cart_add", -1500), COUNT,
         change("view", extra_data={"device": "mobile"}), COUNT, change("view", extra_data={})],
    ),
    Story(
        "the shop moves abroad and back",
        [served(), see(1), click(2), buy(9), event("view", 1380), event("cart_add", 1500), {"do": "abroad"}, see(61)],
    ),
    Story(
        "everything is counted anew",
        [served(), see(1), click(2), buy(9), event("view", 9 * 1440, SESSION), COUNT, {"do": "recount"},
         {"do": "rebuild"}],
    ),
]  # fmt: skip
STORIES = [*ATTRIBUTION, *REFUNDS, *TOLD, *VISITS, *SEARCHES, *TIME]
