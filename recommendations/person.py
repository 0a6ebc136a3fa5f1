"""What a request reads, in one statement: the version that answers, and all that is stored of whoever asks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from recommendations import neighbours
from recommendations.configuration import OWNED_DAYS
from recommendations.contracts import Counts, Ids, Query, Scores
from recommendations.history import RECENT_EVENTS, RECENT_PURCHASES, RECOUNT_EVENTS, VISIT, Event
from recommendations.marks import Mark, is_behind
from recommendations.shelf import ActiveVersion, active_version, shelf
from recommendations.sums import Sums
from recommendations.vectors import vectors
from reemio.database.prepared import fetch

NEVER = str(2**62)

SELECT = f"""
    SELECT id, product_id, interaction_type, occurred_at, user_id IS NOT NULL AS by_user,
        CASE WHEN interaction_type = 'purchase' THEN hashtextextended({VISIT}, 0) ELSE 0 END AS visit
    FROM user_interactions
"""  # noqa: S608  constants
# A user's own events, and those of the session that are nobody's yet: each branch reads one index, newest first.
# Vectors come as pgvector's binary form: two 16 bit numbers, then 32 bit floats, all of them big-endian.
READ = f"""
    WITH mine AS (
        ({SELECT} WHERE user_id = %(user)s::text AND product_id IS NOT NULL AND occurred_at < %(until)s::timestamptz
            ORDER BY occurred_at DESC LIMIT %(events)s::int)
        UNION
        ({SELECT} WHERE user_id = %(user)s::text AND interaction_type = 'purchase'
            AND occurred_at >= %(owned_since)s::timestamptz AND occurred_at < %(until)s::timestamptz
            ORDER BY occurred_at DESC LIMIT {RECENT_PURCHASES})
        UNION
        ({SELECT} WHERE session_id = %(session)s::text AND user_id IS NULL AND product_id IS NOT NULL
            AND occurred_at < %(until)s::timestamptz ORDER BY occurred_at DESC LIMIT %(events)s::int)
    ), recent AS (
        SELECT mine.*, id = ANY(ARRAY(
            SELECT interaction_id FROM fresh_interactions WHERE interaction_id = ANY(ARRAY(SELECT id FROM mine))
        )) AS fresh
        FROM mine ORDER BY occurred_at DESC, id DESC
    ), events AS (
        SELECT array_agg(product_id) AS products, array_agg(interaction_type) AS kinds,
            array_agg(extract(epoch FROM occurred_at)::float8) AS moments,
            array_agg(fresh) AS fresh, array_agg(by_user) AS by_user, array_agg(visit) AS visits
        FROM recent
    )
    SELECT active.id, active.settings::text,
        {is_behind("catalog_product", "shelf")},
        {is_behind("catalog_productembedding", "vectors")},
        EXISTS (SELECT FROM rewritten_histories WHERE subject IN (%(user_subject)s::text, %(session_subject)s::text)),
        events.*,
        u.as_of, vector_send(u.vector), u.weight, u.categories::text, u.events,
        s.as_of, vector_send(s.vector), s.weight, s.categories::text, s.events,
        n.kind, n.products, n.scores, n.supports,
        COALESCE((SELECT number FROM recommendations_freshpairsnumber), 0),
        COALESCE((SELECT version FROM recommendations_rulesversion), 0)
    FROM events
    LEFT JOIN recommendations_modelversion active ON active.state = 'active'
    LEFT JOIN tastes u ON u.subject = %(user_subject)s::text
    LEFT JOIN tastes s ON s.subject = %(session_subject)s::text
    LEFT JOIN recommendations_shopperneighbourhood n
        ON n.version_id = COALESCE(%(version)s::bigint, active.id) AND n.user_id = %(user)s::text
"""  # noqa: S608  constants of this module
ANONYMOUS = f"""
    SELECT active.id, active.settings::text,
        {is_behind("catalog_product", "shelf")},
        {is_behind("catalog_productembedding", "vectors")},
        COALESCE((SELECT number FROM recommendations_freshpairsnumber), 0),
        COALESCE((SELECT version FROM recommendations_rulesversion), 0)
    FROM (VALUES (1)) AS once LEFT JOIN recommendations_modelversion active ON active.state = 'active'
"""  # noqa: S608  constants of this module


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What the shoppers most like this one did: parallel arrays of our ids, scores and support counts."""

    products: Ids
    scores: Scores
    supports: Counts


@dataclass(frozen=True, slots=True)
class Person:
    """All that is stored of whoever asks.

    `stored` are the folded sums of the user and of the session; they hold no event that is `fresh`. None of them
    counts where a past was `rewritten`: then `events` hold what the sums are counted from. `events` are the latest ones
    with products on the shelf, newest first, and all purchases of the last 30 days; where they are `whole`, there is
    no older one. `neighbourhoods` maps kinds, the empty one the default blend's.
    """

    stored: tuple[Sums, ...] = ()
    rewritten: bool = False
    events: tuple[Event, ...] = ()
    whole: bool = False
    neighbourhoods: Mapping[str, Neighbourhood] = field(default_factory=dict)


NOBODY = Person()


def read(query: Query, *, version: int | None = None) -> tuple[ActiveVersion, Person]:
    """Return the active version and what is stored of whoever asks; shelf and vectors are then as new as they are.

    One statement; one more for each of these: a product changed, an embedding changed, a past was rewritten, events
    were folded. With an
    *as-of*, nothing that happened at or after it is seen; without one, nothing dated ahead of a day from now.
    `version` overrules the active one for neighbourhoods.
    """
    asked = bool(query.user_id or query.session_id)
    now = query.as_of or timezone.now()
    # All of them texts, which the statement casts: psycopg is quickest with those, and the prepared statement is one.
    parameters = {
        **_reaches(shelf.mark(), "shelf"),
        **_reaches(vectors.mark(), "vectors"),
        "user": query.user_id or None,
        "session": query.session_id or None,
        "user_subject": query.user_id and f"u:{query.user_id}",
        "session_subject": query.session_id and f"s:{query.session_id}",
        "until": str(query.as_of or now + timedelta(days=1)),
        "owned_since": str(now - timedelta(days=OWNED_DAYS)),
        "events": str(RECOUNT_EVENTS if query.as_of else RECENT_EVENTS),
        "version": version and str(version),
    }
    rows = fetch(READ if asked else ANONYMOUS, parameters)
    most = RECOUNT_EVENTS if query.as_of else RECENT_EVENTS
    if asked and rows[0][4] and not query.as_of:
        most = RECOUNT_EVENTS
        rows = fetch(READ, parameters | {"events": str(most)})
    number, settings, shelf_is_behind, vectors_are_behind = rows[0][:4]
    if shelf_is_behind:
        shelf.refresh()
    if vectors_are_behind:
        vectors.refresh()
    neighbours.follow(rows[0][-2])
    return active_version(number, settings, rows[0][-1]), _person(rows, query.as_of, most) if asked else NOBODY


def _reaches(mark: Mark | None, name: str) -> dict[str, str]:
    """Return the parameters of `is_behind`; a copy that is not held is never behind."""
    if mark is None:
        return {f"{name}_next": NEVER, f"{name}_running": "{}"}
    return {f"{name}_next": mark.next, f"{name}_running": mark.running}


def _person(rows: Sequence[tuple[Any, ...]], as_of: datetime | None, most: int) -> Person:
    rewritten = rows[0][4] or as_of is not None
    by_user = rows[0][9] or []
    own = sum(by_user)
    return Person(
        stored=() if rewritten else tuple(_sums(rows[0][start : start + 5]) for start in (11, 16) if rows[0][start]),
        rewritten=rewritten,
        events=_events(*rows[0][5:11]),
        whole=own < most and len(by_user) - own < most,
        neighbourhoods={row[21]: Neighbourhood(*row[22:25]) for row in rows if row[21] is not None},
    )


def _events(
    products: list[str] | None, kinds: list[str], moments: Scores, fresh: list[bool], by_user: list[bool], visits: Ids
) -> tuple[Event, ...]:
    if products is None:
        return ()
    times = [datetime.fromtimestamp(moment, UTC) for moment in moments.tolist()]
    rows = zip(map(shelf.id_of, products), kinds, times, fresh, by_user, visits.tolist(), strict=True)
    return tuple(Event(product, *rest) for product, *rest in rows if product is not None)


def _sums(row: tuple[Any, ...]) -> Sums:
    as_of, vector, weight, categories, events = row
    numbers = np.frombuffer(vector, ">f4", offset=4).astype(np.float32)
    return Sums(as_of, numbers, weight, json.loads(categories), events)
