"""Stage 4: business rules only remove or move, they never invent."""

from collections import Counter
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from recommendations.contracts import PlacementSettings, ProductFacts, Rule, RuleAction, Scored, Target
from recommendations.rules import PINNED, apply, boosted, share_of

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


def a_rule(number: int, action: RuleAction, position: int, priority: int) -> Rule:
    return Rule(number, action, Target(category="any"), priority, position=position, factor=2.0)


some_rules = st.builds(a_rule, st.integers(1, 99), st.sampled_from(RuleAction), st.integers(1, 25), st.integers(-2, 2))
decisions = st.dictionaries(st.integers(1, 40), some_rules, max_size=15)


def pinnable_of(verdicts: dict[int, Rule], known: dict[int, ProductFacts], barred: set[int]) -> set[int]:
    pins = {p for p, rule in verdicts.items() if rule.action is RuleAction.PIN}
    return {p for p in pins if known[p].available} - barred


@given(products, catalogues, decisions, st.integers(1, 20), st.sets(st.integers(1, 40), max_size=10), st.floats(0.1, 1))
def test_merchandising_only_removes_moves_and_pins(
    order: list[int],
    known: dict[int, ProductFacts],
    verdicts: dict[int, Rule],
    limit: int,
    barred: set[int],
    share: float,
) -> None:
    settings = PlacementSettings({}, category_share=share)
    pinnable = pinnable_of(verdicts, known, barred)
    rows = ranked(*order)

    def shown_with(asked: list[int]) -> tuple[Scored, ...]:
        return apply(
            rows, known, barred=barred, settings=settings, limit=limit, verdicts=verdicts, pinnable=asked
        )  # fmt: skip

    shown = shown_with(sorted(pinnable))
    assert shown == shown_with(sorted(pinnable, reverse=True))
    hidden = {p for p, rule in verdicts.items() if rule.action is RuleAction.HIDE}
    eligible = {p for p in order if known[p].available} - barred - hidden
    assert set(ids(shown)) <= eligible | pinnable
    assert len(set(ids(shown))) == len(shown)
    assert len(shown) >= min(limit, len(eligible))
    pinned = [one.product for one in shown if one.loudest == PINNED]
    assert set(pinned) <= pinnable
    for place, one in enumerate(shown, start=1):
        if one.loudest == PINNED:
            assert one.rule == verdicts[one.product]
            # Pins of the same place push it on; only a list that ends before its place pulls it up.
            assert place >= min(one.rule.position, len(shown)) or place > len(eligible - set(pinned))


@given(products, decisions)
def test_what_no_rule_touches_keeps_its_order_and_its_score(order: list[int], verdicts: dict[int, Rule]) -> None:
    known = {p: facts(p) for p in range(1, 41)}
    rows = ranked(*order)
    shown = apply(
        rows, known, barred=(), settings=OPEN, limit=50, verdicts=verdicts, pinnable=pinnable_of(verdicts, known, set())
    )  # fmt: skip
    untouched = [one for one in rows if one.product not in verdicts]
    assert [one for one in shown if one.product not in verdicts] == untouched
    for action in (RuleAction.BOOST, RuleAction.BURY):
        alike = [p for p in order if p in verdicts and verdicts[p].action is action]
        assert [p for p in ids(shown) if p in alike] == alike
    free = [p for p in ids(shown) if p not in verdicts or verdicts[p].action is RuleAction.BOOST]
    buried = [p for p in ids(shown) if p in verdicts and verdicts[p].action is RuleAction.BURY]
    others = [p for p in ids(shown) if p in free or p in buried]
    assert others == free + buried


def test_a_boost_moves_past_lower_scores_only() -> None:
    rows = [Scored(p, score, 0, 0, 0, "taste", 0, 0) for p, score in ((1, 0.9), (2, 0.5), (3, 0.3), (4, 0.2))]
    rule = Rule(1, RuleAction.BOOST, Target(category="any"), factor=2.0)
    shown = boosted(rows, {3: rule})
    assert [(one.product, one.score) for one in shown] == [(1, 0.9), (3, 0.6), (2, 0.5), (4, 0.2)]


def test_pins_of_one_place_stand_one_after_the_other_by_priority() -> None:
    known = {p: facts(p) for p in range(1, 20)}
    first = Rule(7, RuleAction.PIN, Target(frozenset([11])), priority=5, position=2)
    second = Rule(3, RuleAction.PIN, Target(frozenset([12, 4])), position=2)
    beyond = Rule(4, RuleAction.PIN, Target(frozenset([13])), position=6)
    verdicts = {11: first, 12: second, 4: second, 13: beyond}
    shown = apply(
        ranked(1, 2, 3, 4, 5, 6), known, barred=(), settings=OPEN, limit=5, verdicts=verdicts, pinnable=[4, 11, 12, 13]
    )  # fmt: skip
    assert ids(shown) == [1, 11, 4, 12, 2]


def test_a_pin_counts_towards_its_categorys_share() -> None:
    known = {p: facts(p, category="Shoes" if p <= 10 else f"Other {p}") for p in range(1, 31)}
    pin = Rule(1, RuleAction.PIN, Target(frozenset([9])), position=1)
    shown = ids(
        apply(ranked(*range(1, 31)), known, barred=(), settings=DIVERSE, limit=12, verdicts={9: pin}, pinnable=[9])
    )
    assert shown == [9, 1, 2, 3, *range(11, 19)]
