"""Three made-up shops of different kinds: tuning finds out what each is like, without being told."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest

from recommendations.learning.choosing import Choice
from recommendations.learning.cuts import Face
from recommendations.learning.events import Events
from recommendations.learning.likeness import Catalogue
from recommendations.learning.seeking import Budget, Past, choice_of, tasks_of
from recommendations.signals import SIGNALS

DAY = 86_400.0
UNTIL = 300 * DAY
Line = tuple[int, int, float, int]  # person, product, day, visit


def tuned(face: Face, past: Past) -> Choice:
    budget = Budget(120.0)
    tasks = tasks_of(past, [face], seed=0, budget=budget, progress=lambda _: None)[face]
    return choice_of(face, tasks, events=len(past.events), seed=0, budget=budget, faces=1)


def shop(lines: Iterable[Line], vectors: npt.NDArray[np.float64], *, bought: bool = True, known: bool = True) -> Past:
    """Return a shop of purchases by customers, or of views by visitors."""
    person, product, day, visit = (
        np.array(column) for column in zip(*sorted(lines, key=lambda one: one[2]), strict=True)
    )
    n = len(person)
    events = Events(
        person=person.astype(np.int32),
        product=product.astype(np.int32),
        weight=np.full(n, 5.0 if bought else 1.0, np.float32),
        moment=day * DAY,
        order=visit.astype(np.int64) + 1 if bought else np.zeros(n, np.int64),
        bought=np.full(n, bought),
        visit=visit.astype(np.int64),
        known=np.full(n, known),
        persons=np.arange(int(person.max()) + 1),
        products=np.arange(len(vectors)) + 1,
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [str(number) for number in events.products.tolist()]
    catalogue = Catalogue(unit.astype(np.float32), [f"Product {name}" for name in names], names)
    return Past(events, catalogue, np.ones(len(vectors), bool), UNTIL, 5.0)


def shares(choice: Choice) -> dict[str, float]:
    """Return the part of the positive weights that each signal has."""
    positive = {code: weight for code, weight in choice.mix.items() if weight > 0}
    return {code: weight / sum(positive.values()) for code, weight in positive.items()}


def family(choice: Choice, source: str) -> float:
    return sum(share for code, share in shares(choice).items() if SIGNALS[code].source == source)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_where_texts_are_rich_and_orders_few_content_leads(rng: np.random.Generator) -> None:
    """800 products on 20 subjects; each shopper follows one subject and hardly anybody buys the same product."""
    subjects = rng.normal(size=(20, 32))
    vectors = np.repeat(subjects, 40, axis=0) + 0.5 * rng.normal(size=(800, 32))
    lines = [
        (person, int(rng.integers(0, 40) + 40 * subject), float(rng.uniform(0, 299)) + line / 1e4, person * 10 + order)
        for person, subject in enumerate(rng.integers(0, 20, 400).tolist())
        for order in range(5)
        for line in range(2)
    ]
    past = shop(lines, vectors)
    choice = tuned(Face.HOMEPAGE, past)
    # The default blend leads with content already; what takes its place may only do so more.
    assert not choice.mix or family(choice, "content") > 0.5
    figures = choice.evidence["ndcg"]
    assert max(figures["taste"], figures["alike"]) > 2 * figures["popular_60"]


def test_at_a_grocers_what_shoppers_always_buy_leads(rng: np.random.Generator) -> None:
    """150 products; everybody has eight staples, each bought every so many days, and now and then something else."""
    every = rng.integers(5, 40, 150)
    lines: list[Line] = []
    for person in range(160):
        staples = rng.choice(150, 8, replace=False)
        for visit, day in enumerate(range(int(rng.integers(0, 5)), 300, 5)):
            due = [one for one in staples.tolist() if (day + person) % int(every[one]) < 5]
            basket = {*due, *rng.choice(150, 1).tolist()}
            lines += [(person, product, float(day), person * 100 + visit) for product in basket]
    choice = tuned(Face.HOMEPAGE_REPEAT, shop(lines, rng.normal(size=(150, 32))))
    assert choice.evidence["gain"]["low"] > 0.05
    own = sum(share for code, share in shares(choice).items() if code.startswith("own_") or code == "forecast")
    assert own > 0.4


def test_where_visitors_only_look_what_comes_next_in_a_visit_leads(rng: np.random.Generator) -> None:
    """250 products; anonymous visits follow paths, two steps in three to a product's own successors."""
    successors = rng.integers(0, 250, (250, 3))
    lines: list[Line] = []
    for visit in range(3000):
        product, day = int(rng.integers(0, 250)), float(rng.uniform(0, 299))
        for step in range(5):
            lines.append((visit, product, day + step / 1440, visit))
            product = int(successors[product, rng.integers(0, 3)] if rng.random() < 2 / 3 else rng.integers(0, 250))
    choice = tuned(Face.PRODUCT, shop(lines, rng.normal(size=(250, 32)), bought=False, known=False))
    assert choice.evidence["gain"]["low"] > 0.05
    assert family(choice, "collaborative") > 0.7
    assert shares(choice).get("sequence", 0.0) + shares(choice).get("visits", 0.0) > 0.3


def test_a_budget_is_kept_by_beginning_no_cut_that_does_not_fit() -> None:
    class Clock(Budget):
        now = 0.0

        @property
        def passed(self) -> float:
            return self.now

    budget = Clock(100.0)
    assert budget.allows_cut([])
    budget.now = 30.0
    assert budget.allows_cut([30.0])  # 30 + 30 for the second + 30 for training
    budget.now = 40.0
    assert not budget.allows_cut([40.0])
    budget.now = 30.0
    assert budget.allows_cut([10.0, 20.0])  # 30 + 20 + 20, and 25 for seeking
    budget.now = 36.0
    assert not budget.allows_cut([10.0, 20.0])
    assert budget.share(2) == pytest.approx((100 - 20 - 36) / 2)


@pytest.mark.parametrize(("orders", "asked"), [(499, 1), (500, 3)])
def test_a_cart_is_asked_about_more_than_once_only_where_orders_are_many(
    rng: np.random.Generator, orders: int, asked: int
) -> None:
    """Before day 272 every product is sold; in the four weeks after it there are so many orders of three."""
    lines: list[Line] = [(product, product, 100.0, product) for product in range(30)]
    lines += [
        (order, int(product), 272.5 + order / 100, 1000 + order)
        for order in range(orders)
        for product in rng.choice(30, 3, replace=False)
    ]
    past = shop(lines, rng.normal(size=(30, 8)))
    tasks = tasks_of(past, [Face.CART], seed=0, budget=Budget(120.0), progress=lambda _: None)[Face.CART]
    assert tasks[0].candidates.cases == orders * asked
