"""Why a list is what it is: what every stage of the live pipeline made of it, in frozen data for pages and terminals.

    explanation = explain(Query(Placement.HOMEPAGE, limit=12, user_id="wanjiku-muthoni"))
    explanation.shown            the live list, exactly: `Candidate`s with position, reason, score, signals, rule
    explanation.candidates       everything that came to stage 2, in the final order; `position` is None below the list
    explanation.sources          what was asked in stage 1, with weights and counts
    explanation.why_not("p9")    a `WhyNot`: where p9 stands, or every rule and score that keeps it out
    explanation.as_json()        all of it as plain data

A `Query` says who asks: a shopper (`user_id`), a visit (`session_id`), a product or a cart (`anchors`), on which
placement. `consider` of the pipeline makes the list; nothing is computed a second time here, and nothing is remembered
as served. Costs what the list costs, and one query for the rules' names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recommendations import experiments, hindrances, pipeline, scoring
from recommendations.contracts import PlacementSettings, ProductFacts, Query, Reason, Rule, Scored, Votes
from recommendations.hindrances import WhyNot
from recommendations.models import MerchandisingRule
from recommendations.pipeline import Considered
from recommendations.shelf import ActiveVersion, shelf


@dataclass(frozen=True, slots=True)
class Named:
    """A product by the shop's id and its title."""

    product_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list was asked for, and what was known of whoever asked.

    `recent` holds up to ten products, strongest first, `visit` those of the last half hour; `bought_lately` counts what
    the shopper bought in the last 30 days; `categories` the strongest five, with their share of the interest.
    """

    placement: str
    limit: int
    user_id: str
    session_id: str
    anchors: tuple[Named, ...]
    recent: tuple[Named, ...]
    visit: tuple[Named, ...]
    bought_lately: int
    categories: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SourceSaid:
    """One source of stage 1: its code, the signal it speaks for, its weight in the score, how many it proposed."""

    code: str
    signal: str
    weight: float
    proposed: int
    best_raw: float


@dataclass(frozen=True, slots=True)
class Voice:
    """What one source said of one product: raw score, the same in [0, 1], its weight, and what stands behind it.

    The score of stage 2 is Σ weight × value over the voices, within [0, 1]. A `floor` is not added: it lifts its signal
    at least to its value.
    """

    code: str
    signal: str
    raw: float
    value: float
    weight: float
    support: int
    because: Named | None
    floor: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One product on its way through the stages.

    `scored` and `scored_place` are stage 2's, `ranked` and `ranked_place` stage 3's; `score` is the final one, after a
    boost. `position` is its place in the list, None where it is not shown. `rule` names the merchandising rule that
    moved it, if one did. `reason` is there where it is shown.
    """

    product: Named
    category: str
    brand: str
    price: str | None
    voices: tuple[Voice, ...]
    content: float
    collaborative: float
    popularity: float
    scored: float
    scored_place: int | None
    rerank: float | None
    ranked: float
    ranked_place: int | None
    score: float
    position: int | None
    rule: str | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A list, and how it came about. `variant` is “experiment:variant”, or empty."""

    asked: Asked
    strategy: str
    model_version: int | None
    variant: str
    rerank: str
    rerank_share: float
    weights: Mapping[str, float]
    rescale: str
    category_share: float
    brand_share: float
    rules: tuple[str, ...]
    sources: tuple[SourceSaid, ...]
    candidates: tuple[Candidate, ...]
    considered: Considered

    @property
    def shown(self) -> tuple[Candidate, ...]:
        """Return the list, as it would be answered."""
        placed = [one for one in self.candidates if one.position is not None]
        return tuple(sorted(placed, key=lambda one: one.position or 0))

    def why_not(self, product_id: str) -> WhyNot:
        """Say where a product stands in this list, or why it does not."""
        return hindrances.why_not(self.considered, product_id, rule_names=_names_of_rules)

    def as_json(self, *, most: int | None = None) -> dict[str, Any]:
        """Return it as plain data; `most` bounds the candidates."""
        parts = {name: getattr(self, name) for name in self.__slots__ if name not in ("considered", "candidates")}
        plain = {name: _plain(value) for name, value in parts.items()}
        return plain | {"candidates": [_plain(one) for one in self.candidates[:most]]}


def explain(query: Query, *, version: ActiveVersion | None = None) -> Explanation:
    """Take a query through the live pipeline, and tell what each stage made of it.

    Whoever asks meets the variant of a running experiment that they meet in the shop, unless a `version` is named.
    """
    assigned = None if version else experiments.assign(query)
    considered = pipeline.consider(query, version=version, variant=assigned.variant if assigned else None)
    answer = pipeline.answered(considered)
    settings = considered.settings
    names = _names_of_rules(considered.context.verdicts.rules)
    return Explanation(
        asked=_asked(considered),
        strategy=answer.strategy.value,
        model_version=answer.model_version,
        variant=assigned.label if assigned else "",
        rerank=answer.rerank_state,
        rerank_share=considered.reranked.share,
        weights=dict(settings.mix or settings.weights),
        rescale=settings.rescale,
        category_share=settings.category_share,
        brand_share=settings.brand_share,
        rules=tuple(names[rule.id] for rule in considered.context.verdicts.rules),
        sources=_sources(considered),
        candidates=_candidates(considered, {item.facts.id: item.reason for item in answer.items}, names),
        considered=considered,
    )


def _asked(considered: Considered) -> Asked:
    context = considered.context
    query, taste = context.query, context.taste
    total = sum(weight for weight in taste.categories.values() if weight > 0) or 1.0
    return Asked(
        placement=query.placement.value,
        limit=query.limit,
        user_id=query.user_id,
        session_id=query.session_id,
        anchors=tuple(_named(one) for one in context.anchors),
        recent=tuple(_named(one.product) for one in taste.recent[:10]),
        visit=tuple(_named(one.product) for one in taste.visit),
        bought_lately=len(taste.owned),
        categories={name: round(weight / total, 4) for name, weight in list(taste.categories.items())[:5]},
    )


def _sources(considered: Considered) -> tuple[SourceSaid, ...]:
    weights = scoring.weights_of(considered.votes, considered.settings)
    return tuple(
        SourceSaid(one.code, one.source.value, weight, len(one), float(one.scores.max()) if len(one) else 0.0)
        for one, weight in zip(considered.votes, weights, strict=True)
    )


def _candidates(
    considered: Considered, reasons: Mapping[int, Reason], names: Mapping[int, str]
) -> tuple[Candidate, ...]:
    scored = {one.product: (place, one) for place, one in enumerate(considered.scored, start=1)}
    ranked = {one.product: (place, one) for place, one in enumerate(considered.reranked.ranked, start=1)}
    shown = {one.product: (place, one) for place, one in enumerate(considered.shown, start=1)}
    voices = _voices(considered)
    found = []
    for product in [*shown, *(one for one in ranked if one not in shown)]:
        place, final = shown.get(product, (None, None))
        found.append(
            _candidate(
                scored.get(product), ranked.get(product), final, place, considered.facts[product],
                voices.get(product, ()), reasons.get(product), names,
            )
        )  # fmt: skip
    return tuple(found)


def _candidate(
    scored: tuple[int, Scored] | None, ranked: tuple[int, Scored] | None, final: Scored | None, place: int | None,
    facts: ProductFacts, voices: Sequence[Voice], reason: Reason | None, names: Mapping[int, str],
) -> Candidate:  # fmt: skip
    """Put together one product's way; what a pin shows alone has been in no stage before."""
    before, after = scored[1] if scored else final, ranked[1] if ranked else final
    if before is None or after is None:
        raise ValueError("A product that is in no stage cannot be explained.")
    last = final or after
    return Candidate(
        product=Named(facts.product_id, facts.title),
        category=facts.category,
        brand=facts.brand,
        price=None if facts.price is None else f"{facts.price:.2f} {facts.currency}".strip(),
        voices=tuple(voices),
        content=before.content,
        collaborative=before.collaborative,
        popularity=before.popularity,
        scored=before.score,
        scored_place=scored[0] if scored else None,
        rerank=after.rerank,
        ranked=after.score,
        ranked_place=ranked[0] if ranked else None,
        score=last.score,
        position=place,
        rule=names.get(last.rule.id) if last.rule else None,
        reason=reason,
    )


def _voices(considered: Considered) -> dict[int, list[Voice]]:
    """Return what the sources said of each product, the loudest first."""
    found: dict[int, list[Voice]] = {}
    weights = scoring.weights_of(considered.votes, considered.settings)
    for one, weight in zip(considered.votes, weights, strict=True):
        for product, voice in _voices_of(one, weight, considered.settings):
            found.setdefault(product, []).append(voice)
    for spoken in found.values():
        spoken.sort(key=lambda voice: (-abs(voice.weight * voice.value), voice.code))
    return found


def _voices_of(one: Votes, weight: float, settings: PlacementSettings) -> list[tuple[int, Voice]]:
    values = one.scores if one.absolute else scoring.rescale(one.scores, settings.rescale)
    floor = one.absolute and not settings.mix
    rows = zip(
        one.products.tolist(), one.scores.tolist(), values.tolist(), one.supports.tolist(), one.because.tolist(),
        strict=True,
    )  # fmt: skip
    found = []
    for product, raw, value, support, because in rows:
        named = _named(because) if because else None
        found.append((product, Voice(one.code, one.source.value, raw, value, weight, int(support), named, floor)))
    return found


def _named(product: int) -> Named:
    facts = shelf.facts(product)
    return Named(facts.product_id, facts.title)


def _names_of_rules(rules: Sequence[Rule]) -> dict[int, str]:
    """Return the names that merchants gave these rules; a rule that is only tried out has none yet."""
    known = dict(MerchandisingRule.objects.filter(pk__in=[rule.id for rule in rules]).values_list("pk", "name"))
    return {rule.id: known.get(rule.id, "a rule that is not saved yet") for rule in rules}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
