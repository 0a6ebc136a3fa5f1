"""Do events arrive whole: from known products, each once, with a session, on time, and with the shopper's id?"""

from analytics.integration.findings import Finding, Window, judge, measure

_EVENTS = "user_interactions WHERE occurred_at >= %(since)s AND occurred_at < %(until)s"
# Of the browser's: what came without a session was imported, or is of somebody who was erased.
_LIVE = f"{_EVENTS} AND session_id IS NOT NULL"


def check_events(window: Window) -> Finding:
    """Does anything arrive at all?"""
    found = measure(
        f"SELECT count(*), count(DISTINCT interaction_type), NULL::text[] FROM {_EVENTS}",  # noqa: S608
        window,
    )
    said = f"{found.rows:,} events of {found.right} types." if found.rows else "No event yet."
    advice = "Put the tag of docs/tracker.md on your pages, or POST /api/v1/interactions."
    return Finding("Events arrive", bool(found.rows), said, advice="" if found.rows else advice)


def check_products(window: Window) -> Finding:
    """Are events about products that the catalogue knows, under the same ids?"""
    found = measure(
        f"""
        WITH named AS (
            SELECT product_id, count(*) AS events FROM {_EVENTS} AND product_id IS NOT NULL GROUP BY 1
        ),
        judged AS (
            SELECT named.*, p.id IS NOT NULL AS known FROM named LEFT JOIN catalog_product p USING (product_id)
        )
        SELECT sum(events), sum(events) FILTER (WHERE known),
            (array_agg(product_id || ', ' || events || ' events' ORDER BY events DESC, product_id)
                FILTER (WHERE NOT known))[:%(most)s]
        FROM judged
        """,  # noqa: S608
        window,
    )
    return judge(
        "Products are known", found, least=0.98, what="are about a product of the catalogue",
        of="events with a product",
        advice="Send the ids of the catalogue (not a variant's or a database key), and sync often enough.",
    )  # fmt: skip


def check_event_ids(window: Window) -> Finding:
    """Could a repeat be told from a second event?"""
    found = measure(
        f"""
        SELECT count(*), count(event_id),
            (array_agg(interaction_type || ' of ' || coalesce(product_id, search_query) ORDER BY id)
                FILTER (WHERE event_id IS NULL))[:%(most)s]
        FROM {_LIVE}
        """,  # noqa: S608
        window,
    )
    return judge(
        "Event ids", found, least=0.95, what="have an event_id, so that a repeat counts once", of="events",
        advice="Send an event_id of your own with each event: a retry is then stored once. reemio.js does.",
    )  # fmt: skip


def check_sessions(window: Window) -> Finding:
    """Are there sessions, and do they last longer than one event?"""
    found = measure(
        f"""
        WITH sessions AS (SELECT session_id, count(*) AS events FROM {_LIVE} GROUP BY 1)
        SELECT count(*), count(*) FILTER (WHERE events > 1),
            (array_agg(session_id ORDER BY session_id) FILTER (WHERE events = 1))[:%(most)s]
        FROM sessions
        """,  # noqa: S608
        window,
    )
    return judge(
        "Sessions hold together", found, least=0.3, what="have more than one event", of="sessions",
        advice="Keep the session_id over a visit (reemio.js has it in a cookie); a new one per page tells nothing.",
    )  # fmt: skip


def check_clocks(window: Window) -> Finding:
    """Did events happen before they came?"""
    found = measure(
        f"""
        SELECT count(*), count(*) FILTER (WHERE occurred_at <= received_at + interval '5 minutes'),
            (array_agg(interaction_type || ' at ' || occurred_at || ', received at ' || received_at ORDER BY id)
                FILTER (WHERE occurred_at > received_at + interval '5 minutes'))[:%(most)s]
        FROM {_EVENTS}
        """,  # noqa: S608
        window,
    )
    return judge(
        "Clocks are right", found, least=0.99, what="did not happen after they were received", of="events",
        advice="Send occurred_at in UTC with an offset, or leave it out.",
    )  # fmt: skip


def check_searches(window: Window) -> Finding:
    """Do searches say how much they found?"""
    found = measure(
        f"""
        SELECT count(*), count(*) FILTER (WHERE extra_data ? 'resultsCount'),
            (array_agg(DISTINCT search_query) FILTER (WHERE NOT extra_data ? 'resultsCount'))[:%(most)s]
        FROM {_EVENTS} AND interaction_type = 'search' AND search_query <> ''
        """,  # noqa: S608
        window,
    )
    return judge(
        "Searches", found, least=0.9, what="say how many results they had", of="searches",
        advice="reemio.search(query, {resultsCount}) on the results page: what finds nothing shows what to stock.",
    )  # fmt: skip


def check_logins(window: Window) -> Finding:
    """Is what somebody did before they logged in theirs afterwards?"""
    found = measure(
        f"""
        WITH sessions AS (
            SELECT session_id, bool_or(user_id IS NULL) AS anonymous, bool_or(user_id IS NOT NULL) AS named
            FROM {_LIVE} GROUP BY 1
        )
        SELECT count(*) FILTER (WHERE named), count(*) FILTER (WHERE named AND NOT anonymous),
            (array_agg(session_id ORDER BY session_id) FILTER (WHERE named AND anonymous))[:%(most)s]
        FROM sessions
        """,  # noqa: S608
        window,
    )
    return judge(
        "User ids after login", found, least=0.95, what="are the user's from their first event on",
        of="sessions with a user id",
        advice="Name who is logged in with data-user and data-user-token, or merge on your server: docs/tracker.md.",
    )  # fmt: skip
