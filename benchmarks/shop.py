"""A made-up shop of any size: products in clusters, shoppers with 20 events each, a trained version's lists.

Everything is made from numbers by PostgreSQL and numpy, with a fixed seed, at the speed of COPY. Products are numbered
1 to n, neighbours in number are neighbours in kind; half of a shopper's events lie in their own corner of the shop.
Events lie in the table in the order of their time, over 60 days.
"""

from dataclasses import dataclass

import numpy as np
from django.db import connection

EVENTS_PER_USER = 20
CLUSTERS = 200
ASKED = 500
DIMENSIONS = 384

PRODUCTS = """
    INSERT INTO catalog_product (product_id, title, description, category, brand, price, currency, image_url, url,
        is_active, attributes, stock_quantity)
    SELECT 'product-' || n, 'Product number ' || n, '', 'Department ' || n %% 20 || ' > Aisle ' || n %% 200,
        'Brand ' || n %% 300, 1 + n %% 400, 'USD', 'https://shop.example/images/' || n || '.jpg',
        'https://shop.example/products/' || n, true, '{}', CASE WHEN n %% 33 = 0 THEN 0 END
    FROM generate_series(1, %s) n
"""
EVENTS = """
    INSERT INTO user_interactions (interaction_type, user_id, session_id, product_id, occurred_at, order_id, quantity,
        unit_price, currency, recommendation_context, search_query, extra_data)
    SELECT kind, 'user-' || u, 'session-' || i / 4, 'product-' || CASE WHEN i %% 2 = 0
            THEN 1 + (u::bigint * 7919 + floor(abs(random() - random()) * {corner})::int) %% {products}
            ELSE 1 + floor({products} * random() ^ 2)::int END,
        now() - (1 - (i %% {half})::float8 / {half}) * interval '60 days',
        CASE WHEN kind = 'purchase' THEN 'order-' || i / 4 END, 1,
        9.90, 'USD', '', '', '{{}}'
    FROM generate_series(%s, %s) i,
        LATERAL (SELECT i < {of_regulars} AS regular) whose,
        LATERAL (SELECT CASE WHEN regular THEN i %% {regulars} ELSE {regulars} + i %% {others} END AS u,
            (ARRAY['view', 'view', 'view', 'view', 'view', 'cart_add', 'purchase'])[
                1 + i / CASE WHEN regular THEN {regulars} ELSE {others} END %% 7] AS kind) made
"""
LISTS = """
    INSERT INTO recommendations_neighbourlist (version_id, kind, product_id, neighbours, scores, supports)
    SELECT %(version)s, kind, p.id,
        ARRAY(SELECT 1 + (p.id + k * step - 1) %% %(products)s FROM generate_series(1, 50) k),
        ARRAY(SELECT 0.9 / k FROM generate_series(1, 50) k), ARRAY(SELECT 100 - k FROM generate_series(1, 50) k)
    FROM catalog_product p, (VALUES {kinds}) AS kinds(kind, step)
"""
NEIGHBOURHOODS = """
    INSERT INTO recommendations_shopperneighbourhood (version_id, user_id, kind, products, scores, supports)
    SELECT %(version)s, 'user-' || u, kind,
        ARRAY(SELECT 1 + (u::bigint * 7919 + 13 * k) %% %(products)s FROM generate_series(1, 100) k),
        ARRAY(SELECT 5.0 / k FROM generate_series(1, 100) k), ARRAY(SELECT 101 - k FROM generate_series(1, 100) k)
    FROM generate_series(0, %(users)s - 1, greatest(%(users)s / 100000, 1)) u, unnest(%(kinds)s::text[]) kind
"""
TASTES = """
    INSERT INTO tastes (subject, as_of, vector, weight, categories, events)
    SELECT 'u:user-' || u, now(), e.vector, 1, '{}', 1
    FROM generate_series(0, %s - 1) u JOIN catalog_productembedding e ON e.product_id = 1 + u %% %s
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Shop:
    """How large a shop is, and whom to ask about: `users` evenly spread, each with stored taste and neighbourhood."""

    products: int
    interactions: int
    users: tuple[str, ...]


def make_shop(
    *,
    products: int,
    interactions: int,
    shoppers: int | None = None,
    mix: dict[str, float] | None = None,
    search_index: bool = True,
) -> Shop:
    """Fill the empty database; with a `mix`, as a tuned version's homepage has it, and the index that search reads.

    Every shopper has 20 events, unless `shoppers` says that there are more of them: then half of the events are those
    of regulars with 20 each, and the others share the rest. Only regulars are asked about.
    """
    regulars = interactions // EVENTS_PER_USER if shoppers is None else interactions // EVENTS_PER_USER // 2
    users = shoppers or regulars
    with connection.cursor() as cursor:
        cursor.execute(PRODUCTS, [products])
        cursor.execute("TRUNCATE catalog_embeddingdue")
        put_vectors(cursor, clustered(products), index=search_index)
        _put_events(cursor, products, interactions, regulars, users)
    asked = tuple(f"user-{number}" for number in range(0, regulars, max(regulars // ASKED, 1)))
    _learn(asked, products, users, mix or {})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return Shop(products, interactions, asked)


def clustered(count: int, *, seed: int = 7) -> np.ndarray:
    """Return `count` unit vectors (float32, count × 384) around 200 centres; neighbours in number share one.

    Their variance falls from axis to axis about as that of MiniLM does on a shop's titles: 64 axes hold three quarters.
    """
    random = np.random.default_rng(seed)
    centres = random.standard_normal((CLUSTERS, DIMENSIONS)).astype(np.float32)
    vectors = random.standard_normal((count, DIMENSIONS), dtype=np.float32)
    vectors += centres[np.arange(count) * CLUSTERS // count]
    vectors *= np.exp(-np.arange(DIMENSIONS, dtype=np.float32) / (2 * 46))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def put_vectors(cursor, vectors: np.ndarray, *, index: bool = True) -> None:
    """Store a vector for each product, the first for the one with id 1, and build the index as a migration does."""
    cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'embedding_hnsw'")
    definition = cursor.fetchone()[0]
    cursor.execute("DROP INDEX embedding_hnsw")
    rows = np.empty(len(vectors), [("fields", ">i2"), ("size4", ">i4"), ("id", ">i8"), ("size", ">i4"),
        ("dim", ">i2"), ("unused", ">i2"), ("vector", ">f4", DIMENSIONS), ("rest", "S9")])  # fmt: skip
    # COPY's binary format: three fields, each after its length; the hash is the letter x.
    rows["fields"], rows["size4"], rows["size"] = 3, 8, 4 + 4 * DIMENSIONS
    rows["id"], rows["dim"], rows["unused"] = np.arange(1, len(vectors) + 1), DIMENSIONS, 0
    rows["vector"], rows["rest"] = vectors, b"\0\0\0\5synth"
    statement = "COPY catalog_productembedding (product_id, vector, text_hash) FROM STDIN (FORMAT binary)"
    with cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for start in range(0, len(rows), 10_000):
            copy.write(rows[start : start + 10_000].tobytes())
        copy.write(b"\xff\xff")
    if index:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(definition)


def _put_events(cursor, products: int, interactions: int, regulars: int, users: int) -> None:
    cursor.execute("SELECT setseed(0.5)")
    cursor.execute("SELECT indexdef, indexname FROM pg_indexes WHERE indexname LIKE 'interaction\\_%' AND"
        " tablename = 'user_interactions' AND indexdef NOT LIKE '%UNIQUE%'")  # fmt: skip
    indexes = cursor.fetchall()
    for _, name in indexes:
        cursor.execute(f"DROP INDEX {name}")
    # Nothing is counted or attributed here.
    cursor.execute("ALTER TABLE user_interactions DISABLE TRIGGER USER")
    corner = max(products // CLUSTERS, 30)
    of_regulars = regulars * EVENTS_PER_USER
    sizes = {"regulars": regulars, "others": max(users - regulars, 1), "of_regulars": of_regulars, "half": of_regulars}
    statement = EVENTS.format(products=products, corner=corner, **sizes)
    for start in range(0, interactions, 1_000_000):
        cursor.execute(statement, [start, min(start + 1_000_000, interactions) - 1])
    cursor.execute("ALTER TABLE user_interactions ENABLE TRIGGER USER")
    cursor.execute("SET maintenance_work_mem = '1GB'")
    for definition, _ in indexes:
        cursor.execute(definition)


def _learn(asked: tuple[str, ...], products: int, users: int, mix: dict[str, float]) -> None:
    """Make the lists of a version, popularity, and the tastes: those of `asked` by the product's own counting."""
    from recommendations.forward_decay import recount_popularity
    from recommendations.learning.preferences import recount
    from recommendations.models import ModelVersion
    from recommendations.selectors import event_weights
    from recommendations.signals import SIGNALS, Form

    settings = {"homepage": {"weights": {}, "rescale": "max", "category_share": 1 / 3, "brand_share": 1 / 3,
                             "rerank": False, "mix": mix}} if mix else {}  # fmt: skip
    version = ModelVersion.objects.create(state=ModelVersion.State.ACTIVE, as_of="2026-01-01T00:00Z", settings=settings)
    forms = {form: [SIGNALS[code].kind for code in mix if SIGNALS[code].form is form] for form in Form}
    kinds = {kind: 3 + 2 * number for number, kind in enumerate(["item_to_item", "content", *forms[Form.LIST]])}
    values = ", ".join(f"('{kind}', {step})" for kind, step in kinds.items())
    parameters = {"version": version.pk, "products": products, "users": users}
    with connection.cursor() as cursor:
        cursor.execute(LISTS.format(kinds=values), parameters)
        cursor.execute(NEIGHBOURHOODS, parameters | {"kinds": ["", *forms[Form.SHOPPERS]]})
        for code in {*forms[Form.LEVEL], *(["interval"] if forms[Form.OWN] else [])}:
            cursor.execute(
                'INSERT INTO recommendations_productlevels (version_id, code, products, "values") SELECT %s, %s,'
                " array_agg(n ORDER BY n), array_agg(1.0 / n ORDER BY n) FROM generate_series(1, %s) n",
                [version.pk, code, products],
            )
    recount_popularity(event_weights())
    for start in range(0, len(asked), 100):
        recount([f"u:{user}" for user in asked[start : start + 100]])
    with connection.cursor() as cursor:
        cursor.execute(TASTES, [users, products])
