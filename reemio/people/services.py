"""What is done with a person across all apps: looked at, exported, merged, erased."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from campaigns.services.erase import erase_from_mail
from campaigns.services.export import export_mail
from interactions import selectors
from interactions.models import OrderRefund, Shopper
from interactions.services.erase import Erased, erase_interactions
from interactions.services.merge import merge_session
from interactions.weights import DEFAULT_WEIGHTS
from recommendations.experiments import keep_variants
from recommendations.models import EventWeight, KeptVariant, ServedList, ShopperNeighbourhood, Taste


@dataclass(frozen=True, slots=True)
class Person:
    """The profile, what the person did, and what was learned of them."""

    shopper: Shopper
    activity: selectors.Activity
    learned: selectors.Learned


def find_person(user_id: str, *, now: datetime | None = None) -> Person | None:
    """Return what is known of a person, whom the shop or an event has named; None where nobody has."""
    shopper = Shopper.objects.filter(user_id=user_id).first()
    activity = selectors.activity_of(user_id)
    if shopper is None and not activity.counts:
        return None
    learned = selectors.learned_of(user_id, weights=event_weights(), now=now or timezone.now())
    return Person(shopper or Shopper(user_id=user_id), activity, learned)


def event_weights() -> Mapping[str, float | None]:
    """Return the weights that the shop has set, above the brief's."""
    return {
        **{str(kind): weight for kind, weight in DEFAULT_WEIGHTS.items()},
        **dict(EventWeight.objects.values_list("interaction_type", "weight")),
    }


@transaction.atomic
def merge_person(*, user_id: str, session_id: str) -> int:
    """Make what a session did, and was shown, the user's; return how many events moved. See `merge_session`."""
    moved = merge_session(user_id=user_id, session_id=session_id)
    keep_variants(user_id=user_id, session_id=session_id)
    ServedList.objects.filter(session_id=session_id, user_id="").update(user_id=user_id)
    return moved


@transaction.atomic
def erase_person(user_id: str) -> bool:
    """Erase the person, or make what is kept anonymous, in every table; return False where nobody is known."""
    address = Shopper.objects.filter(user_id=user_id).values_list("email", flat=True).first()
    erased = erase_interactions(user_id=user_id, email=address or "")
    erase_from_mail(user_id=user_id, email=address or "")
    served = ServedList.objects.filter(user_id=user_id)
    if erased is None:
        # Somebody who was only ever shown lists is no known person, and leaves no trace all the same.
        _anonymise(served)
        return False
    _anonymise(served)
    _anonymise(ServedList.objects.filter(user_id="", session_id__in=erased.sessions).exclude(session_id=""))
    Taste.objects.filter(subject__in=erased.subjects).delete()
    ShopperNeighbourhood.objects.filter(user_id=user_id).delete()
    KeptVariant.objects.filter(user_id=user_id).delete()
    _erase_admin_log(erased)
    return True


def _anonymise(served: QuerySet[ServedList]) -> None:
    """Take the names off lists, and off searches the words that somebody typed."""
    served.filter(placement="search").update(user_id="", session_id="", anchors=[])
    served.update(user_id="", session_id="")


def _erase_admin_log(erased: Erased) -> None:
    """The admin's log repeats the names of what was edited."""
    shoppers = ContentType.objects.get_for_model(Shopper)
    if erased.shopper_pk is not None:
        LogEntry.objects.filter(content_type=shoppers, object_id=str(erased.shopper_pk)).delete()


def export_person(user_id: str) -> dict[str, Any] | None:
    """Return all that is held on a person as JSON-ready data, or None where nobody is known by that id."""
    shopper = Shopper.objects.filter(user_id=user_id).first()
    events = [_fields(event) for event in selectors.history_of(user_id)]
    orders = {event["order_id"] for event in events if event["order_id"]}
    sessions = selectors.sessions_of(user_id)
    mail = export_mail(user_id=user_id, email=shopper.email if shopper else "")
    if shopper is None and not events and not any(mail.values()):
        return None
    ids = [session.session_id for session in sessions]
    subjects = [f"u:{user_id}", *(f"s:{session_id}" for session_id in ids)]
    mine = Q(user_id=user_id) | Q(user_id="", session_id__in=ids)
    served = ServedList.objects.filter(mine).order_by("served_at", "request_id")
    return {
        "user_id": user_id,
        "exported_at": timezone.now(),
        "profile": shopper and _fields(shopper),
        "sessions": [_fields(session) for session in sessions],
        "interactions": events,
        "refunds": [_fields(row) for row in OrderRefund.objects.filter(order_id__in=orders).order_by("pk")],
        "inbox": [_fields(row) for row in selectors.inbox_of(user_id)],
        "served_lists": [_fields(row) for row in served.iterator()],
        "taste": [_taste(row) for row in Taste.objects.filter(subject__in=subjects).order_by("subject")],
        **mail,
        "kept_variants": [_fields(row) for row in KeptVariant.objects.filter(user_id=user_id)],
        "neighbourhoods": [_fields(row) for row in ShopperNeighbourhood.objects.filter(user_id=user_id)],
    }


def _fields(row: Model) -> dict[str, Any]:
    """Return a row as its columns."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _taste(row: Taste) -> dict[str, Any]:
    return {**_fields(row), "vector": [float(value) for value in row.vector]}
