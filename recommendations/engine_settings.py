"""Changing the engine's settings by hand: event weights, and what a placement shows. Each change keeps its author.

Tastes and popularity are sums that hold the event weights, so a changed weight makes all of them due for a recount. The
weights and the notes of who is due are written in one transaction, which no folding or recount overlaps: until a person
is recounted, readers count them from their raw events, by the new weights. docs/dashboard.md tells what follows when.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from recommendations import selectors
from recommendations.configuration import DEFAULT_RESCALE, default_event_weights, overruled
from recommendations.contracts import Item, Query
from recommendations.forward_decay import LOCK, recount_popularity
from recommendations.models import EventWeight, PlacementOverride, SettingsChange
from recommendations.pipeline import recommend
from recommendations.shelf import ActiveVersion, shelf

EVENT_WEIGHTS = "event_weights"
EVERYBODY_IS_DUE = """
    INSERT INTO rewritten_histories (subject) SELECT subject FROM tastes ORDER BY subject ON CONFLICT DO NOTHING
"""


def current_event_weights() -> dict[str, float]:
    """Return every kind's weight as it is stored at this moment."""
    changed = dict(EventWeight.objects.values_list("interaction_type", "weight"))
    return default_event_weights() | changed


def change_event_weights(weights: Mapping[str, float], *, by: str) -> bool:
    """Let events count so from now on; return whether that differs from before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        before = current_event_weights()
        after = before | {kind: weight for kind, weight in weights.items() if kind in default_event_weights()}
        if after == before:
            return False
        _store({kind: after[kind] for kind in after if after[kind] != before[kind]})
        cursor.execute(EVERYBODY_IS_DUE)
        SettingsChange.objects.create(changed_by=by, subject=EVENT_WEIGHTS, before=before, after=after)
    selectors.forget()
    return True


def _store(changed: Mapping[str, float]) -> None:
    """Keep the changed weights; one that is as usual again needs no row. Others are left alone."""
    usual = default_event_weights()
    EventWeight.objects.filter(interaction_type__in=[kind for kind in changed if changed[kind] == usual[kind]]).delete()
    EventWeight.objects.bulk_create(
        [EventWeight(interaction_type=kind, weight=changed[kind]) for kind in changed if changed[kind] != usual[kind]],
        update_conflicts=True,
        unique_fields=["interaction_type"],
        update_fields=["weight"],
    )


def recount_all_popularity() -> int:
    """Count every product's popularity anew by the event weights as they are; return how many have any."""
    return recount_popularity(current_event_weights())


def change_placement(placement: str, fields: Mapping[str, Any], *, by: str) -> bool:
    """Overrule these fields of a placement's settings, or none of them; return whether that differs from before."""
    with transaction.atomic():
        row, _ = PlacementOverride.objects.select_for_update().get_or_create(placement=placement)
        before = dict(row.settings)
        after = dict(fields)
        if after != before:
            row.settings = after
            row.save(update_fields=["settings"])
            subject = f"placement:{placement}"
            SettingsChange.objects.create(changed_by=by, subject=subject, before=before, after=after)
    selectors.forget()
    return after != before


def own_weights(content: float, collaborative: float, popularity: float) -> dict[str, Any]:
    """Return the fields that make a placement score by these weights, in place of a tuned mix."""
    weights = {"content": content, "collaborative": collaborative, "popularity": popularity}
    return {"weights": weights, "mix": {}, "rescale": DEFAULT_RESCALE}


def with_placement(placement: str, fields: Mapping[str, Any]) -> ActiveVersion:
    """Return the active version as it would answer with these fields overruled: for previews."""
    active = shelf.refresh()
    overrides = {**selectors.placement_overrides(), placement: fields}
    return ActiveVersion(active.id, overruled(active.settings, overrides), active.rules)


def list_by(query: Query, *, weights: Mapping[str, float]) -> tuple[Item, ...]:
    """Return the items of a list as it would be by these event weights; popularity and models stay as they are."""
    return recommend(query, weights_instead=weights).items
