"""Stage 4: business rules only remove or move, they never invent."""

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from recommendations.contracts import PlacementSettings, ProductFacts, Scored
from recommendations.rules import apply, share_of

OPEN = PlacementSettings({})
DIVERSE = PlacementSettings({}, category_share=1 / 3)


def ranked(*products: int) -> list[Scored]:
    return [Scored(p, 1.0 - i / 1000, 0.5, 0.5, 0.5, "taste", 0, 0) for i, p in enumerate(products)]


def facts(product: int, *, category: str = "", brand: str = "", available: bool = True) -> ProductFacts:
    return ProductFacts(product, f"p{product}", f"P{product}", category, brand, Decimal(1), "USD", "", "", available)


def ids(shown: tuple[Scored, ...]) -> list[int]:
    return [one.product for one in shown]


def test_what_is_out_of_stock_or_barred_is_left_out() -> None:
    known = {1: facts(1), 2: facts(2, available=False), 3: facts(3), 4: facts(4)}
    assert ids(apply(ranked(1, 2, 3, 4), known, barred={3}, settings=OPEN, limit=10)) == [1, 4]


def test_of_twelve_four_may_share_a_category() -> None:
    known = {p: facts(p, category="Shoes" if p <= 10 else f"Other {p}") for p in range(1, 31)}
    shown = ids(apply(ranked(*range(1, 31)), known, barred=(), settings=DIVERSE, limit=12))
    assert shown == [1, 2, 3, 4, *range(11, 19)]


def test_without_alternatives_the_list_is_filled_all_the_same() -> None:
    known = {p: facts(p, category="Shoes") for p in range(1, 9)}
    assert ids(apply(ranked(*range(1, 9)), known, barred=(), settings=DIVERSE, limit=6)) == [1, 2, 3, 4, 5, 6]


def test_what_was_bought_together_comes_before_what_fills_up() -> None:
    rows = [Scored(1, 0.9, 1, 0.0, 1, "similar", 0, 0), Scored(2, 0.1, 0, 0.3, 0, "together", 3, 7)]
    shown = apply(rows, {1: facts(1), 2: facts(2)}, barred=(), settings=OPEN, limit=2, together_first=True)
    assert ids(shown) == [2, 1]


products = st.lists(st.integers(1, 40), unique=True, max_size=40)
catalogues = st.fixed_dictionaries(
    {
        p: st.builds(facts, st.just(p), category=st.sampled_from(["", "A", "B", "C"]), available=st.booleans())
        for p in range(1, 41)
    }
)


@given(products, catalogues, st.integers(1, 20), st.sets(st.integers(1, 40), max_size=10), st.floats(0.1, 1))
def test_rules_never_invent_never_repeat_and_fill_the_list(
    order: list[int], known: dict[int, ProductFacts], limit: int, barred: set[int], share: float
) -> None:
    settings = PlacementSettings({}, category_share=share)
    shown = ids(apply(ranked(*order), known, barred=barred, settings=settings, limit=limit))
    eligible = [p for p in order if known[p].available and p not in barred]
    assert len(set(shown)) == len(shown) == min(limit, len(eligible))
    assert set(shown) <= set(eligible)


@given(products, catalogues, st.integers(1, 20), st.floats(0.1, 1))
def test_no_category_exceeds_its_share_while_there_are_alternatives(
    order: list[int], known: dict[int, ProductFacts], limit: int, share: float
) -> None:
    shown = ids(
        apply(ranked(*order), known, barred=(), settings=PlacementSettings({}, category_share=share), limit=limit)
    )
    counts = Counter(known[p].category for p in shown)
    del counts[""]
    allowed = share_of(limit, share)
    left_out = [p for p in order if known[p].available and p not in shown]
    for category, count in counts.items():
        if count > allowed:
            assert all(known[p].category and counts[known[p].category] >= allowed for p in left_out), category
