"""How a context and a product read to the cross-encoder, and which relation a placement asks about. No Django here."""

from enum import StrEnum
from typing import NamedTuple

from recommendations.contracts import Placement, ProductFacts


class Relation(StrEnum):
    """What a pair of products may have to do with each other."""

    NEXT = "next"
    TOGETHER = "together"


class Pair(NamedTuple):
    """A product of the context and a candidate, by our ids."""

    context: int
    candidate: int


RELATIONS = {
    Placement.HOMEPAGE: Relation.NEXT,
    Placement.PRODUCT: Relation.NEXT,
    Placement.CART: Relation.TOGETHER,
    Placement.BOUGHT_TOGETHER: Relation.TOGETHER,
}
ASKED = {Relation.NEXT: "after", Relation.TOGETHER: "with"}


def text_of(facts: ProductFacts) -> str:
    """Return a product's text: its title and the last part of its category. Short, since time grows with it."""
    return ", ".join(part for part in (facts.title, facts.category.rsplit(" > ", 1)[-1]) if part)


def question_of(facts: ProductFacts, relation: Relation) -> str:
    """Return a context's text: a word for the relation, and the product."""
    return f"{ASKED[relation]} {text_of(facts)}"
