"""What the account page shows: everything that Reemio holds on whoever looks at it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from catalog.models import Product
from interactions.models import Interaction
from reemio.demo.visitors import Visitor
from reemio.people.services import Person, find_person

LATEST = 15


@dataclass(frozen=True, slots=True)
class Known:
    """A person as the page tells of them."""

    person: Person

    @property
    def activity(self) -> Any:
        return self.person.activity

    @property
    def learned(self) -> Any:
        return self.person.learned

    @property
    def top_categories(self) -> list[dict[str, Any]]:
        return self.person.learned.top_categories

    @property
    def total(self) -> int:
        """Count all that the person did."""
        return sum(self.person.activity.counts.values())


def known(visitor: Visitor) -> Known | None:
    """Return what is known of the chosen shopper; None of nobody, and of somebody who was erased."""
    person = find_person(visitor.user_id) if visitor.user_id else None
    return Known(person) if person else None


def latest_events(visitor: Visitor) -> list[Interaction]:
    """Return the latest events of the shopper, or of the session of nobody, each with its product's title."""
    whose = (
        Q(user_id=visitor.user_id) if visitor.user_id else Q(user_id=None, session_id=visitor.session_id or "nobody's")
    )
    events = list(Interaction.objects.filter(whose).order_by("-occurred_at", "-pk")[:LATEST])
    ids = {event.product_id for event in events if event.product_id}
    titles = dict(Product.objects.filter(product_id__in=ids).values_list("product_id", "title"))
    for event in events:
        event.title = titles.get(event.product_id or "", "")  # type: ignore[attr-defined]  # for the template
    return events
