"""Stage 4, pure: business rules only remove or move what was ranked, and pin what a merchant names. No Django here."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from recommendations.contracts import PlacementSettings, ProductFacts, Rule, RuleAction, Scored

NO_RULES: Mapping[int, Rule] = {}
PINNED = "pinned"


def apply(
    ranked: Sequence[Scored],
    facts: Mapping[int, ProductFacts],
    *,
    barred: Collection[int],
    settings: PlacementSettings,
    limit: int,
    together_first: bool = False,
    verdicts: Mapping[int, Rule] = NO_RULES,
    pinnable: Collection[int] = (),
) -> tuple[Scored, ...]:
    """Return at most `limit` of `ranked`, with what is `pinnable` at its place.

    1. What is not available, barred or hidden is left out.
    2. What a rule boosts moves up to where its new score belongs; what was bought together stays in front.
    3. Pins take their places; a place taken already, or beyond the end, gives the next free one, or the last.
    4. The rest fills up so that lists stay diverse; what a rule buries comes after everything else.

    `verdicts` names the merchandising rule that decides about a product, `pinnable` the products that a pin may
    show here: available, not barred, and decided by that pin.
    """
    showable = (one for one in ranked if _may_show(one.product, facts, barred, verdicts))
    if not verdicts and not pinnable and not together_first:
        return diversified(showable, facts, settings=settings, limit=limit)
    shown = boosted(showable, verdicts)
    if together_first:
        shown.sort(key=lambda one: one.collaborative == 0)
    pins = places_of_pins(shown, pinnable, verdicts, limit=limit)
    pinned = {one.product for one in pins.values()}
    others = [one for one in shown if one.product not in pinned]
    buried = {one.product for one in others if _says(verdicts, one.product, RuleAction.BURY)}
    free = limit - len(pins)
    first = [one for one in others if one.product not in buried]
    last = [replace(one, rule=verdicts[one.product]) for one in others if one.product in buried]
    chosen = diversified(first, facts, settings=settings, limit=limit, free=free, beside=pins.values())
    beside = [*pins.values(), *chosen]
    chosen += diversified(last, facts, settings=settings, limit=limit, free=free - len(chosen), beside=beside)
    return merged(pins, chosen)


def boosted(ranked: Iterable[Scored], verdicts: Mapping[int, Rule]) -> list[Scored]:
    """Return `ranked` with each boosted score multiplied, and moved up past the lower ones; the others keep order."""
    rows: list[tuple[float, Scored]] = []
    # Stages before may have moved something against its score: it counts as no more than what stands above it.
    height = math.inf
    for one in ranked:
        height = min(height, one.score)
        rule = verdicts.get(one.product)
        if rule is not None and rule.action is RuleAction.BOOST:
            rows.append((height * rule.factor, replace(one, score=one.score * rule.factor, rule=rule)))
        else:
            rows.append((height, one))
    rows.sort(key=lambda row: -row[0])
    return [one for _, one in rows]


def places_of_pins(
    shown: Sequence[Scored], pinnable: Collection[int], verdicts: Mapping[int, Rule], *, limit: int
) -> dict[int, Scored]:
    """Return what is pinned to which place, 1 to `limit`.

    Rules are heard in the order in which they decide; the products of one rule stand in the order of their scores,
    those that nothing proposed last. A pin whose place is beyond the list is none.
    """
    proposed = {one.product: (place, one) for place, one in enumerate(shown)}
    nothing = len(shown)
    places: dict[int, Scored] = {}
    for product in sorted(
        pinnable,
        key=lambda product: (
            -verdicts[product].priority, verdicts[product].id, proposed.get(product, (nothing,))[0], product,
        ),
    ):  # fmt: skip
        rule = verdicts[product]
        place = rule.position
        while place in places:
            place += 1
        if place <= limit:
            one = proposed[product][1] if product in proposed else _unproposed(product)
            places[place] = replace(one, loudest=PINNED, rule=rule)
    return places


def merged(pins: Mapping[int, Scored], others: Sequence[Scored]) -> tuple[Scored, ...]:
    """Return pins at their places and the others in order around them; nothing is left free before the end."""
    remaining = iter(others)
    waiting = sorted(pins.items())
    result: list[Scored] = []
    while len(result) < len(pins) + len(others):
        due = waiting and waiting[0][0] <= len(result) + 1
        other = None if due else next(remaining, None)
        result.append(other if other is not None else waiting.pop(0)[1])
    return tuple(result)


def diversified(
    ranked: Iterable[Scored],
    facts: Mapping[int, ProductFacts],
    *,
    settings: PlacementSettings,
    limit: int,
    free: int | None = None,
    beside: Iterable[Scored] = (),
) -> tuple[Scored, ...]:
    """Return the first `free` (or `limit`) in which no category and no brand exceeds its share of `limit`.

    What stands `beside` them counts. What a share turned away comes back, in order, only when nothing else is left to
    fill the list. Products without a category or brand are not counted.
    """
    free = limit if free is None else free
    chosen: list[Scored] = []
    waiting: list[Scored] = []
    categories = Counter(facts[one.product].category for one in beside)
    brands = Counter(facts[one.product].brand for one in beside)
    most_of_category = share_of(limit, settings.category_share)
    most_of_brand = share_of(limit, settings.brand_share)
    for one in ranked:
        if len(chosen) == free:
            break
        fact = facts[one.product]
        full = (fact.category and categories[fact.category] >= most_of_category) or (
            fact.brand and brands[fact.brand] >= most_of_brand
        )
        if full:
            waiting.append(one)
            continue
        chosen.append(one)
        categories[fact.category] += 1
        brands[fact.brand] += 1
    return tuple(chosen + waiting[: free - len(chosen)])


def share_of(limit: int, share: float) -> int:
    """Return how many of `limit` places a share allows: at least one, rounded up."""
    return max(1, math.ceil(limit * share - 1e-9))


def _may_show(
    product: int, facts: Mapping[int, ProductFacts], barred: Collection[int], verdicts: Mapping[int, Rule]
) -> bool:
    if product in barred or not facts[product].available:
        return False
    return not verdicts or not _says(verdicts, product, RuleAction.HIDE)


def _says(verdicts: Mapping[int, Rule], product: int, action: RuleAction) -> bool:
    rule = verdicts.get(product)
    return rule is not None and rule.action is action


def _unproposed(product: int) -> Scored:
    return Scored(product, 0.0, 0.0, 0.0, 0.0, PINNED, 0, 0)
