"""Recording events: the one way in for whatever comes over HTTP and through the inbox."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from interactions.events import NewInteraction
from interactions.metrics import EVENTS
from interactions.services.locks import share_merging

# Ids are drawn before the insert, so that what comes back can be told apart. The rows go in by event_id: two
# batches that share some of them would otherwise wait for each other.
_INSERT = f"""
WITH incoming AS MATERIALIZED (
    SELECT nextval('user_interactions_id_seq') AS id, event.*
    FROM ROWS FROM ({", ".join(["json_array_elements_text(%s)"] * 15)}) WITH ORDINALITY AS event (
        interaction_type, user_id, session_id, product_id, event_id, occurred_at, quantity, unit_price, currency,
        order_id, context, position, request_id, search_query, extra_data, number
    )
), stored AS (
    INSERT INTO user_interactions (
        id, interaction_type, user_id, session_id, product_id, event_id, occurred_at, quantity, unit_price, currency,
        order_id, recommendation_context, recommendation_position, recommendation_request_id, search_query, extra_data
    )
    SELECT incoming.id, interaction_type, coalesce(incoming.user_id, merged.user_id), incoming.session_id, product_id,
        event_id, occurred_at::timestamptz, quantity::int, unit_price::numeric, currency, order_id, context,
        position::int, request_id::uuid, search_query, extra_data::jsonb
    FROM incoming LEFT JOIN interactions_mergedsession AS merged
        ON incoming.user_id IS NULL AND merged.session_id = incoming.session_id
    ORDER BY event_id COLLATE "C"
    ON CONFLICT (event_id) DO NOTHING
    RETURNING id
), queued AS (
    INSERT INTO fresh_interactions (interaction_id) SELECT id FROM stored
)
SELECT incoming.number - 1, stored.id FROM stored JOIN incoming USING (id)
"""  # noqa: S608  no input in it


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the event at `index`: its own new `id`, or that of the earlier event with the same event_id."""

    index: int
    id: int
    duplicate: bool


def record_interactions(events: Sequence[NewInteraction]) -> list[Recorded]:
    """Store events, each `event_id` once, and queue what is new for the engine: one transaction, for any number.

    Returns one `Recorded` per event, in order. Within one call, too, the first of several equal `event_id`s wins.
    """
    if not events:
        return []
    first: dict[str, int] = {}
    own = [
        index
        for index, event in enumerate(events)
        if event.event_id is None or first.setdefault(event.event_id, index) == index
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        if any(event.user_id is None for event in events):
            share_merging(cursor)
        cursor.execute(_INSERT, _columns([events[index] for index in own]))
        ids: dict[int, int] = {own[number]: new for number, new in cursor.fetchall()}
        known = _ids_of(cursor, [name for name, index in first.items() if index not in ids])
    recorded = [_recorded(index, event, ids, first, known) for index, event in enumerate(events)]
    for (kind, duplicate), count in Counter(
        (events[one.index].interaction_type, one.duplicate) for one in recorded
    ).items():
        EVENTS.labels(kind, "repeated" if duplicate else "stored").inc(count)
    return recorded


def _recorded(
    index: int, event: NewInteraction, ids: dict[int, int], first: dict[str, int], known: dict[str, int]
) -> Recorded:
    if index in ids:
        return Recorded(index, ids[index], duplicate=False)
    name = event.event_id or ""
    return Recorded(index, known.get(name) or ids[first[name]], duplicate=True)


def _ids_of(cursor: Any, event_ids: list[str]) -> dict[str, int]:
    """Return the ids of events that are stored already. The insert has waited for whoever was storing them."""
    if not event_ids:
        return {}
    cursor.execute("SELECT event_id, id FROM user_interactions WHERE event_id = ANY(%s)", [event_ids])
    return dict(cursor.fetchall())


def _columns(events: Sequence[NewInteraction]) -> list[str]:
    """Return the insert's parameters, a JSON array per column: five times as quick to build and send as SQL arrays."""
    columns: list[list[Any]] = [
        [event.interaction_type for event in events],
        [event.user_id for event in events],
        [event.session_id for event in events],
        [event.product_id for event in events],
        [event.event_id for event in events],
        [event.occurred_at.isoformat() for event in events],
        [event.quantity for event in events],
        [None if event.unit_price is None else str(event.unit_price) for event in events],
        [event.currency for event in events],
        [event.order_id for event in events],
        [event.recommendation_context for event in events],
        [event.recommendation_position for event in events],
        [event.recommendation_request_id and str(event.recommendation_request_id) for event in events],
        [event.search_query for event in events],
        [event.extra_data for event in events],
    ]
    return [json.dumps(column, ensure_ascii=False, separators=(",", ":"), default=dict) for column in columns]


def as_json(event: NewInteraction) -> str:
    """Return the event's extra data as JSON text."""
    return json.dumps(event.extra_data, ensure_ascii=False, separators=(",", ":"), default=dict)
